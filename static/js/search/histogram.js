// How often over time: a bar for each bin, which grow while it is searched. A bar leads to its time, and
// several that are marked, by dragging or with Shift and the arrows, to theirs.

import { h, setAttribute, setText } from "../lib/dom.js";
import { formatNumber, t, tn } from "../lib/i18n.js";
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
  /** From which bar to which is marked, in either order. @type {[number, number] | null} */
  #marked = null;
  #dragging = false;

  /**
   * @param {HTMLElement} box
   * @param {HTMLElement} from says where it begins
   * @param {HTMLElement} to and where it ends
   * @param {HTMLElement} said says what is marked
   * @param {(since: number, until: number) => void} choose milliseconds since 1970, `until` exclusive
   */
  constructor(box, from, to, said, choose) {
    this.box = box;
    this.from = from;
    this.to = to;
    this.said = said;
    this.choose = choose;
    box.addEventListener("click", (event) => {
      const bar = /** @type {Element} */ (event.target).closest("button");
      const at = bar ? this.#bars.indexOf(bar) : -1;
      if (this.#marked && event.detail === 0) this.#chooseMarked();
      else if (at >= 0 && this.#counts[at]) this.#go(at);
    });
    box.addEventListener("pointerdown", (event) => {
      if (event.button || !event.isPrimary) return;
      const at = this.#barAt(event.clientX);
      if (at < 0) return;
      this.#dragging = true;
      this.#mark(null);
      const move = (/** @type {PointerEvent} */ now) => {
        const to = this.#barAt(now.clientX);
        if (to !== at || this.#marked) this.#mark([at, to]);
      };
      const end = new AbortController();
      const { signal } = end;
      addEventListener("pointermove", move, { signal });
      addEventListener(
        "pointerup",
        () => {
          end.abort();
          this.#dragging = false;
          if (this.#marked) this.#chooseMarked();
        },
        { signal },
      );
      // The browser scrolls instead.
      addEventListener(
        "pointercancel",
        () => {
          end.abort();
          this.#dragging = false;
          this.#mark(null);
        },
        { signal },
      );
    });
    box.addEventListener("focusout", () => {
      if (!this.#dragging) this.#mark(null);
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
    this.#mark(null);
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
    if (event.key === "Escape" && this.#marked) {
      event.preventDefault();
      event.stopPropagation();
      return this.#mark(null);
    }
    const last = this.#bars.length - 1;
    const to = {
      ArrowLeft: this.#next(this.#at, -1),
      ArrowRight: this.#next(this.#at, 1),
      Home: this.#next(-1, 1),
      End: this.#next(last + 1, -1),
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (to < 0) return;
    const marked = this.#marked;
    const from = marked ? marked[0] : this.#at;
    this.#moveTo(to, true);
    this.#mark(event.shiftKey ? [from, to] : null);
  }

  /** @param {number} x px @returns {number} the bar there, the nearest beside them; -1: there are none */
  #barAt(x) {
    const { left, width } = this.box.getBoundingClientRect();
    const { length } = this.#bars;
    if (!length || !width) return -1;
    return Math.max(0, Math.min(length - 1, Math.floor(((x - left) / width) * length)));
  }

  /** @param {[number, number] | null} marked */
  #mark(marked) {
    this.#marked = marked;
    const [from, to] = marked ? [Math.min(...marked), Math.max(...marked)] : [0, -1];
    this.#bars.forEach((bar, at) => {
      bar.classList.toggle("search-bar-marked", at >= from && at <= to);
    });
    if (!marked) return setText(this.said, "");
    const count = this.#counts.slice(from, to + 1).reduce((sum, one) => sum + one, 0);
    const when = t("{from} to {to}", {
      from: this.#word(this.#start + from * this.#width),
      to: this.#word(this.#start + (to + 1) * this.#width),
    });
    const lines = tn("{n} line", "{n} lines", count, { n: formatNumber(count) });
    setText(this.said, `${when}: ${lines}`);
  }

  #chooseMarked() {
    const marked = /** @type {[number, number]} */ (this.#marked);
    this.#mark(null);
    this.#go(Math.min(...marked), Math.max(...marked));
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

  /** @param {number} from @param {number} [to] */
  #go(from, to = from) {
    this.choose(this.#start + from * this.#width, this.#start + (to + 1) * this.#width);
  }
}
