// Folds stack traces: knows, for each stream of each container, the entry that is open. Pure.

import { stripAnsi } from "../lib/ansi.js";
import { toMs } from "./times.js";
import { TraceWatcher } from "./traces.js";

/** @typedef {import("./entry.js").Entry} Entry */
/** @typedef {import("./entry.js").Row} Row */
/** @typedef {import("./levels.js").Level} Level */

export class Folder {
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
