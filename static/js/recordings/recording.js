// What was recorded of a terminal: what it printed and when, its sizes, its markers. Pure.

/**
 * @typedef {{version: 2, width: number, height: number, timestamp?: number, title?: string,
 *   command?: string, env?: Record<string, string>}} Header
 * @typedef {{time: number, label: string}} Marker
 * @typedef {{columns: number, rows: number}} Size
 */

const TOGETHER = 0.01; // s: what was printed within it is one event: nobody sees it come in parts
const PIECE = 65_536; // characters of one event; more would freeze a page that draws it

const SIZES = { columns: 1000, rows: 500 };

/** Events by index; `times` in seconds since the start, never falling. */
export class Recording {
  /** @type {Header | null} */
  header = null;
  /** @type {number[]} */
  times = [];
  /** @type {("o" | "r")[]} output, a new size */
  kinds = [];
  /** @type {string[]} */
  data = [];
  /** Characters of output before and in each event: how far a seek has to read. @type {number[]} */
  ends = [];
  /** @type {Marker[]} */
  markers = [];
  /** Lines that are no events: of a recording that was cut. */
  damaged = 0;
  complete = false;
  /** The end of what is known so far, in seconds. */
  duration = 0;
  /** @type {Size} */
  size = { columns: 80, rows: 24 };

  /** @type {string[]} */
  #parts = [];
  #length = 0;
  #since = 0;

  get count() {
    return this.times.length;
  }

  /** Characters of all output. */
  get length() {
    return this.ends.at(-1) ?? 0;
  }

  /** @param {Header} header */
  begin(header) {
    this.header = header;
    this.size = sizeOf(`${header.width}x${header.height}`) ?? this.size;
  }

  /**
   * @param {number} time
   * @param {string} kind
   * @param {string} data
   */
  add(time, kind, data) {
    // A clock that was set back would make time run backwards.
    const at = Math.max(this.duration, time);
    this.duration = at;
    if (kind === "o") this.#print(at, data);
    else if (kind === "r") {
      if (!sizeOf(data)) return void this.damaged++;
      this.settle();
      this.#event(at, "r", data);
    } else if (kind === "m") this.markers.push({ time: at, label: data });
  }

  /**
   * @param {number} time
   * @param {string} text
   */
  #print(time, text) {
    const apart = time - this.#since > TOGETHER;
    if (this.#length && (apart || this.#length + text.length > PIECE)) this.settle();
    if (!this.#length) this.#since = time;
    this.#parts.push(text);
    this.#length += text.length;
    while (this.#length > PIECE) this.#cut();
  }

  /** Gives up the first PIECE of a text that is longer. */
  #cut() {
    const text = this.#parts.join("");
    this.#event(this.#since, "o", text.slice(0, PIECE));
    this.#parts = [text.slice(PIECE)];
    this.#length = text.length - PIECE;
  }

  /** Makes an event of what has been printed last: it can be played. */
  settle() {
    if (!this.#length) return;
    this.#event(this.#since, "o", this.#parts.join(""));
    this.#parts = [];
    this.#length = 0;
  }

  /**
   * @param {number} time
   * @param {"o" | "r"} kind
   * @param {string} data
   */
  #event(time, kind, data) {
    this.ends.push(this.length + (kind === "o" ? data.length : 0));
    this.times.push(time);
    this.kinds.push(kind);
    this.data.push(data);
  }

  /**
   * How many events have happened at a time.
   * @param {number} time
   */
  indexAt(time) {
    let low = 0;
    let high = this.times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.times[middle] <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * The size in the data of an `r` event, null when it names none.
 *
 * @param {string} text "120x40"
 * @returns {Size | null}
 */
export function sizeOf(text) {
  const found = /^(\d{1,5})x(\d{1,5})$/.exec(text.trim());
  if (!found) return null;
  const [columns, rows] = [Number(found[1]), Number(found[2])];
  if (columns < 1 || rows < 1) return null;
  return { columns: Math.min(columns, SIZES.columns), rows: Math.min(rows, SIZES.rows) };
}
