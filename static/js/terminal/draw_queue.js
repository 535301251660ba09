// What is on its way to xterm.js, in the order of calls: output, which it draws in its own time, and
// sizes, which it would take at once.

// Bytes that xterm.js is given at a time: after each it looks whether the page has waited for long.
const PIECE = 8 * 1024;

export class DrawQueue {
  /** Pieces that xterm.js has. */
  #drawing = 0;
  /** A size that waits until all before it is drawn, and what comes after it.
   *  @type {{run: () => void, size?: boolean}[]} */
  #later = [];

  /**
   * @param {import("./xterm.js").Terminal} terminal
   * @param {(columns: number, rows: number) => void} resize
   */
  constructor(terminal, resize) {
    this.terminal = terminal;
    this.resizeNow = resize;
  }

  /** What is not drawn yet. */
  get length() {
    return this.#drawing + this.#later.length;
  }

  /**
   * @param {string | Uint8Array} data UTF-8; a character may be cut in two between calls
   * @param {() => void} drawn called once it has been parsed
   */
  write(data, drawn) {
    if (this.#later.length) this.#later.push({ run: () => this.#write(data, drawn) });
    else this.#write(data, drawn);
  }

  /** @param {number} columns @param {number} rows */
  resize(columns, rows) {
    this.#later.push({ run: () => this.resizeNow(columns, rows), size: true });
    this.#goOn();
  }

  /** @param {string | Uint8Array} data @param {() => void} drawn */
  #write(data, drawn) {
    this.#drawing += 1;
    const done = () => {
      this.#drawing -= 1;
      drawn();
      this.#goOn();
    };
    // The timers of a page nobody sees are slowed down to one a minute, and xterm.js waits for
    // one: whoever left for another tab would slow down the build that they left running.
    const buffer = /** @type {any} */ (this.terminal)._core?._writeBuffer;
    if (document.hidden && typeof buffer?.writeSync === "function") {
      buffer.writeSync(data);
      done();
    } else {
      let at = 0;
      for (; data.length - at > PIECE; at += PIECE) this.terminal.write(part(data, at, at + PIECE));
      this.terminal.write(part(data, at, data.length), done);
    }
  }

  #goOn() {
    while (this.#later.length && !(this.#later[0].size && this.#drawing)) {
      this.#later.shift()?.run();
    }
  }
}

/**
 * @param {string | Uint8Array} data
 * @param {number} from
 * @param {number} to
 */
function part(data, from, to) {
  return typeof data === "string" ? data.slice(from, to) : data.subarray(from, to);
}
