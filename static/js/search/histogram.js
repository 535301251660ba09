// How often over time: a bar for each bin, which grow while it is searched. A bar leads to its time.

import { h, setAttribute, setText } from "../lib/dom.js";
import { t, tn } from "../lib/i18n.js";
import { toMs } from "../logs/times.js";

/** @typedef {import("../logs/search_stream.js").Range} Range */

export class Histogram {
  /** @type {HTMLElement[]} */
  #bars = [];
  /** @type {number[]} */
  #counts = [];
  #most = 0;
  #start = 0; // milliseconds since 1970
  #width = 1; // milliseconds
  #at = -1; // the bar that the keys are at

  /**
   * @param {HTMLElement} box
   * @param {HTMLElement} from says where it begins
   * @param {HTMLElement} to and where it ends
   * @param {(since: number, until: number) => void} choose milliseconds since 1970, `until` exclusive
   */
  constructor(box, from, to, choose) {
    this.box = box;
    this.from = from;
    this.to = to;
    this.choose = choose;
    box.addEventListener("click", (event) => {
      const bar = /** @type {Element} */ (event.target).closest("button");
      const at = bar ? this.#bars.indexOf(bar) : -1;
      if (at >= 0 && this.#counts[at]) this.#go(at);
    });
    box.addEventListener("keydown", (event) => this.#onKey(event));
    box.addEventListener("focusin", (event) => {
      const at = this.#bars.indexOf(/** @type {HTMLElement} */ (event.target));
      if (at >= 0) this.#moveTo(at, false);
    });
  }

  clear() {
    this.box.replaceChildren();
    this.box.hidden = this.from.hidden = this.to.hidden = true;
    this.#bars = [];
    this.#counts = [];
    this.#most = 0;
    this.#at = -1;
  }

  /** @param {Range} range */
  begin({ start, width, bins }) {
    this.clear();
    this.#start = toMs(start);
    this.#width = width * 1000;
    this.#counts = new Array(bins).fill(0);
    this.#bars = this.#counts.map((_, at) => {
      const bar = h("button", { class: "search-bar", type: "button", tabindex: "-1" });
      bar.append(h("span", { class: "search-bar-fill" }));
      this.#say(bar, at, 0);
      return bar;
    });
    this.box.replaceChildren(...this.#bars);
    setText(this.from, this.#word(this.#start));
    setText(this.to, this.#word(this.#start + bins * this.#width));
    this.box.hidden = this.from.hidden = this.to.hidden = false;
  }

  /** @param {[number, number][]} bins number and count */
  count(bins) {
    let most = this.#most;
    for (const [at, count] of bins) {
      this.#counts[at] = count;
      if (count > most) most = count;
    }
    const all = most > this.#most;
    this.#most = most;
    for (const at of all ? this.#counts.keys() : bins.map(([number]) => number)) {
      const bar = this.#bars[at];
      if (!bar) continue;
      const count = this.#counts[at];
      const share = count ? Math.max(4, Math.round((100 * count) / most)) : 0;
      bar.style.setProperty("--share", `${share}%`);
      this.#say(bar, at, count);
      if (count && this.#at < 0) this.#moveTo(at, false);
    }
  }

  /**
   * @param {HTMLElement} bar
   * @param {number} at
   * @param {number} count
   */
  #say(bar, at, count) {
    const since = this.#start + at * this.#width;
    const when = t("{from} to {to}", {
      from: this.#word(since),
      to: this.#word(since + this.#width),
    });
    const words = `${when}: ${tn("{n} line", "{n} lines", count)}`;
    setAttribute(bar, "aria-label", words);
    setAttribute(bar, "title", words);
    setAttribute(bar, "aria-disabled", count ? null : "true");
  }

  /** @param {number} ms */
  #word(ms) {
    const days = this.#width >= 86_400_000;
    const seconds = this.#width < 60_000;
    return new Date(ms).toLocaleString(document.documentElement.lang || undefined, {
      month: "short",
      day: "numeric",
      ...(days ? {} : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
      ...(seconds ? { second: "2-digit" } : {}),
    });
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const last = this.#bars.length - 1;
    const to = {
      ArrowLeft: this.#next(this.#at, -1),
      ArrowRight: this.#next(this.#at, 1),
      Home: this.#next(-1, 1),
      End: this.#next(last + 1, -1),
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (to >= 0) this.#moveTo(to, true);
  }

  /** The next bar with something in it. @param {number} from @param {1 | -1} step */
  #next(from, step) {
    for (let at = from + step; at >= 0 && at < this.#counts.length; at += step) {
      if (this.#counts[at]) return at;
    }
    return -1;
  }

  /** @param {number} at @param {boolean} focus */
  #moveTo(at, focus) {
    if (this.#at >= 0) this.#bars[this.#at].tabIndex = -1;
    this.#at = at;
    this.#bars[at].tabIndex = 0;
    if (focus) this.#bars[at].focus();
  }

  /** @param {number} at */
  #go(at) {
    const since = this.#start + at * this.#width;
    this.choose(since, since + this.#width);
  }
}
