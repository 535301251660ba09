// What of a terminal's output is old: drawn again, or printed while nobody looked from this page. Its
// questions were answered long ago, and what it copies somebody may have had long ago.

const QUIET = 300; // ms without output, after which old output has been drawn

export class OldOutput {
  /** Whether what comes is drawn again. */
  again = false;
  /** Offset at which that ends, null where the server does not say it. @type {number | null} */
  #end = null;
  /** Offset up to which output was printed before this page looked. */
  #before = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #quiet;

  /** @param {() => boolean} allDrawn whether all that came has been drawn */
  constructor(allDrawn) {
    this.allDrawn = allDrawn;
  }

  /**
   * Output is drawn again, from an offset on.
   *
   * @param {number} offset
   * @param {number | undefined} end up to where it was printed before, as far as that is known
   */
  begin(offset, end) {
    this.#end = end ?? null;
    this.again = end === undefined || end > offset;
    this.came();
  }

  /** A connection has begun. @param {number} end up to where output was printed before */
  attached(end) {
    this.#before = end;
  }

  /** More of it came: without word of where it ends, it has when nothing more comes. */
  came() {
    clearTimeout(this.#quiet);
    if (!this.again || this.#end !== null) return;
    this.#quiet = setTimeout(() => {
      if (this.allDrawn()) this.again = false;
      else this.came();
    }, QUIET);
  }

  /** Somebody types here: that they see what is new is certain only where its end is not known. */
  typed() {
    if (this.#end === null) this.again = false;
  }

  /** @param {number} offset up to which all is drawn */
  drawn(offset) {
    if (this.#end !== null && offset >= this.#end) this.again = false;
  }

  /** Whether what is drawn next is printed while somebody looks. @param {number} drawn offset */
  isNew(drawn) {
    return drawn >= this.#before;
  }

  stop() {
    clearTimeout(this.#quiet);
  }
}
