// The window of the log that is in memory: entries in order, bounded, growing and trimmed at both
// ends. An entry is a line with what the server says belongs to it, an event, or a gap. Pure.

import { chars, count, entry, lastSeq } from "./entry.js";
import { entriesOf, Extents } from "./extents.js";
import { leave } from "./repeats.js";

/** @typedef {import("../live/channels.js").Row} Row */
/** @typedef {import("./levels.js").Level} Level */
/** @typedef {import("./entry.js").LogEvent} LogEvent */
/** @typedef {import("./entry.js").Gap} Gap */
/** @typedef {import("./entry.js").Entry} Entry */

export const ENTRIES_AT_MOST = 30_000;
const CHARS_AT_MOST = 24 * 1024 * 1024; // a window of huge lines holds fewer of them
const TRIM_STEP = 2_000; // trimmed in steps, so that most appends move nothing
const START_LATE = 2_000; // ms that the word of a start may come after its first lines
const SEAM = 2_000; // entries looked at for one that goes on beyond the page it came with

export class LogModel {
  /** @type {Entry[]} */
  entries = [];
  /** Every seq from `lo` to `hi` is here, or does not pass the filter. */
  lo = 1;
  hi = 0;
  /** The first line that is kept is here. */
  atStart = false;
  /** Whether what belongs to a line is folded under it. */
  folding = true;
  /** Which lines belong together. */
  extents = new Extents();
  /** @type {(text: string) => boolean} */
  isHit = () => false;
  /** Lines in the window. */
  lines = 0;
  /** Entries in which what is searched for is. */
  hits = 0;

  #chars = 0;
  #changed = 0; // index from which on entries are not what they were
  /** @type {Set<number>} ids of events that have an entry */
  #placed = new Set();

  /**
   * From which index on entries came, went or changed since this was asked last; Infinity: none did.
   * What only changed its level, or whether it is a hit, has not.
   */
  takeChanged() {
    const from = this.#changed;
    this.#changed = Infinity;
    return from;
  }

  /** @param {number} index from here on something changed */
  #touch(index) {
    this.#changed = Math.min(this.#changed, Math.max(0, index));
  }

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
    this.#chars = this.lines = this.hits = 0;
    this.#placed.clear();
    this.#touch(0);
  }

  /**
   * @param {Row[]} rows oldest first
   * @param {Entry[]} into
   */
  #fold(rows, into) {
    /** By container and stream, the entry that their last line is in. @type {Map<string, Entry>} */
    const open = new Map();
    for (const row of rows) {
      this.#chars += row[4].length;
      this.lines++;
      const marker = row[3] === "marker";
      const extent = this.folding && !marker ? this.extents.of(row) : null;
      if (extent) {
        const head = open.get(extent[3] + extent[4]);
        if (head?.first === extent[0]) {
          this.#join(head, row);
          continue;
        }
      }
      const e = entry({ kind: marker ? "marker" : "line", seq: row[0], time: row[1], row });
      e.level = (extent ? extent[2] : row[5]) ?? null;
      e.hit = this.isHit(row[4]);
      if (e.hit) this.hits++;
      if (extent) {
        e.first = extent[0];
        open.set(extent[3] + extent[4], e);
      }
      into.push(e);
    }
  }

  /**
   * @param {Entry} head
   * @param {Row} row
   */
  #join(head, row) {
    (head.more ??= []).push(row);
    if (!head.hit && this.isHit(row[4])) {
      head.hit = true;
      this.hits++;
    }
    head.version++;
    head.height = 0;
  }

  /**
   * Entries of the window that the server has come to know as one are one from now on.
   * @param {number} from index of the first entry that may be concerned
   * @param {number} to and after the last
   */
  #regroup(from, to) {
    if (!this.folding) return;
    this.#touch(from);
    /** @type {Map<string, Entry>} */
    const open = new Map();
    /** @type {Set<Entry>} */
    const gone = new Set();
    for (let i = Math.max(0, from); i < Math.min(to, this.entries.length); i++) {
      const e = this.entries[i];
      if (e.kind !== "line" || !e.row) continue;
      const extent = this.extents.of(e.row);
      if (!extent) continue;
      const key = extent[3] + extent[4];
      const head = open.get(key);
      if (head?.first === extent[0]) {
        this.#join(head, e.row);
        for (const row of e.more ?? []) this.#join(head, row);
        head.open ||= e.open;
        if (e.hit) this.hits--;
        gone.add(e);
        continue;
      }
      if (e.level !== extent[2]) {
        e.level = extent[2];
        e.version++;
      }
      e.first = extent[0];
      open.set(key, e);
    }
    if (gone.size) this.entries = this.entries.filter((e) => !gone.has(e));
  }

  /**
   * Whether a line of an entry that begins before `seq` is here already.
   * @param {Row} row
   * @param {number} seq
   */
  #isHere(row, seq) {
    const extent = this.extents.of(row);
    return extent !== null && extent[0] < seq && this.indexOf(row[0]) >= 0;
  }

  /** The least index at which a row of these is in an entry that began before them. @param {Row[]} rows */
  #reachesBack(rows) {
    let seq = rows[0][0];
    if (this.folding) {
      for (const row of rows) seq = Math.min(seq, this.extents.of(row)?.[0] ?? seq);
    }
    return seq < rows[0][0] ? this.indexAt(seq) : -1;
  }

  /**
   * @param {Row[]} rows
   * @param {number} hi every line up to here is now known
   */
  append(rows, hi) {
    if (rows.length) {
      this.#liftEvents();
      const back = this.#reachesBack(rows);
      // A page that is filtered gives an entry whole, also what of it comes after others.
      if (back >= 0) rows = rows.filter((row) => !this.#isHere(row, rows[0][0]));
      const seam = this.entries.length;
      const before = this.entries.at(-1)?.seq ?? 0;
      this.#touch(seam);
      this.#fold(rows, this.entries);
      this.#inOrder(seam, before);
      if (back >= 0) this.#regroup(back, this.entries.length);
    }
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
    this.#fold(rows, older);
    const seam = older.length;
    const before = older.at(-1)?.seq ?? 0;
    // One allocation for both: unshift with thousands of arguments overflows the stack.
    this.entries = older.concat(this.entries);
    this.#touch(0);
    this.#inOrder(seam, before);
    this.#regroup(seam - SEAM, seam + SEAM);
    this.lo = Math.min(this.lo, lo);
    this.atStart = atStart;
  }

  /**
   * Of two streams at once one entry may begin before another and end after it: where two pages of
   * entries meet.
   * @param {number} seam index of the first entry of the newer page
   * @param {number} before seq of the entry before it
   */
  #inOrder(seam, before) {
    if (seam && before > (this.entries[seam]?.seq ?? Infinity)) {
      this.entries.sort((a, b) => a.seq - b.seq);
      this.#touch(0);
    }
  }

  /**
   * Puts an entry that was not shown, or shown in part, where it belongs.
   * @param {import("./extents.js").Extent} extent
   * @param {Row[]} rows its lines; none: it is not shown any more
   */
  put([first, last, , container, stream], rows) {
    this.#touch(0);
    this.entries = this.entries.filter((e) => {
      const its =
        e.row && e.seq >= first && e.seq <= last && e.row[2] + e.row[3] === container + stream;
      if (its) this.#forget([e]);
      return !its;
    });
    /** @type {Entry[]} */
    const into = [];
    this.#fold(rows, into);
    if (into.length) this.entries.splice(this.indexAt(into[0].seq), 0, ...into);
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
    this.#touch(low);
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
      this.#touch(this.entries.length);
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
    this.#touch(this.entries.length - 1);
    this.hi = Math.max(this.hi, gap.to);
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
    );
    const added = filled.length;
    if (upTo < to) {
      const rest = { ...gapEntry.gap, from: upTo + 1, loading: false };
      filled.push(entry({ kind: "gap", seq: rest.from, time: gapEntry.time, gap: rest }));
    }
    this.entries = [...this.entries.slice(0, at), ...filled, ...this.entries.slice(at + 1)];
    this.#touch(at);
    this.#regroup(at - SEAM, at + added + SEAM);
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
    const dropped = entries.splice(0, cut);
    this.#touch(0);
    leave(dropped, entries[0]);
    this.#forget(dropped);
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
    this.#touch(cut);
    this.#forget(entries.splice(cut));
  }

  /** @param {Entry[]} dropped */
  #forget(dropped) {
    for (const e of dropped) {
      this.#chars -= chars(e);
      this.lines -= count(e);
      if (e.hit) this.hits--;
      if (e.event) this.#placed.delete(e.event.id);
    }
  }

  /**
   * Drops every entry that does not pass; events and gaps stay.
   * @param {(rows: Row[], level: Level | null) => boolean} passes
   */
  keep(passes) {
    if (this.folding) {
      this.entries = this.entries.filter(
        (e) => !e.row || e.kind === "marker" || passes([e.row, ...(e.more ?? [])], e.level),
      );
    } else {
      const rows = this.entries.flatMap((e) => (e.row && e.kind !== "marker" ? [e.row] : []));
      const stay = new Set(
        entriesOf(rows, this.extents).flatMap(([its, level]) => (passes(its, level) ? its : [])),
      );
      this.entries = this.entries.filter((e) => !e.row || e.kind === "marker" || stay.has(e.row));
    }
    this.#chars = this.entries.reduce((sum, e) => sum + chars(e), 0);
    this.lines = this.entries.reduce((sum, e) => sum + count(e), 0);
    this.#touch(0);
    this.markHits();
  }

  /** Takes the events out again. */
  dropEvents() {
    this.entries = this.entries.filter((e) => !e.event);
    this.#touch(0);
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
    this.hits = 0;
    for (const e of this.entries) {
      if (!e.row) continue;
      e.hit = this.isHit(e.row[4]) || (e.more?.some((row) => this.isHit(row[4])) ?? false);
      if (e.hit) this.hits++;
    }
  }
}
