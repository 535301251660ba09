// Where in a histogram the reader is: a frame over the time of what is on the screen, and in words.

import { h, setText } from "../lib/dom.js";
import { t } from "../lib/i18n.js";

/**
 * From when until when what is on the screen is, in ms since 1970; `live`: it goes on with what comes.
 * @typedef {{ from: number, until: number, live: boolean }} Seen
 */

export class HistogramSight {
  element = h("span", { class: "time-sight", "aria-hidden": "true" });
  /** @type {Seen | null} */
  seen = null;

  /** @param {HTMLElement | undefined} said where it stands in words, if anywhere */
  constructor(said) {
    this.said = said;
  }

  /**
   * @param {Seen | null} seen null: nothing is
   * @param {import("./histogram.js").Axis} axis
   * @param {Intl.DateTimeFormat} format of its times
   */
  show(seen, { start, width, bins }, format) {
    const within = (/** @type {number} */ ms) =>
      Math.max(0, Math.min(1, (ms - start) / (bins * width)));
    this.seen = seen && (seen.live || seen.until >= start) ? seen : null;
    this.element.hidden = !this.seen;
    if (!this.seen) {
      if (this.said) setText(this.said, "");
      return;
    }
    const { from, until, live } = this.seen;
    const [left, right] = [within(from), live ? 1 : within(until)];
    const { style, classList } = this.element;
    style.setProperty("--from", `${(100 * left).toFixed(2)}%`);
    style.setProperty("--wide", `${(100 * (right - left)).toFixed(2)}%`);
    classList.toggle("time-sight-live", live);
    if (!this.said) return;
    const words = live
      ? t("In sight: {from} to now", { from: format.format(from) })
      : t("In sight: {time}", { time: format.formatRange(from, until) });
    setText(this.said, words);
  }

  /** Whether something of this time is. @param {number} since @param {number} until exclusive */
  has(since, until) {
    const { seen } = this;
    return seen !== null && seen.from < until && (seen.live || seen.until >= since);
  }
}
