// What was recorded of a terminal: what it printed and when, its sizes, its markers; and how it comes
// over the network: asciicast v2, one JSON value a line
// (https://docs.asciinema.org/manual/asciicast/v2/). Pure: bytes go in, events come out.

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

export class NotARecording extends Error {}

/** Reads a recording in pieces of any size. */
export class CastReader {
  recording = new Recording();
  #decoder = new TextDecoder();
  /** The line that has not ended yet. @type {string[]} */
  #begun = [];

  /**
   * @param {Uint8Array} bytes
   * @throws {NotARecording} when the first line is no header of version 2
   */
  push(bytes) {
    this.#lines(this.#decoder.decode(bytes, { stream: true }));
    this.recording.settle();
  }

  /**
   * Nothing more comes. A last line without an end is tried too: it may be whole.
   * @throws {NotARecording}
   */
  end() {
    this.#lines(this.#decoder.decode() + "\n");
    if (!this.recording.header) throw new NotARecording("it is empty");
    this.recording.settle();
    this.recording.complete = true;
  }

  /** @param {string} text */
  #lines(text) {
    const lines = text.split("\n");
    for (let i = 0; i < lines.length - 1; i++) {
      this.#begun.push(lines[i]);
      const line = this.#begun.length > 1 ? this.#begun.join("") : this.#begun[0];
      this.#begun = [];
      if (line.trim()) this.#line(line);
    }
    const last = lines[lines.length - 1];
    if (last) this.#begun.push(last);
  }

  /** @param {string} line */
  #line(line) {
    const { recording } = this;
    let value;
    try {
      value = JSON.parse(line);
    } catch {
      if (!recording.header) throw new NotARecording("its first line is not JSON");
      // The line that was being written when the machine went down.
      recording.damaged++;
      return;
    }
    if (!recording.header) {
      if (value?.version !== 2) throw new NotARecording("it is not asciicast version 2");
      recording.begin(value);
    } else if (isEvent(value)) recording.add(value[0], value[1], value[2]);
    else recording.damaged++;
  }
}

/**
 * @param {any} value
 * @returns {value is [number, string, string]}
 */
function isEvent(value) {
  return (
    Array.isArray(value) &&
    Number.isFinite(value[0]) &&
    typeof value[1] === "string" &&
    typeof value[2] === "string"
  );
}
