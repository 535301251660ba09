// Entries that come again, folded into the first of them with a count. Nothing leaves the window: the
// others stand where they were, without a row, so that places, links and filters stay what they are. Pure.

import { redraw } from "./entry.js";
import { appOf } from "./merged_log.js";
import { patternOf, timeless } from "./patterns.js";

/** @typedef {import("./entry.js").Entry} Entry */

/**
 * Which entries are one: `repeats` those that follow each other and are the same but for their times;
 * `alike` also those of one pattern; `nearby` also where others stand between them.
 * @typedef {{ repeats: boolean, alike: boolean, nearby: boolean }} Folding
 */

const NEAR = 200; // rows between two that are one
const LONGEST = 4_096; // characters of an entry; what is longer is not compared
const LINES = 50; // of an entry

/** Entries that are one row. */
export class Run {
  /** @type {Entry} */
  head;
  /** Entries in the window. */
  count = 1;
  /** Of those before it: they came, and are not in memory any more. */
  gone = 0;
  /** Its first entry, where that is gone. @type {{ seq: number, time: string } | null} */
  began = null;
  /** It may have begun before what is loaded. */
  unsure = false;
  open = false;
  /** The seq and time of its last entry. */
  last = 0;
  time = "";

  /** Entries that came back of those that were gone. */
  back = 0;
  lowest = 0;
  pass = 0;
  at = 0;
  shown = "";
  seen = 0;

  /** @param {Entry} head */
  constructor(head) {
    this.head = head;
  }

  /** How often it came, as far as is known. */
  get all() {
    return this.count + Math.max(0, this.gone - this.back);
  }

  /** When it came first. */
  get since() {
    return this.began && this.gone > this.back ? this.began.time : this.head.time;
  }
}

export class Repeats {
  #pass = 0;
  #call = 0;
  #done = 0; // entries that were looked at
  // Where the pass is: what it needs to go on with what comes
  /** @type {Run | null} */
  #before = null;
  /** @type {Map<number, Run>} */
  #near = new Map();
  #rows = 0;
  #first = true;

  /** @param {() => Folding} folding */
  constructor(folding) {
    this.folding = folding;
  }

  /**
   * Says of each entry which run it is in, and whether it has a row.
   * @param {Entry[]} entries
   * @param {boolean} atStart the window begins where the log does
   * @param {number} [from] index of the first entry that changed; how they are folded did not
   * @returns {number} index of the first entry that may have a row now, or none, where it was otherwise
   */
  arrange(entries, atStart, from = 0) {
    const { repeats, alike, nearby } = this.folding();
    const start = this.#begin(entries, from, nearby);
    const pass = this.#pass;
    const call = ++this.#call;
    /** @type {Run[]} */
    const touched = [];
    for (let i = start; i < entries.length; i++) {
      const e = entries[i];
      const key = repeats ? this.#keyOf(e, alike) : 0;
      if (!key) {
        // What happened in between parts them, as far as a reader is concerned.
        this.#before = null;
        e.run = null;
        e.folded = false;
        this.#rows++;
        this.#first &&= !e.row;
        continue;
      }
      /** @type {Run | null} */
      let run = nearby ? (this.#near.get(key) ?? null) : this.#before;
      if (run && run.head.key !== key) run = null;
      if (run && nearby && this.#rows - run.at > NEAR) run = null;
      if (run) {
        if (e.run && e.run !== run && e.run.pass !== pass) adopt(run, e.run);
        e.run = run;
        run.count++;
        e.folded = !run.open;
      } else {
        run = e.run && e.run.pass !== pass && e.run.head.key === key ? e.run : new Run(e);
        run.pass = pass;
        run.head = e;
        run.count = 1;
        run.back = 0;
        if (run.gone === 0) run.unsure = this.#first && !atStart;
        e.run = run;
        e.folded = false;
        if (nearby) this.#near.set(key, run);
      }
      if (run.seen !== call) {
        run.seen = call;
        touched.push(run);
      }
      if (!e.folded) this.#rows++;
      if (run.gone && e.seq < run.lowest) run.back++;
      run.at = this.#rows;
      run.last = e.seq;
      run.time = e.time;
      this.#before = run;
      this.#first = false;
    }
    this.#done = entries.length;
    for (const run of touched) {
      const { all, last } = run;
      const shown = all > 1 ? `${all} ${run.unsure} ${last} ${run.open}` : "";
      if (shown !== run.shown) {
        run.shown = shown;
        redraw(run.head);
      }
    }
    return start;
  }

  /**
   * Goes on where the last pass ended, where all that changed is new. Else from the beginning; or, where
   * those of a run follow each other, from that of the run before.
   * @param {Entry[]} entries
   * @param {number} from
   * @param {boolean} nearby
   */
  #begin(entries, from, nearby) {
    if (from >= this.#done && this.#done) return this.#done;
    this.#pass++;
    this.#near.clear();
    let start = nearby ? 0 : from;
    const run = entries[start - 1]?.run;
    if (run) while (start > 0 && entries[start - 1].run === run) start--;
    this.#before = entries[start - 1]?.run ?? null;
    this.#rows = 0;
    let first = 0;
    while (first < start && !entries[first].row) first++;
    this.#first = first === start;
    return start;
  }

  /** What tells an entry from others; 0 where it is not compared. @param {Entry} e @param {boolean} alike */
  #keyOf(e, alike) {
    if (e.kind !== "line" || !e.row) return 0;
    const mode = alike ? 2 : 1;
    const lines = 1 + (e.more?.length ?? 0);
    if (e.keyed === lines * 4 + mode) return e.key;
    e.keyed = lines * 4 + mode;
    const size = e.more
      ? e.more.reduce((sum, row) => sum + row[4].length, e.row[4].length)
      : e.row[4].length;
    if (size > LONGEST || lines > LINES) return (e.key = 0);
    const text = alike ? patternOf : timeless;
    // What programs put, and no container wrote, is of one "container" in every app.
    const who = `${appOf(e.row)} ${e.row[2]} ${e.row[3]}`;
    let key = hash(`${who} ${e.level ?? ""} ${text(e.row[4])}`, 0);
    for (const row of e.more ?? []) key = hash(text(row[4]), key);
    return (e.key = key || 1);
  }
}

/** What one run knew is known of the one that it has become a part of. @param {Run} run @param {Run} other */
function adopt(run, other) {
  if (other.open) run.open = true;
  if (other.gone > run.gone) {
    run.gone = other.gone;
    run.unsure = other.unsure;
    run.began = other.began;
    run.lowest = other.lowest;
    // Those counted so far stand before it: they came back.
    run.back = run.count;
  }
}

/**
 * Entries leave the window at its start: their runs still know that they came.
 * @param {Entry[]} dropped
 * @param {Entry | undefined} next the first that stays
 */
export function leave(dropped, next) {
  for (const { run, seq, time } of dropped) {
    if (!run) continue;
    run.gone = Math.max(0, run.gone - run.back);
    run.back = 0;
    run.began ??= { seq, time };
    run.gone++;
    run.lowest = next?.seq ?? seq + 1;
  }
}

/**
 * The entries that an entry's row stands for.
 * @param {Entry} e
 * @param {Entry[]} entries
 */
export function membersOf(e, entries) {
  const { run } = e;
  if (!run || run.open || run.head !== e || run.count < 2) return [e];
  return entries.filter((one) => one.run === run);
}

/**
 * 53 bits of a text (cyrb53).
 * @param {string} text
 * @param {number} seed
 */
function hash(text, seed) {
  let a = 0xdeadbeef ^ seed;
  let b = 0x41c6ce57 ^ (seed / 2 ** 21);
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    a = Math.imul(a ^ c, 2654435761);
    b = Math.imul(b ^ c, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return 4294967296 * (2097151 & b) + (a >>> 0);
}
