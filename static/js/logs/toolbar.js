// The tool bar: what is looked for, filters, settings of the view (kept in the reader's browser), a
// time to jump to. It shows the filter and says when the reader changes it; what follows from that is
// the page's.

import { byId, h, setText } from "../lib/dom.js";
import { formatTime, t } from "../lib/i18n.js";
import { redraw } from "../lib/redraw.js";
import { parseTime } from "./times.js";
import { recall, remember } from "../lib/storage.js";
import { levelWord } from "./levels.js";
import { makeSearch, WANTED } from "./filter.js";
import { literally } from "./text_search.js";
import { parse, written } from "./query/language.js";
import { TermBar } from "./term_bar.js";

/** @typedef {import("./filter.js").Filter} Filter */

const TYPED = 180; // ms after the last key before what was typed is looked for

/** @param {string} id */
const input = (id) => /** @type {HTMLInputElement} */ (byId(id));

/** Announces `filter` and `settings`. */
export class Toolbar extends EventTarget {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {Filter} filter
   * @param {ViewSettings} settings
   * @param {() => void} leave takes the keys to the rows
   */
  constructor(filter, settings, leave) {
    super();
    this.filter = filter;
    this.settings = settings;
    this.find = input("log-find");
    this.find.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.set({ q: this.find.value }, true), TYPED);
    });
    this.terms = new TermBar("log-terms", leave);
    this.terms.addEventListener("change", () => this.set({ terms: this.terms.terms }));
    byId("log-as-term").addEventListener("click", () => this.#takeFound());
    byId("log-filter").addEventListener("click", () => this.terms.focus());
    byId("log-regex").addEventListener("click", () => this.set({ regex: !this.filter.regex }));
    byId("log-case").addEventListener("click", () => this.set({ capitals: !this.filter.capitals }));
    byId("log-hide").addEventListener("click", () => this.set({ hide: !this.filter.hide }));
    byId("log-clear").addEventListener("click", () =>
      this.set({ q: "", terms: [], levels: [], container: "", stream: "" }),
    );
    byId("log-stream").addEventListener("change", (event) => {
      this.set({ stream: /** @type {HTMLSelectElement} */ (event.target).value });
    });
    byId("log-instance").addEventListener("change", (event) => {
      this.set({ container: /** @type {HTMLSelectElement} */ (event.target).value });
    });
    this.#levels();
    this.#view();
    this.show();
  }

  #levels() {
    const boxes = WANTED.map((level) => {
      const word = levelWord(level);
      const box = h("input", { type: "checkbox", name: "level", value: level });
      const label = h(
        "label",
        { class: "menu-item" },
        box,
        h("span", { class: "level-word" }, word),
      );
      label.dataset.level = level;
      return label;
    });
    const menu = byId("log-levels-menu");
    menu.append(...boxes);
    menu.addEventListener("change", () => {
      const on = [...menu.querySelectorAll("input:checked")].map(
        (box) => /** @type {HTMLInputElement} */ (box).value,
      );
      const levels = WANTED.filter((level) => on.includes(level));
      // All of them is no filter.
      this.set({ levels: levels.length === WANTED.length ? [] : levels });
    });
  }

  #view() {
    const menu = byId("log-view-menu");
    menu.addEventListener("change", (event) => {
      const box = /** @type {HTMLInputElement} */ (event.target);
      const name = /** @type {keyof ViewSettings} */ (box.name);
      this.settings = { ...this.settings, [name]: box.checked };
      this.dispatchEvent(new Event("settings"));
    });
    for (const [name, on] of Object.entries(this.settings)) {
      const box = menu.querySelector(`input[name="${name}"]`);
      if (box instanceof HTMLInputElement) box.checked = on;
    }
  }

  /** @param {keyof ViewSettings} name */
  toggleSetting(name) {
    const box = byId("log-view-menu").querySelector(`input[name="${name}"]`);
    if (box instanceof HTMLInputElement) box.click();
  }

  /** Looks for what is in the field now, without waiting for another key. */
  flush() {
    clearTimeout(this.#timer);
    if (this.find.value !== this.filter.q) this.set({ q: this.find.value });
  }

  /**
   * @param {Partial<Filter>} part
   * @param {boolean} [typing] more of it may come
   */
  set(part, typing = false) {
    // What was typed a moment ago counts too, whatever was pressed then.
    clearTimeout(this.#timer);
    this.filter = { ...this.filter, q: this.find.value, ...part };
    this.show();
    this.dispatchEvent(new CustomEvent("filter", { detail: { typing } }));
  }

  /** Another filter, which the reader has not set here. @param {Filter} filter */
  restore(filter) {
    clearTimeout(this.#timer);
    this.filter = filter;
    this.find.value = filter.q;
    this.show();
  }

  /** What is looked for becomes a term, or the terms that it is made of: others are not shown any more. */
  #takeFound() {
    const { value } = this.find;
    const { regex, capitals } = this.filter;
    if (!value.trim() || makeSearch(value, regex).error) return;
    let query = written(value);
    if (regex || capitals) {
      // A term does not tell them apart; in an expression that can be said.
      const source = (regex ? value : literally(value)).replace(/(?<!\\)\//g, "\\/");
      query = capitals ? `/(?-i:${source})/` : `/${source}/`;
    }
    try {
      // What has the marks of a term was meant as one.
      if (!regex && !capitals && parse(value).some((term) => term.kind !== "text" || term.negated))
        query = value;
    } catch {
      // Then it is text.
    }
    this.find.value = "";
    this.filter = { ...this.filter, q: "", regex: false, capitals: false };
    this.terms.add(query);
    this.terms.focus();
  }

  /** Shows the filter as it is. */
  show() {
    const { q, regex, capitals, hide, terms, levels, container, stream } = this.filter;
    this.terms.show(terms);
    if (this.find.value !== q && document.activeElement !== this.find) this.find.value = q;
    if (this.find.value !== q && !q) this.find.value = "";
    byId("log-as-term").hidden = !this.find.value;
    byId("log-regex").setAttribute("aria-pressed", String(regex));
    byId("log-case").setAttribute("aria-pressed", String(capitals));
    byId("log-hide").setAttribute("aria-pressed", String(hide));
    const words = levels.map(levelWord);
    setText(byId("log-levels-text"), words.length ? words.join(t(", ")) : t("All levels"));
    byId("log-levels").classList.toggle("tool-on", levels.length > 0);
    for (const box of byId("log-levels-menu").querySelectorAll("input")) {
      box.checked = levels.some((level) => level === box.value);
    }
    this.#select("log-stream", stream);
    this.#select("log-instance", container);
    byId("log-clear").hidden = !(q || terms.length || levels.length || container || stream);
  }

  /**
   * @param {string} id
   * @param {string} value
   */
  #select(id, value) {
    const select = /** @type {HTMLSelectElement} */ (byId(id));
    select.value = value;
    select.classList.toggle("tool-on", value !== "");
  }

  /** @param {{ id: string, name: string, gone: boolean }[]} instances */
  showInstances(instances) {
    const select = /** @type {HTMLSelectElement} */ (byId("log-instance"));
    const { container } = this.filter;
    const all =
      container && !instances.some((one) => one.id === container)
        ? [...instances, { id: container, name: container, gone: true }]
        : instances;
    select.hidden = all.length < 2 && !container;
    const options = [
      h("option", { value: "" }, t("All instances")),
      ...all.map((one) =>
        h(
          "option",
          { value: one.id },
          one.gone ? t("{name} (gone)", { name: one.name }) : one.name,
        ),
      ),
    ];
    redraw(select, options);
    if (select.value !== container) select.value = container;
  }
}

/**
 * @typedef {object} ViewSettings
 * @property {boolean} times
 * @property {boolean} dates
 * @property {boolean} utc instead of the reader's zone
 * @property {boolean} wrap
 * @property {boolean} json fold the fields of JSON lines
 * @property {boolean} traces fold stack traces
 * @property {boolean} events show what happened to containers
 * @property {boolean} repeats fold entries that follow each other and are the same but for their times
 * @property {boolean} alike those of one pattern, too
 * @property {boolean} nearby also where others stand between them
 */

/** @type {ViewSettings} */
const DEFAULTS = {
  times: true,
  dates: false,
  utc: false,
  wrap: false,
  json: true,
  traces: true,
  events: true,
  repeats: true,
  alike: false,
  nearby: false,
};

const KEY = "log-view";

/** @returns {ViewSettings} */
export function loadViewSettings() {
  const settings = { ...DEFAULTS };
  try {
    const kept = JSON.parse(recall(KEY) ?? "{}");
    for (const name of /** @type {(keyof ViewSettings)[]} */ (Object.keys(DEFAULTS))) {
      if (typeof kept[name] === "boolean") settings[name] = kept[name];
    }
  } catch {
    // Written by something else: the defaults do.
  }
  return settings;
}

/** @param {ViewSettings} settings */
export function saveViewSettings(settings) {
  remember(KEY, JSON.stringify(settings));
}

/**
 * @param {(ms: number) => void} go
 * @param {() => boolean} utc whether times are read in UTC, and so typed
 */
export function setUpJump(go, utc) {
  const menu = byId("log-jump-menu");
  const form = /** @type {HTMLFormElement} */ (byId("log-jump-form"));
  const field = /** @type {HTMLInputElement} */ (byId("log-jump-text"));
  const picker = /** @type {HTMLInputElement} */ (byId("log-jump-when"));
  const hint = byId("log-jump-hint");

  const show = () => {
    const ms = parseTime(field.value, Date.now(), utc());
    field.setAttribute("aria-invalid", String(field.value !== "" && ms === null));
    if (ms !== null) setText(hint, formatTime(ms, utc()));
    else if (field.value) setText(hint, t("Not a time that is understood here"));
    else setText(hint, t("Such as 14:03, 05-01 14:03, 10m ago"));
    return ms;
  };
  const leave = (/** @type {number} */ ms) => {
    menu.hidePopover();
    go(ms);
  };

  field.addEventListener("input", show);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const ms = show();
    if (ms !== null) leave(ms);
    else field.focus();
  });
  /** @type {HTMLButtonElement} */ (form.querySelector("[type=submit]")).disabled = false;
  picker.addEventListener("change", () => {
    const ms = new Date(picker.value).getTime();
    if (Number.isNaN(ms)) return;
    field.value = picker.value.replace("T", " ");
    show();
  });
  for (const button of menu.querySelectorAll("[data-ago]")) {
    const minutes = Number(/** @type {HTMLElement} */ (button).dataset.ago);
    button.addEventListener("click", () => leave(Date.now() - minutes * 60_000));
  }
  menu.addEventListener("toggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState !== "open") return;
    field.select();
    show();
  });
}
