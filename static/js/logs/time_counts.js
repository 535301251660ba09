// How much there is over time: what the server counted, and what has come live since. Pure.

/** @typedef {import("./histogram.js").Bar} Bar */
/** @typedef {import("./levels.js").Level} Level */
/** As the server tells it: number of a bin, count, errors, warnings. @typedef {[number, number, number | null, number | null]} TimeBin */

const BARS = 150; // at most; then several bins are one
const BINS = 3_000; // at most: then it is asked for anew, in wider ones
const AHEAD = 3_600_000; // ms that a clock may be ahead
const TOGETHER = [1, 2, 5, 10, 20, 30, 60]; // bins in one bar

export class TimeCounts {
  start = 0; // ms since 1970
  width = 1_000; // ms
  #bins = 0;
  /** @type {Bar[]} */
  #counted = [];
  /** Of what came live, whatever is counted. @type {(Bar | undefined)[]} */
  #live = [];
  /** By its minute, as it stands in the times of lines: ms since 1970. @type {Map<string, number>} */
  #minutes = new Map();
  /** Bins that changed since the bars were asked for. @type {Set<number>} */
  #changed = new Set();
  #together = 1;

  /** @param {{ start: number, width: number, bins: number }} axis in ms */
  begin({ start, width, bins }) {
    this.start = start;
    this.width = width;
    this.#bins = bins;
    this.#counted = [];
    this.#live = [];
    this.#changed.clear();
    this.#together = 0;
  }

  /** What the server counted by now. @param {TimeBin[]} bins */
  set(bins) {
    for (const [at, count, errors, warnings] of bins) {
      this.#counted[at] = { count, errors, warnings };
      this.#changed.add(at);
    }
  }

  /**
   * One that came live.
   * @param {string} time of its line
   * @param {Level | null} level
   * @param {number} now ms since 1970
   * @param {number} [lines] as many as it counts for
   * @returns {boolean} false where it is to be asked for anew
   */
  add(time, level, now, lines = 1) {
    const ms = Math.min(this.#toMs(time), now + AHEAD);
    if (Number.isNaN(ms)) return true;
    const at = Math.max(0, Math.floor((ms - this.start) / this.width));
    if (at >= BINS) return false;
    this.#bins = Math.max(this.#bins, at + 1);
    const bar = (this.#live[at] ??= { count: 0, errors: 0, warnings: 0 });
    bar.count += lines;
    if (level === "error") bar.errors = (bar.errors ?? 0) + 1;
    if (level === "warning") bar.warnings = (bar.warnings ?? 0) + 1;
    this.#changed.add(at);
    return true;
  }

  /** Whole seconds are enough, and a minute is read once. @param {string} time */
  #toMs(time) {
    const minute = time.slice(0, 17);
    let begins = this.#minutes.get(minute);
    if (begins === undefined) {
      begins = Date.parse(`${minute}00Z`);
      if (this.#minutes.size > 1_000) this.#minutes.clear();
      this.#minutes.set(minute, begins);
    }
    return begins + Number(time.slice(17, 19)) * 1_000;
  }

  /** How many bars there are, and from when on how long each is. @returns {import("./histogram.js").Axis} */
  get axis() {
    const together = TOGETHER.find((n) => this.#bins / n <= BARS) ?? 60;
    const width = this.width * together;
    return { start: this.start, width, bins: Math.ceil(this.#bins / together) };
  }

  /** All bars are asked for anew. */
  again() {
    this.#together = 0;
  }

  /**
   * The bars that changed since this was asked last, all of them where they are wider than they were.
   * @returns {{ anew: boolean, bars: [number, Bar][] }}
   */
  bars() {
    const { width, bins } = this.axis;
    const together = width / this.width;
    const anew = together !== this.#together;
    this.#together = together;
    const changed = anew
      ? Array.from({ length: bins }, (_, at) => at)
      : [...new Set([...this.#changed].map((at) => Math.floor(at / together)))].sort(
          (a, b) => a - b,
        );
    this.#changed.clear();
    return { anew, bars: changed.map((at) => [at, this.#bar(at * together, together)]) };
  }

  /** @param {number} from @param {number} together @returns {Bar} */
  #bar(from, together) {
    /** @type {Bar} */
    const sum = { count: 0, errors: null, warnings: null };
    for (let at = from; at < from + together; at++) {
      for (const one of [this.#counted[at], this.#live[at]]) {
        if (!one) continue;
        sum.count += one.count;
        if (one.errors !== null) sum.errors = (sum.errors ?? 0) + one.errors;
        if (one.warnings !== null) sum.warnings = (sum.warnings ?? 0) + one.warnings;
      }
    }
    return sum;
  }
}
