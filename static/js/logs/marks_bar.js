// The bar of marks below the tools: what is in colour, how many rows in sight have it, whether the keys
// stop at it; and the menu in which words are added.

import { Problem } from "../lib/api.js";
import { afterPaint, byId, h, icon, setAttribute, setChildren, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { formatNumber, t, tn } from "../lib/i18n.js";
import { toast } from "../lib/toast.js";
import { HUES, MARK_TEXT, Marks } from "./marks.js";

/** @typedef {import("./entry.js").Entry} Entry */
/** @typedef {import("./marks.js").Mark} Mark */
/** @typedef {Pick<import("./log_view.js").LogView, "feed" | "rows" | "cursor" | "scroller" | "schedule">} View */

const SHOWN = 24; // characters of a mark in the bar

/** @typedef {{ element: HTMLElement, toggle: HTMLElement, count: HTMLElement }} Chip */

export class MarksBar {
  #bar = byId("log-marks");
  #menu = byId("log-mark-menu");
  #form = /** @type {HTMLFormElement} */ (byId("log-mark-form"));
  #field = /** @type {HTMLInputElement} */ (byId("log-mark-text"));
  #regex = byId("log-mark-regex");
  #error = byId("log-mark-error");
  /** @type {Map<number, Chip>} */
  #chips = new Map();
  /** By entry, as it was drawn last, the marks that are in it. @type {WeakMap<Entry, { key: string, ids: Set<number> }>} */
  #known = new WeakMap();
  #version = 0;

  marks = new Marks();

  /** @param {View} view the log that they are shown in */
  constructor(view) {
    this.view = view;
    this.marks.addEventListener("change", () => {
      this.#draw();
      view.rows.repaint();
      view.schedule();
    });
    this.#menu.addEventListener("beforetoggle", (event) => {
      if (/** @type {ToggleEvent} */ (event).newState !== "open") return;
      this.#error.hidden = true;
      const words = this.#selected || view.feed.filter.q;
      if (words) this.#field.value = words;
    });
    this.#menu.addEventListener("toggle", (event) => {
      if (/** @type {ToggleEvent} */ (event).newState === "open") this.#field.select();
    });
    this.#regex.addEventListener("click", () => {
      setAttribute(this.#regex, "aria-pressed", String(!this.#isRegex));
      this.#field.focus();
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit();
    });
    /** @type {HTMLButtonElement} */ (this.#form.querySelector("[type=submit]")).disabled = false;
    // Without them the log is as good: the next page asks again.
    afterPaint(() => void this.marks.load().catch(() => {}));
  }

  /** What is selected within one line of the log. */
  get #selected() {
    const selection = getSelection();
    const inside = selection?.anchorNode && this.view.scroller.contains(selection.anchorNode);
    const text = inside ? selection.toString().trim() : "";
    return text.includes("\n") || text.length > MARK_TEXT ? "" : text;
  }

  /** To the next mark where some were chosen, else to the next match. @param {1 | -1} direction */
  next(direction) {
    if (this.marks.chosen.length) this.view.cursor.nextMark(this.marks, direction);
    else this.view.cursor.nextMatch(direction);
  }

  get #isRegex() {
    return this.#regex.getAttribute("aria-pressed") === "true";
  }

  async #submit() {
    const text = this.#field.value;
    if (!text.trim()) return this.#field.focus();
    try {
      await this.marks.add(text, this.#isRegex);
      this.#field.value = "";
      this.#menu.hidePopover();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setText(this.#error, sentence(error));
      this.#error.hidden = false;
      this.#field.focus();
    }
  }

  /** By key: what is selected is marked at once, else it is asked for. */
  mark() {
    const selected = this.#selected;
    if (!selected) return this.#menu.showPopover();
    void this.#try(this.marks.add(selected, false));
  }

  /** @param {Promise<unknown>} work */
  async #try(work) {
    try {
      await work;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      toast(sentence(error));
    }
  }

  #draw() {
    this.#version++;
    const { list } = this.marks;
    const gone = new Set(this.#chips.keys());
    const elements = list.map((mark) => {
      gone.delete(mark.id);
      let chip = this.#chips.get(mark.id);
      if (!chip) this.#chips.set(mark.id, (chip = this.#chip(mark)));
      chip.element.dataset.hue = String(mark.hue);
      setAttribute(chip.toggle, "aria-pressed", String(mark.chosen));
      return chip.element;
    });
    for (const id of gone) this.#chips.delete(id);
    setChildren(this.#bar, elements);
    this.#bar.hidden = !list.length;
  }

  /** @param {Mark} mark @returns {Chip} */
  #chip({ id, text, regex }) {
    const short = text.length > SHOWN ? `${text.slice(0, SHOWN - 1)}…` : text;
    const count = h("span", { class: "mark-count" });
    const toggle = h(
      "button",
      {
        class: "mark-words",
        type: "button",
        title: `${text}\n${t("Whether n and N stop at it")}`,
        onclick: () => {
          const chosen = toggle.getAttribute("aria-pressed") !== "true";
          void this.#try(this.marks.change(id, { chosen }));
        },
      },
      h("span", { class: regex ? "cut mono" : "cut" }, short),
      count,
    );
    const colour = h("button", {
      class: "mark-colour",
      type: "button",
      "aria-label": t("Another colour for {text}", { text: short }),
      title: t("Another colour"),
      onclick: () => {
        const hue = this.marks.list.find((one) => one.id === id)?.hue ?? 1;
        void this.#try(this.marks.change(id, { hue: (hue % HUES) + 1 }));
      },
    });
    const remove = h(
      "button",
      {
        class: "mark-remove",
        type: "button",
        "aria-label": t("Do not mark {text} any more", { text: short }),
        title: t("Remove the mark"),
        onclick: () => void this.#try(this.marks.remove(id)),
      },
      icon("close"),
    );
    return { element: h("span", { class: "mark-chip" }, colour, toggle, remove), toggle, count };
  }

  /** How many rows in sight have each. */
  count() {
    if (!this.#chips.size) return;
    const { feed, rows } = this.view;
    const seen = feed.model.entries.slice(rows.firstSeen, rows.lastSeen + 1);
    /** @type {Map<number, number>} */
    const counts = new Map();
    for (const entry of seen) {
      for (const id of this.#marksOf(entry)) counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    for (const [id, { count }] of this.#chips) {
      const n = counts.get(id) ?? 0;
      setText(count, formatNumber(n));
      count.title = tn("in {n} row in sight", "in {n} rows in sight", n);
    }
  }

  /** @param {Entry} entry */
  #marksOf(entry) {
    const key = `${this.#version} ${entry.more?.length ?? 0}`;
    const known = this.#known.get(entry);
    if (known?.key === key) return known.ids;
    const lines = entry.row ? [entry.row, ...(entry.more ?? [])].map((row) => row[4]) : [];
    const ids = new Set(
      this.marks.list.filter(({ id }) => this.marks.isIn(id, lines)).map(({ id }) => id),
    );
    this.#known.set(entry, { key, ids });
    return ids;
  }
}
