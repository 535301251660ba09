// For which sizes of the screen a terminal's output was printed: each piece of it is drawn in its own,
// however long ago that was and whatever the window is now.

/** @typedef {[offset: number, columns: number, rows: number]} SizeFrom */

export class OutputSizes {
  /** Those that are to come, by offset. @type {SizeFrom[]} */
  #next = [];

  /** @param {(columns: number, rows: number) => void} resize what is drawn after it */
  constructor(resize) {
    this.resize = resize;
  }

  /**
   * Output comes from somewhere else.
   *
   * @param {SizeFrom[]} [sizes] that it was printed for
   * @param {number} [offset] from which it comes, if that is next
   */
  begin(sizes = [], offset = -1) {
    this.#next = [...sizes];
    this.reach(offset);
  }

  /**
   * @param {number} offset from which on it is this size
   * @param {number} columns
   * @param {number} rows
   * @param {number} reached from where on output comes next
   */
  from(offset, columns, rows, reached) {
    this.#next = this.#next.filter(([from]) => from < offset);
    this.#next.push([offset, columns, rows]);
    this.reach(reached);
  }

  /** What comes next is from here. @param {number} offset */
  reach(offset) {
    while (this.#next.length && this.#next[0][0] <= offset) {
      const [, columns, rows] = /** @type {SizeFrom} */ (this.#next.shift());
      // Of several with nothing between them the last one.
      if (!this.#next.length || this.#next[0][0] > offset) this.resize(columns, rows);
    }
  }

  /**
   * @param {Uint8Array} bytes
   * @param {number} begin their offset
   * @param {(piece: Uint8Array, end: number) => void} draw
   */
  draw(bytes, begin, draw) {
    const end = begin + bytes.length;
    for (let from = begin; from < end;) {
      this.reach(from);
      const to = Math.min(end, this.#next[0]?.[0] ?? Infinity);
      draw(bytes.subarray(from - begin, to - begin), to);
      from = to;
    }
    this.reach(end);
  }
}
