// Where numbers of one stretch of time come from: what each such source has.

import { edges, isLive } from "./time_span.js";

/** @typedef {import("./columns.js").Kept} Kept */
/** @typedef {import("./time_span.js").TimeSpan} TimeSpan */
/** What cannot be measured, of which instance ("": of the app), and why. @typedef {{ name: string, container: string, why: string }} Why */

/**
 * Announces `data` when there is something new to draw, `names` when other metrics are there, and
 * `state` when what is said beside the charts has changed.
 */
export class SpanSource extends EventTarget {
  /** Of the app, also those that are on no chart that is seen. @type {Map<string, string>} units by name */
  names = new Map();
  /** @type {Why[]} */
  notMeasured = [];
  /** Why the newest numbers of every app may be missing. @type {string | null} */
  trouble = null;
  /** @type {import("../lib/api.js").Problem | null} */
  problem = null;

  #skew; // seconds that the server's clock is ahead

  /**
   * @param {string} app
   * @param {TimeSpan} span
   * @param {number} now the server's clock when the page was drawn, in ms
   */
  constructor(app, span, now) {
    super();
    this.app = app;
    this.span = span;
    // What the page took to come is in it as well: half a second, where a point is of ten.
    this.#skew = (now - Date.now()) / 1000;
    if (Math.abs(this.#skew) < 2) this.#skew = 0;
  }

  /** Seconds since 1970, by the server's clock. */
  get now() {
    return Date.now() / 1000 + this.#skew;
  }

  get isLive() {
    return isLive(this.span);
  }

  /** From when to when is shown. @returns {[number, number]} */
  get edges() {
    return edges(this.span, this.now);
  }

  /** @param {TimeSpan} span */
  setSpan(span) {
    this.span = span;
  }

  /**
   * Somebody sees these metrics now.
   *
   * @param {object} _who
   * @param {string[]} _names
   * @param {number} _points that it has room for
   */
  want(_who, _names, _points) {}

  /** @param {object} _who */
  leave(_who) {}

  /** What is known of these metrics. @param {string[]} _names @returns {Kept[]} */
  series(_names) {
    return [];
  }

  /** Whether these have been answered for what is looked at now. @param {string[]} _names */
  knows(_names) {
    return false;
  }
}
