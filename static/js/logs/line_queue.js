// Lines that have come and are not yet in the window. Bounded: when the page cannot keep up, the
// oldest of them become a gap, which can be loaded from the store later. Pure.

/** @typedef {import("./log_model.js").Row} Row */
/** @typedef {import("./log_model.js").Gap} Gap */

export const QUEUE_AT_MOST = 20_000; // lines
const RECENT_AT_MOST = 3_000; // lines

export class LineQueue {
  /** Lines waiting. */
  count = 0;

  /** @type {(Row[] | Gap)[]} */
  #parts = [];

  /** @param {Row[]} rows */
  push(rows) {
    if (!rows.length) return;
    this.#parts.push(rows);
    this.count += rows.length;
    if (this.count > QUEUE_AT_MOST) this.#drop();
  }

  /** @param {Gap} gap */
  pushGap(gap) {
    this.#parts.push(gap);
  }

  /** The older half goes: dropping a little each time would be a gap in every frame. */
  #drop() {
    let from = Infinity;
    let to = 0;
    while (this.count > QUEUE_AT_MOST / 2) {
      const part = /** @type {Row[] | Gap} */ (this.#parts.shift());
      if (Array.isArray(part)) {
        this.count -= part.length;
        from = Math.min(from, part[0][0]);
        to = part[part.length - 1][0];
      } else {
        from = Math.min(from, part.from);
        to = part.to;
      }
    }
    this.#parts.unshift({ from, to, reason: "slow" });
  }

  /**
   * The next lines, at most so many, or a gap, or null.
   * @param {number} atMost
   * @returns {Row[] | Gap | null}
   */
  take(atMost) {
    const part = this.#parts[0];
    if (part === undefined) return null;
    if (!Array.isArray(part) || part.length <= atMost) {
      this.#parts.shift();
      if (Array.isArray(part)) this.count -= part.length;
      return part;
    }
    this.#parts[0] = part.slice(atMost);
    this.count -= atMost;
    return part.slice(0, atMost);
  }

  clear() {
    this.#parts = [];
    this.count = 0;
  }
}

/** The newest lines, kept to go back to the end at once and to close the seam with history. */
export class RecentLines {
  /** @type {Row[]} */
  rows = [];
  /** Every line from here to `last` is in `rows`. */
  from = 1;
  last = 0;

  /** @param {Row[]} rows */
  push(rows) {
    if (!this.rows.length) this.from = this.last ? this.last + 1 : rows[0][0];
    for (const row of rows) this.rows.push(row);
    this.last = rows[rows.length - 1][0];
    if (this.rows.length > RECENT_AT_MOST * 2) {
      this.rows = this.rows.slice(-RECENT_AT_MOST);
      this.from = this.rows[0][0];
    }
  }

  /**
   * Its lines that are here.
   * @param {import("./extents.js").Extent} extent
   */
  of([first, last, , container, stream]) {
    const found = [];
    for (let i = this.rows.length - 1; i >= 0 && this.rows[i][0] >= first; i--) {
      const row = this.rows[i];
      if (row[0] <= last && row[2] === container && row[3] === stream) found.push(row);
    }
    return found.reverse();
  }

  /**
   * Lines up to here will not come.
   * @param {number} to
   */
  skip(to) {
    this.rows = [];
    this.last = Math.max(this.last, to);
    this.from = this.last + 1;
  }

  /** @param {number} first lines before this one are no more */
  forget(first) {
    this.rows = this.rows.filter((row) => row[0] >= first);
    this.from = Math.max(this.from, first);
  }

  /** @param {number} last the log starts over after this seq */
  restart(last) {
    this.rows = [];
    this.last = last;
    this.from = last + 1;
  }
}
