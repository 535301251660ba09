// Folds stack traces: which lines belong to the one that a line before them began, in Java and Kotlin,
// Python, Go, Node.js, .NET, Ruby, Rust; and which of them say most. Pure.

import { stripAnsi } from "../lib/ansi.js";
import { toMs } from "./times.js";

/** @typedef {import("./entry.js").Entry} Entry */
/** @typedef {import("./entry.js").Row} Row */
/** @typedef {import("./levels.js").Level} Level */
// A frame, or another line that never stands alone, whatever came before.
const FRAME =
  /^(?:\s+at (?:async |new )?\S.*|\s*Caused by: .+|\s+Suppressed: .+|\s+\.\.\. \d+ (?:more|common frames omitted|lines matching).*|\s*--- End of (?:inner exception )?stack trace.*|\s*---> .+|\s+--- End of .+|Wrapped by: .+|\s+\[CIRCULAR REFERENCE.*|\s+from \S+:\d+:in .+)$/;

// What an exception calls itself, on the line after the log line that reports it.
const EXCEPTION =
  /^(?:Exception in thread ".*" )?(?:(?:[a-z_$][\w$]*\.)+[A-Z][\w$]*|[A-Z]\w*(?:Error|Exception|Interrupt|Exit|Warning))(?:: .*|$| \[.*\]:?.*)/;

const PY_START =
  /^(?:\s*[|+\-] ?)*\s*(?:Traceback \(most recent call last\):|Stack \(most recent call last\):)/;
const PY_BETWEEN =
  /^(?:During handling of the above exception|The above exception was the direct cause)/;
const PY_LAST = /^\s*(?:\w+\.)*\w+(?::.*)?$|^\s*\+?-+\s*$/;
const GO_START =
  /^(?:panic: |fatal error: |goroutine \d+ \[|runtime: |SIGSEGV: |http: panic serving)/;
const GO_LINE =
  /^(?:\t.*|\s{4,}.*|goroutine \d+ .*|created by .*|\[signal .*|panic\(.*|exit status \d+|rax? .*|[\w./*()[\]·{}$%~-]+\(.*\)|\.\.\.additional frames elided.*|r\w+\s+0x[0-9a-f]+|main\..*|)$/;
const NODE_START = /^(?:\/|file:\/\/|node:|[A-Za-z]:\\)\S*:\d+$/;
const RUST_START = /^(?:thread '.*' panicked at |stack backtrace:)/;
const RUST_LINE =
  /^(?:\s+\d+: .*|\s+at .*|stack backtrace:|note: .*|called .*|\s+left: .*|\s+right: .*)$/;

const CLOSE_MS = 1500; // frames come at once; what comes later is something else
const LINES_AT_MOST = 1000;

/** @typedef {"" | "java" | "python" | "python-last" | "go" | "node" | "node-after" | "rust"} Phase */

/** Watches one stream of one container. */
export class TraceWatcher {
  /** @type {Phase} */
  #phase = "";
  #at = 0; // ms of the last line
  #lines = 0;
  #braces = false; // inside the `{ … }` that Node prints after the frames of an error
  #headBad = false;
  #any = false; // whether there was a line before at all

  /**
   * Whether this line belongs to the entry that the last line which did not belong began.
   * @param {string} text without escape sequences
   * @param {number} ms when it was written
   * @param {boolean} bad whether the line says of itself that it is an error or a warning
   * @returns {boolean}
   */
  feed(text, ms, bad) {
    const near = this.#any && Math.abs(ms - this.#at) <= CLOSE_MS && this.#lines < LINES_AT_MOST;
    this.#at = ms;
    this.#any = true;
    if (near && this.#joins(text)) {
      this.#lines++;
      return true;
    }
    this.#begin(text, bad);
    return false;
  }

  /** Whether an entry is open that the next line may belong to. */
  get inTrace() {
    return this.#phase !== "";
  }

  /**
   * @param {string} text
   * @param {boolean} bad
   */
  #begin(text, bad) {
    this.#lines = 1;
    this.#braces = false;
    this.#headBad = bad || EXCEPTION.test(text);
    this.#phase = PY_START.test(text)
      ? "python"
      : GO_START.test(text)
        ? "go"
        : NODE_START.test(text)
          ? "node"
          : RUST_START.test(text)
            ? "rust"
            : "";
  }

  /** @param {string} text */
  #joins(text) {
    switch (this.#phase) {
      case "python":
        return this.#python(text);
      case "python-last":
        return this.#afterPython(text);
      case "go":
        return GO_LINE.test(text) || (this.#lines < 3 && GO_START.test(text));
      case "rust":
        return RUST_LINE.test(text) || this.#lines === 1;
      case "node":
        return this.#node(text);
      case "node-after":
        return this.#afterNode(text);
      default:
        return this.#plain(text);
    }
  }

  /** @param {string} text */
  #plain(text) {
    const first = text.charCodeAt(0);
    // Nearly every line: it starts with what no frame starts with.
    if (PY_START.test(text)) {
      if (this.#lines > 1 || !this.#headBad) return false;
      this.#phase = "python";
      return true;
    }
    if (FRAME.test(text)) {
      this.#phase = "java";
      this.#braces = text.endsWith("{");
      return true;
    }
    if (this.#phase === "java") {
      if (this.#braces || text === "}") {
        if (text === "}" || text === "},") this.#braces = false;
        return text === "}" || text === "" || first === 32 || first === 9;
      }
      // A message of several lines: "Caused by: …" goes on until the next frame.
      return first === 9 && text.trim() !== "";
    }
    return this.#lines === 1 && this.#headBad && EXCEPTION.test(text);
  }

  /** @param {string} text */
  #python(text) {
    if (text === "" || /^\s/.test(text) || PY_START.test(text)) return true;
    if (/^[|+]/.test(text)) return true;
    if (!PY_LAST.test(text) && !EXCEPTION.test(text)) return false;
    this.#phase = "python-last";
    return true;
  }

  /** @param {string} text */
  #afterPython(text) {
    if (text === "" || PY_BETWEEN.test(text)) return true;
    if (!PY_START.test(text)) return false;
    this.#phase = "python";
    return true;
  }

  /** @param {string} text */
  #node(text) {
    if (FRAME.test(text)) {
      this.#phase = "node-after";
      this.#braces = text.endsWith("{");
      return true;
    }
    return this.#lines < 12;
  }

  /** @param {string} text */
  #afterNode(text) {
    if (this.#braces) {
      if (/^\}/.test(text)) this.#braces = false;
      return true;
    }
    if (FRAME.test(text)) {
      this.#braces = text.endsWith("{");
      return true;
    }
    return text === "" || text === "}" || /^Node\.js v\d/.test(text);
  }
}

/**
 * The lines of a trace that say most: its first, and each that names a cause.
 * @param {string} text
 */
export function isCause(text) {
  return (
    /^\s*(?:Caused by: |---> |Suppressed: |During handling of|The above exception|Wrapped by: )/.test(
      text,
    ) ||
    (/^\S/.test(text) && EXCEPTION.test(text))
  );
}

/** Knows, for each stream of each container, the entry that is open. */
export class TraceFolding {
  /** @type {Map<string, { watcher: TraceWatcher, head: Entry | null }>} */
  #streams = new Map();

  /**
   * @param {Row} row
   * @param {Level | null} level
   * @returns {{ watcher: TraceWatcher, head: Entry | null, joins: boolean }}
   */
  feed(row, level) {
    const key = row[2] + row[3];
    let stream = this.#streams.get(key);
    if (!stream) this.#streams.set(key, (stream = { watcher: new TraceWatcher(), head: null }));
    const text = row[4].length > 2000 ? row[4].slice(0, 2000) : row[4];
    const bad = level === "error" || level === "warning";
    const joins = stream.watcher.feed(stripAnsi(text), toMs(row[1]), bad) && stream.head !== null;
    return { ...stream, joins };
  }

  /**
   * @param {Row} row
   * @param {Entry} head
   */
  begin(row, head) {
    const stream = this.#streams.get(row[2] + row[3]);
    if (stream) stream.head = head;
  }

  /** Streams that have an entry open. */
  get keys() {
    return [...this.#streams.keys()];
  }
}

/**
 * The line of a folded trace that says most beside its first: the last cause, or in Python the
 * error itself.
 * @param {Row[]} more
 */
export function causeOf(more) {
  for (let i = more.length - 1; i >= 0; i--) {
    const text = more[i][4];
    if (/^\s*(?:Caused by: |---> )|^[\w.]+(?:Error|Exception|Interrupt|Exit|Warning)\b/.test(text))
      return text;
  }
  return null;
}
