// How far a page has drawn what it was sent: the server is told often enough to go on sending, and not
// with every piece.

const WITHIN = 50; // ms

export class DrawnOffset {
  offset = 0;
  /** Bytes that may be on their way. */
  window = 256 * 1024;
  #told = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #soon;

  /** @param {(offset: number) => boolean} tell whether the server could be told */
  constructor(tell) {
    this.tell = tell;
  }

  /** @param {number} offset */
  begin(offset) {
    this.offset = this.#told = offset;
  }

  /** @param {number} offset */
  reach(offset) {
    this.offset = Math.max(this.offset, offset);
    if (this.offset - this.#told >= this.window / 4) this.#tell();
    else this.#soon ??= setTimeout(() => this.#tell(), WITHIN);
  }

  /** Nobody can be told now. */
  stop() {
    clearTimeout(this.#soon);
    this.#soon = undefined;
  }

  #tell() {
    this.stop();
    if (this.offset > this.#told && this.tell(this.offset)) this.#told = this.offset;
  }
}
