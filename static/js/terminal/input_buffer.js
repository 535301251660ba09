// What was typed and pasted, on its way to the server: in order, once, and kept until the server
// says that it has it. Pure.

const encoder = new TextEncoder();
const OPEN = encoder.encode("\x1b[200~");
const CLOSE = encoder.encode("\x1b[201~");
const NOTHING = new Uint8Array();

const MESSAGE = 256 * 1024; // bytes of one message at most
const SLICE = 64 * 1024; // characters of a paste that are made ready at a time, 192 KiB at most
const UNCONFIRMED = 1024 * 1024; // bytes that may be on their way
// Control characters, but for tabs and line ends.
const CONTROLS = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;
const TYPED = 1024 * 1024; // bytes that wait while the server is away; beyond, keys are refused

/**
 * A paste, made ready piece by piece: a hundred megabytes are not turned into bytes at once.
 */
class Paste {
  at = 0;
  /** Somebody wants no more of it. */
  stopped = false;
  /** @type {"open" | "text" | "close" | "over"} */
  #stage = "open";
  /** What was made ready and did not fit in. */
  #left = NOTHING;

  /**
   * @param {string} text
   * @param {boolean} bracketed between brackets, as programs ask for it
   */
  constructor(text, bracketed) {
    this.text = text;
    this.bracketed = bracketed;
  }

  /**
   * The next bytes, whole characters; none when it is over or when not even one fits in.
   *
   * @param {number} most
   */
  next(most) {
    while (!this.#left.length && this.#stage !== "over") this.#left = this.#make();
    let cut = Math.min(most, this.#left.length);
    while (cut < this.#left.length && (this.#left[cut] & 0xc0) === 0x80) cut -= 1;
    const piece = this.#left.subarray(0, cut);
    this.#left = this.#left.subarray(cut);
    return piece;
  }

  get over() {
    return this.#stage === "over" && !this.#left.length;
  }

  /** Leaves out what has not gone yet. */
  cancel() {
    this.stopped = true;
    this.at = this.text.length;
    this.#left = NOTHING;
    // A bracket that was opened has to be closed, or the program waits for it for ever.
    this.#stage = this.#stage === "open" || !this.bracketed ? "over" : "close";
  }

  /** @returns {Uint8Array<ArrayBuffer>} */
  #make() {
    if (this.#stage === "open") {
      this.#stage = "text";
      if (this.bracketed) return OPEN;
    }
    if (this.#stage === "text" && this.at < this.text.length) return this.#slice();
    const first = this.#stage !== "over";
    this.#stage = "over";
    return first && this.bracketed ? CLOSE : NOTHING;
  }

  #slice() {
    const { text } = this;
    let end = Math.min(this.at + SLICE, text.length);
    // Neither between the halves of a character nor within a line end.
    if (end < text.length && /[\uD800-\uDBFF\r]/.test(text[end - 1])) end += 1;
    const slice = text.slice(this.at, end).replace(/\r?\n/g, "\r");
    this.at = end;
    // What is pasted cannot close the bracket itself and go on as if it were typed; and whatever the
    // brackets say, the terminal acts on ^C, ^Z, ^U and others, in the middle of a line that then runs.
    return encoder.encode(slice.replace(CONTROLS, picture));
  }
}

/** How a control character looks that is only to be seen. @param {string} control */
function picture(control) {
  const code = control.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? "\u2421" : "\ufffd";
}

export class InputBuffer {
  /** What was not made into messages yet. @type {(Uint8Array | Paste)[]} */
  #waiting = [];
  /** Bytes of what was typed and waits. */
  #typed = 0;
  /** What the server has not confirmed, from `#confirmed` on. @type {Uint8Array[]} */
  #kept = [];
  #confirmed = 0;
  /** Offset after the last byte of `#kept`. */
  #end = 0;
  /** Offset up to which this connection has been given it. */
  #sent = 0;
  #known = false;

  /** Bytes that were typed or pasted and that the server does not have, as far as is known. */
  get unconfirmed() {
    return this.#end - this.#confirmed + this.#typed;
  }

  /** How far the paste is that is on its way; null when there is none. @returns {{at: number, total: number} | null} characters */
  get pasting() {
    // Of one that was stopped nothing is left but perhaps a bracket, however long that waits.
    const paste = this.#waiting.find((one) => one instanceof Paste && !one.stopped);
    return paste instanceof Paste ? { at: paste.at, total: paste.text.length } : null;
  }

  /**
   * @param {Uint8Array} bytes
   * @returns {boolean} false when too much waits already
   */
  type(bytes) {
    if (this.#typed + bytes.length > TYPED) return false;
    this.#typed += bytes.length;
    this.#waiting.push(bytes);
    return true;
  }

  /**
   * @param {string} text
   * @param {boolean} bracketed
   */
  paste(text, bracketed) {
    this.#waiting.push(new Paste(text, bracketed));
  }

  /** Leaves out what has not gone yet of every paste. */
  cancelPaste() {
    for (const one of this.#waiting) if (one instanceof Paste) one.cancel();
    this.#waiting = this.#waiting.filter((one) => !(one instanceof Paste) || !one.over);
  }

  /**
   * A connection has begun, and the server says how much it has.
   *
   * @param {number} offset bytes
   */
  attached(offset) {
    if (!this.#known || offset < this.#confirmed || offset > this.#end) {
      // The first time, or the server counts anew: what is kept is what follows.
      const left = offset > this.#end && this.#known ? [] : this.#kept;
      this.#kept = left;
      this.#confirmed = offset;
      this.#end = offset + left.reduce((sum, piece) => sum + piece.length, 0);
      this.#known = true;
    } else {
      this.confirm(offset);
    }
    this.#sent = this.#confirmed;
  }

  /** @param {number} offset bytes that the server has */
  confirm(offset) {
    while (this.#kept.length && this.#confirmed < offset) {
      const piece = this.#kept[0];
      const gone = Math.min(piece.length, offset - this.#confirmed);
      this.#confirmed += gone;
      if (gone === piece.length) this.#kept.shift();
      else this.#kept[0] = piece.subarray(gone);
    }
    this.#sent = Math.max(this.#sent, this.#confirmed);
  }

  /** The next message for this connection; null while there is none or too much is unconfirmed. */
  next() {
    if (this.#sent < this.#end) return this.#again();
    const room = UNCONFIRMED - (this.#end - this.#confirmed);
    const piece = room > 0 ? this.#take(Math.min(MESSAGE, room)) : NOTHING;
    if (!piece.length) return null;
    this.#kept.push(piece);
    this.#end += piece.length;
    this.#sent = this.#end;
    return piece;
  }

  /** What an earlier connection may have lost. */
  #again() {
    let at = this.#confirmed;
    for (const piece of this.#kept) {
      if (this.#sent < at + piece.length) {
        const rest = piece.subarray(this.#sent - at);
        this.#sent = at + piece.length;
        return rest;
      }
      at += piece.length;
    }
    return null;
  }

  /** @param {number} most bytes */
  #take(most) {
    const pieces = [];
    let length = 0;
    while (this.#waiting.length && length < most) {
      const first = this.#waiting[0];
      let bytes;
      if (first instanceof Paste) {
        bytes = first.next(most - length);
        if (first.over) this.#waiting.shift();
        else if (!bytes.length) break;
      } else {
        bytes = first.subarray(0, most - length);
        this.#typed -= bytes.length;
        if (bytes.length < first.length) this.#waiting[0] = first.subarray(bytes.length);
        else this.#waiting.shift();
      }
      pieces.push(bytes);
      length += bytes.length;
    }
    return pieces.length === 1 ? pieces[0] : join(pieces, length);
  }
}

/**
 * @param {Uint8Array[]} pieces
 * @param {number} length
 */
function join(pieces, length) {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
