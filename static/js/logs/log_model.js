// The window of the log that is in memory: entries in order, bounded, growing and trimmed at both
// ends. An entry is a line, a stack trace folded into its first line, an event, or a gap. Pure.

import { chars, count, entry, lastSeq } from "./entry.js";
import { TraceFolding } from "./trace_folding.js";
import { levelOf } from "./levels.js";

/** @typedef {import("../live/channels.js").Row} Row */
/** @typedef {import("./levels.js").Level} Level */
/** @typedef {import("./entry.js").LogEvent} LogEvent */
/** @typedef {import("./entry.js").Gap} Gap */
/** @typedef {import("./entry.js").Entry} Entry */

export const ENTRIES_AT_MOST = 30_000;
const CHARS_AT_MOST = 24 * 1024 * 1024; // a window of huge lines holds fewer of them
const TRIM_STEP = 2_000; // trimmed in steps, so that most appends move nothing
const START_LATE = 2_000; // ms that the word of a start may come after its first lines
const SEAM = 300; // entries looked at for a trace that a page of history ends in

export class LogModel {
  /** @type {Entry[]} */
  entries = [];
  /** Every seq from `lo` to `hi` is here, or does not pass the filter. */
  lo = 1;
  hi = 0;
  /** The first line that is kept is here. */
  atStart = false;
  /** Whether lines that follow one another may be folded: not when lines between them are hidden. */
  folding = true;
  /** @type {(text: string) => boolean} */
  isHit = () => false;
  /** Lines in the window. */
  lines = 0;

  #traces = new TraceFolding();
  #chars = 0;
  /** @type {Set<number>} ids of events that have an entry */
  #placed = new Set();

  /**
   * Empties the window; the next append or prepend begins at `hi + 1` or ends at `lo - 1`.
   * @param {number} lo
   * @param {boolean} [atStart]
   */
  reset(lo, atStart = false) {
    this.entries = [];
    this.lo = lo;
    this.hi = lo - 1;
    this.atStart = atStart;
    this.#traces = new TraceFolding();
    this.#chars = this.lines = 0;
    this.#placed.clear();
  }

  /**
   * @param {Row[]} rows oldest first
   * @param {Entry[]} into
   * @param {TraceFolding} traces
   */
  #fold(rows, into, traces) {
    for (const row of rows) {
      this.#chars += row[4].length;
      this.lines++;
      const marker = row[3] === "marker";
      const level = marker ? null : levelOf(row[4]);
      if (this.folding && !marker) {
        const { head, joins } = traces.feed(row, level);
        if (joins && head) {
          this.#join(head, row);
          continue;
        }
      }
      const e = entry({ kind: marker ? "marker" : "line", seq: row[0], time: row[1], row, level });
      e.hit = this.isHit(row[4]);
      if (this.folding && !marker) traces.begin(row, e);
      into.push(e);
    }
  }

  /**
   * @param {Entry} head
   * @param {Row} row
   */
  #join(head, row) {
    (head.more ??= []).push(row);
    head.level ??= "error";
    head.hit ||= this.isHit(row[4]);
    head.version++;
    head.height = 0;
  }

  /**
   * @param {Row[]} rows
   * @param {number} hi every line up to here is now known
   */
  append(rows, hi) {
    if (rows.length) this.#liftEvents();
    this.#fold(rows, this.entries, this.#traces);
    this.hi = Math.max(this.hi, hi);
  }

  /**
   * @param {Row[]} rows
   * @param {number} lo every line from here on is now known
   * @param {boolean} atStart
   */
  prepend(rows, lo, atStart) {
    /** @type {Entry[]} */
    const older = [];
    const traces = new TraceFolding();
    this.#fold(rows, older, traces);
    if (this.folding) this.#mendSeam(traces);
    // One allocation for both: unshift with thousands of arguments overflows the stack.
    this.entries = older.concat(this.entries);
    this.lo = Math.min(this.lo, lo);
    this.atStart = atStart;
  }

  /**
   * A trace whose first lines came with this page of history has its last ones at the start of
   * the window, as entries of their own: they are folded in.
   * @param {TraceFolding} traces after the page
   */
  #mendSeam(traces) {
    const open = new Set(traces.keys);
    /** @type {Set<Entry>} */
    const gone = new Set();
    for (let i = 0; i < Math.min(SEAM, this.entries.length) && open.size; i++) {
      const e = this.entries[i];
      if (e.kind !== "line" || !e.row) continue;
      const key = e.row[2] + e.row[3];
      if (!open.has(key)) continue;
      const { head, joins } = traces.feed(e.row, e.level);
      if (!joins || !head) {
        open.delete(key);
        continue;
      }
      this.#join(head, e.row);
      for (const row of e.more ?? []) {
        traces.feed(row, null);
        this.#join(head, row);
      }
      gone.add(e);
    }
    if (gone.size) this.entries = this.entries.filter((e) => !gone.has(e));
  }

  /**
   * Index of the first entry whose seq is not below this one; `entries.length` if there is none.
   * @param {number} seq
   */
  indexAt(seq) {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.entries[middle].seq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * The entry that holds this line, itself or folded under it; -1 if it is not here.
   * @param {number} seq
   */
  indexOf(seq) {
    const at = this.indexAt(seq);
    if (this.entries[at]?.seq === seq && this.entries[at].row) return at;
    for (let i = Math.min(at, this.entries.length) - 1; i >= 0 && i > at - SEAM; i--) {
      if (this.entries[i].more?.some((row) => row[0] === seq)) return i;
    }
    return -1;
  }

  /**
   * Gives each event that falls into the window its place by time.
   * @param {LogEvent[]} events by time
   * @param {boolean} attached the window ends where the log ends now
   */
  placeEvents(events, attached) {
    if (!events.length) return false;
    const first = this.#edgeTime(0, 1);
    const last = this.#edgeTime(this.entries.length - 1, -1);
    let placed = false;
    for (const event of events) {
      if (this.#placed.has(event.id)) continue;
      if (!this.atStart && first !== null && event.time < first) continue;
      if (!attached && last !== null && event.time > last) continue;
      if (first === null && !attached) continue;
      this.#place(event);
      placed = true;
    }
    return placed;
  }

  /** @param {LogEvent} event */
  #place(event) {
    const { entries } = this;
    let low = 0;
    let high = entries.length;
    // Times are not quite in order; near enough for where a marker is seen.
    while (low < high) {
      const middle = (low + high) >> 1;
      if (entries[middle].time <= event.time) low = middle + 1;
      else high = middle;
    }
    if (event.kind === "start") low = this.#beforeFirstLine(event, low);
    const before = entries[low - 1];
    const seq = before
      ? Number.isInteger(before.seq)
        ? before.seq + 0.5
        : before.seq
      : this.lo - 0.5;
    entries.splice(low, 0, entry({ kind: "event", seq, time: event.time, event }));
    this.#placed.add(event.id);
  }

  /**
   * The engine says that a container has started when its first lines may be written already:
   * they follow the start that they come from.
   * @param {LogEvent} event
   * @param {number} at index that its time gives it
   */
  #beforeFirstLine(event, at) {
    const since = Date.parse(event.time) - START_LATE;
    let first = at;
    for (let i = at - 1; i >= 0; i--) {
      const e = this.entries[i];
      if (e.gap || Date.parse(e.time) < since) break;
      if (e.event?.container === event.container) break;
      if (e.row?.[2] === event.container) first = i;
    }
    return first;
  }

  /**
   * Takes events off the end: that a container died is known before its last lines are here.
   * They are placed again with the next placeEvents.
   */
  #liftEvents() {
    for (let last = this.entries.at(-1); last?.event; last = this.entries.at(-1)) {
      this.#placed.delete(last.event.id);
      this.entries.pop();
    }
  }

  /**
   * @param {number} from index
   * @param {1 | -1} step
   */
  #edgeTime(from, step) {
    for (let i = from; i >= 0 && i < this.entries.length; i += step) {
      if (this.entries[i].row) return this.entries[i].time;
    }
    return null;
  }

  /**
   * Lines that were not sent, as an entry of its own at the end.
   * @param {Gap} gap
   */
  appendGap(gap) {
    const last = this.entries[this.entries.length - 1];
    if (last?.gap && last.gap.reason === gap.reason && last.gap.to + 1 >= gap.from) {
      last.gap.to = Math.max(last.gap.to, gap.to);
      last.version++;
    } else {
      const time = last?.time ?? "";
      this.entries.push(entry({ kind: "gap", seq: gap.from, time, gap: { ...gap } }));
    }
    this.hi = Math.max(this.hi, gap.to);
    this.#traces = new TraceFolding();
  }

  /**
   * Says that what a gap left out is on its way, or is not any more.
   * @param {Entry} gapEntry
   * @param {boolean} loading
   */
  setLoading(gapEntry, loading) {
    if (!gapEntry.gap) return;
    gapEntry.gap.loading = loading;
    gapEntry.version++;
  }

  /**
   * Puts lines where a gap was. What is still missing stays a gap.
   * @param {Entry} gapEntry
   * @param {Row[]} rows
   * @param {number} upTo every line up to here is now known
   */
  fillGap(gapEntry, rows, upTo) {
    const at = this.entries.indexOf(gapEntry);
    if (at < 0 || !gapEntry.gap) return;
    const { to } = gapEntry.gap;
    /** @type {Entry[]} */
    const filled = [];
    this.#fold(
      rows.filter((row) => row[0] <= to),
      filled,
      new TraceFolding(),
    );
    if (upTo < to) {
      const rest = { ...gapEntry.gap, from: upTo + 1, loading: false };
      filled.push(entry({ kind: "gap", seq: rest.from, time: gapEntry.time, gap: rest }));
    }
    this.entries = [...this.entries.slice(0, at), ...filled, ...this.entries.slice(at + 1)];
  }

  /**
   * Keeps the window bounded by dropping what is farthest from the reader.
   * @param {number} reader index of the entry the reader looks at
   * @returns {"" | "start" | "end"} where entries were dropped
   */
  trim(reader) {
    const { entries } = this;
    const over = entries.length - ENTRIES_AT_MOST;
    const heavy = this.#chars > CHARS_AT_MOST && entries.length > 200;
    if (over < TRIM_STEP && !heavy) return "";
    const count = heavy ? Math.ceil(entries.length / 4) : over;
    if (reader >= entries.length / 2) {
      this.#trimStart(Math.min(count, Math.max(0, reader - 50)));
      return "start";
    }
    this.#trimEnd(Math.min(count, entries.length - reader - 50));
    return "end";
  }

  /** @param {number} count */
  #trimStart(count) {
    const { entries } = this;
    let cut = count;
    let reached = 0;
    // A trace has lines after the first of the next entry when two containers write at once: what
    // is cut must end where nothing reaches over.
    for (let i = 0; i < cut && cut < entries.length; i++) {
      reached = Math.max(reached, lastSeq(entries[i]));
      if (i === cut - 1 && entries[cut].seq <= reached) cut++;
    }
    if (!cut) return;
    this.#forget(entries.splice(0, cut));
    this.lo = entries.length ? Math.ceil(entries[0].seq) : this.hi + 1;
    this.atStart = false;
  }

  /** @param {number} count */
  #trimEnd(count) {
    const { entries } = this;
    let cut = entries.length - count;
    for (let i = cut - 1; i >= Math.max(0, cut - SEAM); i--) {
      if (lastSeq(entries[i]) >= entries[cut].seq) cut = i;
    }
    if (cut >= entries.length || cut < 1) return;
    this.hi = Math.ceil(entries[cut].seq) - 1;
    this.#forget(entries.splice(cut));
    this.#traces = new TraceFolding();
  }

  /** @param {Entry[]} dropped */
  #forget(dropped) {
    for (const e of dropped) {
      this.#chars -= chars(e);
      this.lines -= count(e);
      if (e.event) this.#placed.delete(e.event.id);
    }
  }

  /**
   * Drops every entry that does not pass; events and gaps stay.
   * @param {(row: Row, level: Level | null) => boolean} passes
   */
  keep(passes) {
    this.entries = this.entries.flatMap((e) => {
      if (!e.row || e.kind === "marker") return [e];
      if (!e.more || this.folding) return passes(e.row, e.level) ? [e] : [];
      // A filter looks at lines: a trace falls apart into those that pass.
      return [e.row, ...e.more]
        .filter((row) => passes(row, levelOf(row[4])))
        .map((row) => entry({ seq: row[0], time: row[1], row, level: levelOf(row[4]) }));
    });
    this.#chars = this.entries.reduce((sum, e) => sum + chars(e), 0);
    this.lines = this.entries.reduce((sum, e) => sum + count(e), 0);
    this.#traces = new TraceFolding();
    this.markHits();
  }

  /** Takes the events out again. */
  dropEvents() {
    this.entries = this.entries.filter((e) => !e.event);
    this.#placed.clear();
  }

  /**
   * How lines that come are folded and marked.
   * @param {boolean} folding
   * @param {(text: string) => boolean} isHit
   */
  use(folding, isHit) {
    this.folding = folding;
    this.isHit = isHit;
  }

  /** Looks again which entries hold what is searched for. */
  markHits() {
    for (const e of this.entries) {
      if (!e.row) continue;
      e.hit = this.isHit(e.row[4]) || (e.more?.some((row) => this.isHit(row[4])) ?? false);
    }
  }
}
