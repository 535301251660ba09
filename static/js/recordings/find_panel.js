// Finding in a recording: a field, and a list of the places where it was printed.

import { byId, h, setAttribute, setText } from "../lib/dom.js";
import { formatNumber, t } from "../lib/i18n.js";
import { redraw } from "../lib/redraw.js";
import { formatPosition } from "./timeline.js";
import { excerpt, search } from "./transcript.js";

/** @typedef {import("./transcript.js").Hit} Hit */
/** @typedef {import("./recording.js").Recording} Recording */

const TYPED = 200; // ms after the last key before what was typed is looked for
const ROWS = 200; // hits that are listed at once; more as one goes through them

export class FindPanel {
  #panel = byId("replay-find");
  #field = /** @type {HTMLInputElement} */ (byId("replay-query"));
  #found = byId("replay-found");
  #list = byId("replay-hits");
  #button = byId("replay-search");
  /** @type {Hit[]} */
  #hits = [];
  #at = -1;
  #run = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {Recording} recording
   * @param {(hit: Hit, query: string) => void} go
   * @param {() => number} now the moment that is shown
   * @param {(typing: boolean) => void} changed the reader looks for something else
   */
  constructor(recording, go, now, changed) {
    this.recording = recording;
    this.go = go;
    this.now = now;
    this.changed = changed;
    this.#button.addEventListener("click", () => (this.open ? this.close() : this.show()));
    this.#field.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => {
        this.changed(true);
        void this.look();
      }, TYPED);
    });
    this.#field.addEventListener("keydown", (event) => this.#onKey(event));
    this.#list.addEventListener("click", (event) => {
      const row = /** @type {Element} */ (event.target).closest("button");
      if (row) this.#choose(Number(row.dataset.hit));
    });
  }

  get open() {
    return !this.#panel.hidden;
  }

  /** What is looked for. */
  get query() {
    return this.#field.value;
  }

  show() {
    if (!this.open) {
      this.#open(true);
      this.changed(false);
    }
    this.#field.focus();
    this.#field.select();
  }

  close() {
    if (!this.open) return;
    this.#open(false);
    this.changed(false);
  }

  /** As an address has it. @param {string | null} query null: it is closed */
  restore(query) {
    this.#open(query !== null);
    if (query === null || query === this.#field.value) return;
    this.#field.value = query;
    void this.look();
  }

  /** @param {boolean} open */
  #open(open) {
    const inside = this.#panel.contains(document.activeElement);
    this.#panel.hidden = !open;
    setAttribute(this.#button, "aria-expanded", String(open));
    if (inside && !open) this.#button.focus();
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.isComposing) return;
    if (event.key === "Enter") {
      event.preventDefault();
      clearTimeout(this.#timer);
      void this.#next(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape") {
      event.preventDefault();
      this.close();
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      this.#list.querySelector("button")?.focus();
    }
  }

  /** @param {1 | -1} step */
  async #next(step) {
    if (this.#asked !== this.#field.value) await this.look();
    this.step(step);
  }

  #asked = "";

  /** Looks for what is in the field. More of the recording may have come. */
  async look() {
    const mine = ++this.#run;
    const query = this.#field.value;
    this.#asked = query;
    this.#hits = [];
    this.#at = -1;
    if (!query) {
      setText(this.#found, "");
      return this.#draw();
    }
    const pause = () => /** @type {Promise<void>} */ (new Promise((done) => setTimeout(done)));
    for await (const { hits, done, more } of search(this.recording, query, pause)) {
      if (mine !== this.#run) return;
      this.#hits = hits;
      this.#count(done, more);
      this.#draw();
    }
  }

  /**
   * @param {number} done
   * @param {boolean} more
   */
  #count(done, more) {
    const n = formatNumber(this.#hits.length);
    if (done < 1) setText(this.#found, t("{n} places, looking on", { n }));
    else if (!this.#hits.length) setText(this.#found, t("It was not printed."));
    else if (more) setText(this.#found, t("The first {n} places", { n }));
    else setText(this.#found, t("{n} places", { n }));
  }

  #draw() {
    const from = Math.max(0, Math.min(this.#at - ROWS / 2, this.#hits.length - ROWS));
    const hours = this.recording.duration >= 3600;
    const rows = this.#hits.slice(from, from + ROWS).map((hit, i) => {
      const index = from + i;
      const [before, found, after] = excerpt(hit);
      return h(
        "li",
        { dataset: { key: index } },
        h(
          "button",
          {
            class: "replay-hit",
            type: "button",
            dataset: { hit: index },
            "aria-current": index === this.#at && "true",
          },
          h("span", { class: "mono muted" }, formatPosition(hit.time, hours)),
          h(
            "code",
            { class: "replay-excerpt" },
            h("span", null, h("span", null, before)),
            h("mark", null, found),
            h("span", null, after),
          ),
        ),
      );
    });
    redraw(this.#list, rows);
  }

  /** @param {number} index */
  #choose(index) {
    const hit = this.#hits[index];
    if (!hit) return;
    const focused = this.#list.contains(document.activeElement);
    this.#at = index;
    this.#draw();
    const row = this.#list.querySelector("[aria-current]");
    if (row instanceof HTMLElement) {
      row.scrollIntoView({ block: "nearest" });
      if (focused) row.focus({ preventScroll: true });
    }
    const at = formatNumber(index + 1);
    setText(this.#found, t("{at} of {all}", { at, all: formatNumber(this.#hits.length) }));
    this.go(hit, this.#asked);
  }

  /**
   * To the next place, from the one that is chosen, else from the moment that is shown.
   * @param {1 | -1} step
   */
  step(step) {
    const all = this.#hits;
    if (!all.length) return void (this.open || this.show());
    if (this.#at >= 0) return this.#choose((this.#at + step + all.length) % all.length);
    const now = this.now();
    const next = all.findIndex((hit) => hit.time > now);
    const at = step > 0 ? next : (next < 0 ? all.length : next) - 1;
    this.#choose(at < 0 ? (step > 0 ? 0 : all.length - 1) : at);
  }
}
