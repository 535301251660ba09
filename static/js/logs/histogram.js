// How often over time: a bar for each bin, which grow while it is counted. A bar leads to its time, and
// several that are marked, by dragging or with Shift and the arrows, to theirs. What happened stands
// above the bar of its time.

import { h, setAttribute, setText } from "../lib/dom.js";
import { formatNumber, t, tn } from "../lib/i18n.js";
import { HistogramSight } from "./histogram_sight.js";

/**
 * What a bar stands for: of `count` so many errors and warnings, null where nobody knows.
 * @typedef {{ count: number, errors: number | null, warnings: number | null }} Bar
 */
/** What happened in the time of a bar. @typedef {{ sign: string, tone: import("./events.js").Tone, words: string }} Mark */
/** Bars of `width` ms from `start` (ms since 1970) on. @typedef {{ start: number, width: number, bins: number }} Axis */
/**
 * Its elements: the bars, where it begins and ends, what says what is marked, and what is on the screen.
 * @typedef {{ box: HTMLElement, from: HTMLElement, to: HTMLElement, said: HTMLElement,
 *   seen?: HTMLElement }} Parts
 */
/**
 * What follows, in ms since 1970, `until` exclusive: `go` of a bar that is pressed, `choose` of several;
 * `words` says how many lines or entries, `utc` whether times are read in UTC.
 * @typedef {{
 *   go: (since: number, until: number) => void, choose: (since: number, until: number) => void,
 *   words?: (bar: Bar) => string, utc?: () => boolean,
 * }} Hands
 */

const LEAST = 4; // per cent of the height, so that one of many can be seen
const SHOWN = 6; // words of what happened in a bar's time

/** @type {Bar} */
const NONE = { count: 0, errors: null, warnings: null };

/** @param {Bar} bar */
const lines = ({ count }) => tn("{n} line", "{n} lines", count, { n: formatNumber(count) });

export class Histogram {
  /** @type {HTMLElement[]} */
  #elements = [];
  /** @type {Bar[]} */
  #bars = [];
  /** By the bar. @type {Map<number, Mark[]>} */
  #marks = new Map();
  #most = 0;
  #start = 0; // milliseconds since 1970
  #width = 1; // milliseconds
  #at = -1; // the bar that the keys are at
  /** From which bar to which is marked, in either order. @type {[number, number] | null} */
  #marked = null;
  #dragging = false;
  #format = new Intl.DateTimeFormat();
  #finer = this.#format; // to the second
  #sight;

  /** @param {Parts} parts @param {Hands} hands */
  constructor({ box, from, to, said, seen }, { go, choose, words = lines, utc = () => false }) {
    this.box = box;
    this.from = from;
    this.to = to;
    this.said = said;
    this.go = go;
    this.choose = choose;
    this.words = words;
    this.utc = utc;
    this.#sight = new HistogramSight(seen);
    box.addEventListener("click", (event) => {
      const at = this.#elementAt(event.target);
      if (this.#marked && event.detail === 0) this.#chooseMarked();
      else if (at >= 0 && this.#leads(at)) this.go(this.#timeOf(at), this.#timeOf(at + 1));
    });
    box.addEventListener("pointerdown", (event) => this.#onPointer(event));
    box.addEventListener("focusout", () => {
      if (!this.#dragging) this.#mark(null);
    });
    box.addEventListener("keydown", (event) => this.#onKey(event));
    box.addEventListener("focusin", (event) => {
      const at = this.#elementAt(event.target);
      if (at >= 0) this.#moveTo(at, false);
    });
    // What a bar says is written when somebody comes to it.
    for (const name of ["pointerover", "focusin"]) {
      box.addEventListener(name, (event) => {
        const at = this.#elementAt(event.target);
        if (at >= 0) this.#say(at);
      });
    }
  }

  clear() {
    this.box.replaceChildren();
    this.box.hidden = this.from.hidden = this.to.hidden = true;
    this.#elements = [];
    this.#bars = [];
    this.#marks.clear();
    this.#most = 0;
    this.#at = -1;
    this.#mark(null);
    if (this.#sight.said) setText(this.#sight.said, "");
  }

  /** @param {Axis} axis */
  begin({ start, width, bins }) {
    const focused = this.box.contains(document.activeElement) ? this.#timeOf(this.#at) : null;
    this.clear();
    this.#start = start;
    this.#width = width;
    this.#format = this.#formatOf(width);
    this.#finer = this.#formatOf(1);
    this.box.append(this.#sight.element);
    this.#grow(bins);
    setText(this.from, this.#word(start));
    this.box.hidden = this.from.hidden = this.to.hidden = false;
    // Whose keys were at a bar are at the one of its time.
    const at = focused === null ? -1 : Math.floor((focused - start) / width);
    if (this.#bars[at]) this.#moveTo(at, true);
  }

  /** @param {number} width ms that are told apart */
  #formatOf(width) {
    return new Intl.DateTimeFormat(document.documentElement.lang || undefined, {
      month: "short",
      day: "numeric",
      ...(width >= 86_400_000 ? {} : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
      ...(width < 60_000 ? { second: "2-digit" } : {}),
      ...(this.utc() ? { timeZone: "UTC" } : {}),
    });
  }

  /** Shows where in it the reader is. @param {import("./histogram_sight.js").Seen | null} seen */
  see(seen) {
    const { length } = this.#bars;
    this.#sight.seen = seen;
    if (!length) return;
    const axis = { start: this.#start, width: this.#width, bins: length };
    this.#sight.show(seen, axis, this.#finer);
    setText(this.to, seen?.live ? t("now") : this.#word(this.#timeOf(length)));
  }

  /** @param {number} bins how many there are now */
  #grow(bins) {
    const more = [];
    for (let at = this.#bars.length; at < bins; at++) {
      const element = h("button", { class: "time-bar", type: "button", tabindex: "-1" });
      element.append(h("span", { class: "time-bar-fill" }));
      setAttribute(element, "aria-disabled", "true");
      this.#elements.push(element);
      this.#bars.push(NONE);
      this.#say(at);
      more.push(element);
    }
    this.box.append(...more);
    this.see(this.#sight.seen);
  }

  /**
   * The bars that changed; those behind the last one are new.
   * @param {[number, Bar][]} bars
   */
  count(bars) {
    if (!bars.length) return;
    const last = Math.max(...bars.map(([at]) => at));
    if (last >= this.#bars.length) this.#grow(last + 1);
    for (const [at, bar] of bars) this.#bars[at] = bar;
    const most = Math.max(1, ...this.#bars.map((bar) => bar.count));
    const all = most !== this.#most;
    this.#most = most;
    for (const at of all ? this.#bars.keys() : bars.map(([number]) => number)) this.#draw(at);
    for (const [at, { count }] of bars) {
      setAttribute(this.#elements[at], "aria-disabled", this.#leads(at) ? null : "true");
      this.#say(at);
      if (count && this.#at < 0) this.#moveTo(at, false);
    }
    if (this.#marked) this.#mark(this.#marked);
  }

  /** @param {number} at */
  #draw(at) {
    const { count, errors, warnings } = this.#bars[at];
    const { style } = this.#elements[at];
    const share = (/** @type {number | null} */ part) =>
      `${count && part ? Math.max(2, (100 * part) / count).toFixed(1) : 0}%`;
    const height = count ? Math.max(LEAST, Math.round((100 * count) / this.#most)) : 0;
    style.setProperty("--share", `${height}%`);
    style.setProperty("--errors", share(errors));
    style.setProperty("--warnings", share(warnings));
  }

  /**
   * What happened, by the bar in whose time it did.
   * @param {Map<number, Mark[]>} marks
   */
  mark(marks) {
    const before = this.#marks;
    this.#marks = marks;
    for (const at of new Set([...before.keys(), ...marks.keys()])) {
      const element = this.#elements[at];
      if (!element) continue;
      element.querySelector(".time-bar-mark")?.remove();
      const worst = worstOf(marks.get(at) ?? []);
      if (worst) {
        const sign = h("span", { class: "time-bar-mark", "aria-hidden": "true" }, worst.sign);
        sign.dataset.tone = worst.tone;
        element.prepend(sign);
      }
      setAttribute(element, "aria-disabled", this.#leads(at) ? null : "true");
      this.#say(at);
      if (worst && this.#at < 0) this.#moveTo(at, false);
    }
  }

  /**
   * From which moment on it is counted; before it nobody has looked.
   * @param {number} since milliseconds since 1970; -Infinity: all of it is
   */
  countedFrom(since) {
    const first = Math.floor((since - this.#start) / this.#width);
    this.#elements.forEach((element, at) => {
      element.classList.toggle("time-bar-unknown", at < first);
    });
  }

  /** Whether a bar leads anywhere. @param {number} at */
  #leads(at) {
    return this.#bars[at].count > 0 || this.#marks.has(at);
  }

  /** @param {EventTarget | null} target */
  #elementAt(target) {
    const bar = target instanceof Element ? target.closest("button") : null;
    return bar ? this.#elements.indexOf(bar) : -1;
  }

  /** @param {number} at */
  #say(at) {
    const words = [`${this.#span(at, at)}: ${this.words(this.#bars[at])}`];
    if (this.#sight.has(this.#timeOf(at), this.#timeOf(at + 1))) words.push(t("In sight"));
    const marks = this.#marks.get(at) ?? [];
    words.push(...marks.slice(0, SHOWN).map((one) => `${one.sign} ${one.words}`));
    const left = marks.length - SHOWN;
    if (left > 0) words.push(tn("And {n} more.", "And {n} more.", left));
    const said = words.join("\n");
    setAttribute(this.#elements[at], "aria-label", said);
    setAttribute(this.#elements[at], "title", said);
  }

  /** From when to when some bars are. @param {number} from @param {number} to */
  #span(from, to) {
    return t("{from} to {to}", {
      from: this.#word(this.#timeOf(from)),
      to: this.#word(this.#timeOf(to + 1)),
    });
  }

  /** @param {number} at */
  #timeOf(at) {
    return this.#start + at * this.#width;
  }

  /** @param {number} ms */
  #word(ms) {
    return this.#format.format(ms);
  }

  /** @param {PointerEvent} event */
  #onPointer(event) {
    if (event.button || !event.isPrimary) return;
    const at = this.#barAt(event.clientX);
    if (at < 0) return;
    this.#dragging = true;
    this.#mark(null);
    const end = new AbortController();
    const { signal } = end;
    const over = (/** @type {boolean} */ chosen) => {
      end.abort();
      this.#dragging = false;
      if (chosen && this.#marked) this.#chooseMarked();
      else this.#mark(null);
    };
    const move = (/** @type {PointerEvent} */ now) => {
      const to = this.#barAt(now.clientX);
      if (to !== at || this.#marked) this.#mark([at, to]);
    };
    addEventListener("pointermove", move, { signal });
    addEventListener("pointerup", () => over(true), { signal });
    // The browser scrolls instead.
    addEventListener("pointercancel", () => over(false), { signal });
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
    event.stopPropagation();
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
    if (!marked && !this.#marked) return;
    this.#marked = marked;
    const [from, to] = marked ? [Math.min(...marked), Math.max(...marked)] : [0, -1];
    this.#elements.forEach((bar, at) => {
      bar.classList.toggle("time-bar-marked", at >= from && at <= to);
    });
    if (!marked) return setText(this.said, "");
    const count = this.#bars.slice(from, to + 1).reduce((sum, one) => sum + one.count, 0);
    setText(this.said, `${this.#span(from, to)}: ${this.words({ ...NONE, count })}`);
  }

  #chooseMarked() {
    const marked = /** @type {[number, number]} */ (this.#marked);
    this.#mark(null);
    const [from, to] = [Math.min(...marked), Math.max(...marked)];
    this.choose(this.#timeOf(from), this.#timeOf(to + 1));
  }

  /** The next bar that leads anywhere. @param {number} from @param {1 | -1} step */
  #next(from, step) {
    for (let at = from + step; at >= 0 && at < this.#bars.length; at += step) {
      if (this.#leads(at)) return at;
    }
    return -1;
  }

  /** @param {number} at @param {boolean} focus */
  #moveTo(at, focus) {
    if (this.#at >= 0) this.#elements[this.#at].tabIndex = -1;
    this.#at = at;
    this.#elements[at].tabIndex = 0;
    if (focus) this.#elements[at].focus();
  }
}

const TONES = ["info", "ok", "warning", "error"];

/** @param {Mark[]} marks */
function worstOf(marks) {
  return marks.toSorted((a, b) => TONES.indexOf(b.tone) - TONES.indexOf(a.tone))[0] ?? null;
}
