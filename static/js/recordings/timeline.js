// Two clocks of a recording: the time it took, and the time it takes to watch, in which pauses
// are shortened; positions as a player shows them and as an address carries them. Pure.

/** @typedef {import("./recording.js").Recording} Recording */

/** A pause that is shortened: from and to in recorded seconds. @typedef {{from: number, to: number}} Pause */

export class Timeline {
  /** Seconds of silence that are watched; Infinity: all of it. */
  limit;
  /** @type {Pause[]} */
  pauses = [];
  /** Seconds saved by each pause and those before it. @type {number[]} */
  #saved = [];
  #seen = 0;
  #last = 0;

  /**
   * @param {Recording} recording
   * @param {number} limit
   */
  constructor(recording, limit) {
    this.recording = recording;
    this.limit = limit;
    this.extend();
  }

  /** Takes in the events that have come since. */
  extend() {
    const { times } = this.recording;
    for (; this.#seen < times.length; this.#seen++) this.#moment(times[this.#seen]);
    if (this.recording.complete) this.#moment(this.recording.duration);
  }

  /** @param {number} limit */
  setLimit(limit) {
    this.limit = limit;
    this.pauses = [];
    this.#saved = [];
    this.#seen = this.#last = 0;
    this.extend();
  }

  /** @param {number} time */
  #moment(time) {
    const from = this.#last;
    this.#last = Math.max(from, time);
    if (time - from <= this.limit) return;
    this.pauses.push({ from, to: time });
    this.#saved.push((this.#saved.at(-1) ?? 0) + time - from - this.limit);
  }

  /** How long it takes to watch what is known, in seconds. */
  get length() {
    return this.toShown(this.recording.duration);
  }

  /** Seconds that all pauses together are shortened by. */
  get saved() {
    return this.#saved.at(-1) ?? 0;
  }

  /**
   * The moment on the clock of the viewer at which a moment of the recording is shown. Within a
   * pause the viewer's clock runs for `limit` seconds and then waits for the pause to end.
   *
   * @param {number} time recorded seconds
   */
  toShown(time) {
    const index = this.#pausesBefore(time);
    const before = index ? this.#saved[index - 1] : 0;
    const pause = this.pauses[index];
    if (!pause || time <= pause.from) return time - before;
    return pause.from - before + Math.min(time - pause.from, this.limit);
  }

  /**
   * The other way: the end of a shortened pause is where it is skipped to.
   *
   * @param {number} shown seconds of the viewer
   */
  toReal(shown) {
    // The number of pauses that are over by then; each is over `limit` after it began.
    let low = 0;
    let high = this.pauses.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const before = middle ? this.#saved[middle - 1] : 0;
      if (this.pauses[middle].from - before + this.limit <= shown) low = middle + 1;
      else high = middle;
    }
    return shown + (low ? this.#saved[low - 1] : 0);
  }

  /**
   * The pause in which a moment lies, null when it is none that is shortened.
   *
   * @param {number} time recorded seconds
   */
  pauseAt(time) {
    const pause = this.pauses[this.#pausesBefore(time)];
    return pause && time > pause.from ? pause : null;
  }

  /** How many pauses are over. @param {number} time */
  #pausesBefore(time) {
    let low = 0;
    let high = this.pauses.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.pauses[middle].to <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * 3725 as 1:02:05. With `hours` also what is shorter, so that two of them line up.
 *
 * @param {number} seconds
 * @param {boolean} [hours]
 */
export function formatPosition(seconds, hours = false) {
  const all = Math.max(0, Math.floor(seconds));
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  return h || hours ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/**
 * The moment that an address names: `#t=12.5`, `#t=1:02:05`. Null when it names none.
 *
 * @param {string} hash
 */
export function readPosition(hash) {
  const found = /^#?t=([\d:.]{1,20})$/.exec(hash);
  if (!found) return null;
  const parts = found[1].split(":").map(Number);
  if (parts.length > 3 || parts.some((n) => !Number.isFinite(n))) return null;
  return parts.reduce((sum, n) => sum * 60 + n, 0);
}

/**
 * The part of an address that leads to a moment.
 *
 * @param {number} seconds
 */
export function positionHash(seconds) {
  // Up, and not down: what came at that moment is there.
  return `#t=${Math.max(0, Math.ceil(seconds * 100 - 1e-6) / 100)}`;
}
