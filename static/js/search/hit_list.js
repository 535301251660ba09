// What was found, in the order of finding: a heading a day, the columns that were chosen, the fields of
// what is in sight, and the way back to where the reader was.

import { h } from "../lib/dom.js";
import { AROUND } from "../logs/field_panel.js";
import { day, toMs } from "../logs/times.js";
import { drawHit } from "./hit_view.js";

/** @typedef {import("../logs/search_stream.js").Hit} Hit */
/** @typedef {import("../logs/entry.js").Row} Row */
/** What a hit is drawn with. @typedef {{ asked: import("./asked.js").Asked, search: import("../logs/filter.js").Search | null }} Look */
/** In the state of the page's place in the history. @typedef {{ app: string, seq: number, hits: number }} Place */

const HUES = 8; // as in lib/tokens.css
const BACK = 5_000; // hits that are found again at most, for a reader who comes back to one

export class HitList {
  /** @type {{ hit: Hit, link: HTMLElement }[]} */
  #hits = [];
  #lastDay = "";
  /** @type {Map<string, number>} */
  #hues = new Map();
  /** Where the reader was when the page was left. @type {Place | null} */
  #wanted;
  /** When those on the screen were logged: ms since 1970. @type {Map<Element, number>} */
  #seen = new Map();
  // What stays at the top of the page covers that much at least.
  #eye = new IntersectionObserver((changes) => this.#look(changes), {
    rootMargin: "-128px 0px 0px",
  });

  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} heads above it
   * @param {import("../logs/columns.js").Columns} columns
   * @param {(seen: import("../logs/histogram_sight.js").Seen | null) => void} see told of what is on the
   *   screen
   */
  constructor(list, heads, columns, see) {
    this.see = see;
    this.list = list;
    this.heads = heads;
    this.columns = columns;
    this.#wanted = history.state?.hit ?? null;
    columns.addEventListener("change", () => this.#drawColumns());
    list.addEventListener("focusin", (event) => this.#remember(event.target));
    columns.drawNames(heads);
  }

  clear() {
    this.list.replaceChildren();
    this.#hits = [];
    this.#lastDay = "";
    this.#eye.disconnect();
    this.#seen.clear();
    this.see(null);
  }

  /** @param {IntersectionObserverEntry[]} changes */
  #look(changes) {
    for (const { target, isIntersecting } of changes) {
      const time = target.querySelector(".hit-time")?.getAttribute("datetime");
      if (isIntersecting && time) this.#seen.set(target, toMs(time));
      else this.#seen.delete(target);
    }
    const times = [...this.#seen.values()];
    const [from, until] = [Math.min(...times), Math.max(...times)];
    this.see(times.length ? { from, until, live: false } : null);
  }

  /** @param {Hit[]} hits @param {Look} look */
  add(hits, { asked, search }) {
    for (const hit of hits) {
      const date = day(hit.line[1], false);
      if (date !== this.#lastDay) {
        this.list.append(h("li", { class: "search-day" }, (this.#lastDay = date)));
      }
      const item = drawHit(hit, asked, search, this.#hueOf(hit.app), this.columns);
      const link = /** @type {HTMLElement} */ (item.querySelector("a.hit-line"));
      this.#hits.push({ hit, link });
      this.list.append(item);
      this.#eye.observe(item);
    }
  }

  /** @param {string} app */
  #hueOf(app) {
    let hue = this.#hues.get(app);
    if (hue === undefined) this.#hues.set(app, (hue = (this.#hues.size % HUES) + 1));
    return hue;
  }

  #drawColumns() {
    this.columns.drawNames(this.heads);
    for (const { hit, link } of this.#hits) {
      link.querySelector(".hit-columns")?.replaceChildren(...this.columns.cells([hit.line]));
    }
  }

  /** The lines that were found around those in sight. @returns {Row[]} */
  rows() {
    let low = 0;
    let high = this.#hits.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#hits[middle].link.getBoundingClientRect().bottom < 0) low = middle + 1;
      else high = middle;
    }
    const from = Math.max(0, Math.min(low - AROUND / 2, this.#hits.length - AROUND));
    return this.#hits.slice(from, from + AROUND).map(({ hit }) => hit.line);
  }

  // Who went to a line and comes back is at the same hit again

  /** @param {EventTarget | null} target */
  #remember(target) {
    const at = this.#hits.findIndex(({ link }) => link === target);
    if (at < 0) return;
    const { app, line } = this.#hits[at].hit;
    /** @type {Place} */
    const hit = { app, seq: line[0], hits: at + 1 };
    history.replaceState({ ...history.state, hit }, "");
  }

  /** The reader asks for something else. */
  forget() {
    this.#wanted = null;
  }

  /**
   * Goes to the hit that the reader left the page from, once it is found again.
   * @returns {boolean} whether it is further on
   */
  comeBack() {
    const wanted = this.#wanted;
    if (!wanted) return false;
    const { app, seq } = wanted;
    const found = this.#hits.find(({ hit }) => hit.app === app && hit.line[0] === seq);
    // Newer ones may have come in front of it.
    if (!found && this.#hits.length < Math.min(BACK, wanted.hits + AROUND)) return true;
    this.#wanted = null;
    found?.link.focus({ preventScroll: true });
    found?.link.scrollIntoView({ block: "center" });
    return false;
  }
}
