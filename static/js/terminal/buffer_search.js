// Finding in all that a terminal keeps. It looks from the newest line to the oldest, a few
// milliseconds at a time, so that keys and output go on beside it, whatever was printed: also one
// line of a megabyte. What is found is told as it is found.

import { NotRe2 } from "../lib/re2.js";
import { linesFromBelow } from "./buffer_lines.js";
import { matchColours } from "./colours.js";
import { matcherOf } from "./text_matcher.js";

/** @typedef {import("./buffer_lines.js").Place} Place */
/** @typedef {import("./xterm.js").IMarker} Marker */
/**
 * `back`: to what was printed before. `typing`: stay at this match while it still is one. `once`: the
 * first will do, and what comes later is not looked at.
 *
 * @typedef {{back?: boolean, caseSensitive?: boolean, regex?: boolean, typing?: boolean, once?: boolean}} SearchOptions
 */
/**
 * `at`: which one is shown, from the newest, -1 for none. `more`: there are more than are counted.
 * `done`: all was looked at. `wrong`: what is wrong with the expression.
 *
 * @typedef {{at: number, count: number, more: boolean, done: boolean, wrong: string}} Found
 */

const SLICE = 8; // ms before keys and output have their turn
const MOST = 10_000; // matches; nobody goes through more
const MARKED = 500; // that are drawn: those in sight
const TICKS = 200; // beside the scroll bar
const AGAIN = 500; // ms after output before all is looked at again, and more where that takes long
const IDLE = 10; // times as long as looking has taken
const DRAW = 100; // ms

export class BufferSearch {
  #terminal;
  #told;
  #query = "";
  /** @type {SearchOptions} */
  #options = {};
  /** From the newest to the oldest; rows as they were numbered when looking began. @type {Place[]} */
  #hits = [];
  #at = -1;
  #more = false;
  #done = true;
  /** Somebody waits for a match that is not found yet: where it may begin at the latest. @type {Place | null} */
  #wanted = null;
  #run = 0;
  /** What follows the rows when the oldest fall out, and where it stood. @type {Marker | undefined} */
  #anchor;
  #anchored = 0;
  /** @type {import("./xterm.js").IDisposable[]} */
  #drawn = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #againSoon;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #drawSoon;
  #took = 0;

  /**
   * @param {import("./xterm.js").Terminal} terminal
   * @param {(found: Found) => void} told
   */
  constructor(terminal, told) {
    this.#terminal = terminal;
    this.#told = told;
    terminal.onWriteParsed(() => this.#changed());
    terminal.onResize(() => this.#renumbered());
    terminal.buffer.onBufferChange(() => this.#renumbered());
    terminal.onScroll(() => this.#drawLater());
  }

  /**
   * Goes to a place that holds the text: the next one of the same text, or the newest of another.
   *
   * @param {string} query not empty
   * @param {SearchOptions} options
   */
  find(query, options) {
    const { back = false, typing = false, once = false } = options;
    const before = this.#options;
    const same =
      Boolean(before.caseSensitive) === Boolean(options.caseSensitive) &&
      Boolean(before.regex) === Boolean(options.regex);
    if (query === this.#query && same && !once) {
      if (!typing) this.#step(back);
      return;
    }
    // Whoever types on stays where they are as long as it is there.
    const here = typing && this.#at >= 0 ? this.#here(this.#hits[this.#at]) : null;
    this.#query = query;
    this.#options = options;
    this.#forget();
    this.#wanted = here ?? { row: Infinity, column: 0, length: 0 };
    void this.#look();
  }

  /** No more: what was marked is not. */
  stop() {
    this.#run += 1;
    this.#query = "";
    clearTimeout(this.#againSoon);
    this.#forget();
    this.#anchor?.dispose();
    this.#anchor = undefined;
    this.#done = true;
    this.#tell();
  }

  #forget() {
    this.#hits = [];
    this.#at = -1;
    this.#more = false;
    this.#undraw();
  }

  // Looking

  async #look(again = false) {
    const run = ++this.#run;
    clearTimeout(this.#againSoon);
    this.#againSoon = undefined;
    /** @type {import("./text_matcher.js").Matcher} */
    let matcher;
    try {
      matcher = matcherOf(this.#query, this.#options);
    } catch (error) {
      if (!(error instanceof NotRe2)) throw error;
      this.#query = "";
      this.#done = true;
      return this.#tell(error.message);
    }
    const shown = again && this.#at >= 0 ? this.#here(this.#hits[this.#at]) : null;
    this.#setAnchor();
    /** @type {Place[]} */
    const hits = [];
    // What was found before stays in sight until all is found again.
    if (!again) this.#hits = hits;
    this.#done = false;
    this.#more = false;
    this.#took = 0;
    const walk = this.#walk(matcher);
    for (let over = false; !over;) {
      const until = performance.now() + SLICE;
      const before = hits.length;
      while (!over && performance.now() < until) {
        const { done, value } = walk.next();
        if (value) hits.push(value);
        over = Boolean(done) || hits.length >= MOST;
        if (this.#options.once && hits.length) over = true;
      }
      this.#took += SLICE;
      if (over) break;
      if (!again && hits.length > before) this.#choose();
      if (!again) this.#tell();
      await pause();
      if (run !== this.#run) return;
      if (this.#anchor?.isDisposed) return void this.#look(again);
    }
    this.#hits = hits;
    this.#more = hits.length >= MOST;
    this.#done = true;
    if (again) this.#at = shown ? this.#indexOf(shown) : -1;
    this.#choose();
    this.#tell();
    if (this.#options.once) this.#query = "";
  }

  /** @param {import("./text_matcher.js").Matcher} matcher @returns {Generator<Place | null>} */
  *#walk(matcher) {
    const { cols: columns, buffer } = this.#terminal;
    const lines = linesFromBelow({
      count: buffer.active.length,
      columns,
      row: (y) => this.#terminal.buffer.active.getLine(y - this.#gone),
    });
    for (const line of lines) {
      yield null;
      if (!line) continue;
      for (const range of matcher(line.text)) yield range && line.place(range[0], range[1]);
    }
  }

  #setAnchor() {
    this.#anchor?.dispose();
    this.#anchor = this.#terminal.registerMarker(0);
    this.#anchored = this.#anchor?.line ?? 0;
  }

  /** How many of the oldest rows have fallen out since looking began. */
  get #gone() {
    return this.#anchor && !this.#anchor.isDisposed ? this.#anchored - this.#anchor.line : 0;
  }

  /** Where something is now. @param {Place} place @returns {Place} */
  #here(place) {
    return { ...place, row: place.row - this.#gone };
  }

  /** More was printed: what was found may have gone, and there may be more. */
  #changed() {
    if (!this.#query || !this.#done) return;
    this.#againSoon ??= setTimeout(() => void this.#look(true), Math.max(AGAIN, this.#took * IDLE));
  }

  /** Rows have other numbers than they had. */
  #renumbered() {
    if (!this.#query) return;
    this.#forget();
    void this.#look();
  }

  // Going there

  /** @param {boolean} back */
  #step(back) {
    const { length } = this.#hits;
    if (!length) return;
    const next = this.#at < 0 ? 0 : this.#at + (back ? 1 : -1);
    if (next >= length && !this.#done) {
      this.#wanted = this.#hits[length - 1];
      return;
    }
    this.#wanted = null;
    this.#go((next + length) % length);
    this.#tell();
  }

  /** What somebody waits for, once it is there. */
  #choose() {
    const { row, column } = this.#wanted ?? {};
    if (row === undefined || column === undefined) return;
    const index = this.#hits.findIndex(
      (one) => one.row < row || (one.row === row && one.column <= column),
    );
    // Nothing so far up: then the newest, once it is known that there is nothing.
    if (index < 0 && (!this.#done || !this.#hits.length)) return;
    this.#wanted = null;
    this.#go(Math.max(0, index));
  }

  /** @param {Place} place as it is now */
  #indexOf({ row, column }) {
    const gone = this.#gone;
    return this.#hits.findIndex((one) => one.row - gone === row && one.column === column);
  }

  /** @param {number} index */
  #go(index) {
    this.#at = index;
    const terminal = this.#terminal;
    const { row, column, length } = this.#here(this.#hits[index]);
    if (row < 0) return;
    terminal.select(column, row, length);
    const top = terminal.buffer.active.viewportY;
    if (row < top || row >= top + terminal.rows) {
      terminal.scrollToLine(Math.max(0, row - (terminal.rows >> 1)));
    }
  }

  #tell(wrong = "") {
    this.#drawLater();
    const count = this.#hits.length;
    this.#told({ at: this.#at, count, more: this.#more, done: this.#done, wrong });
  }

  // Marks: of what is in sight, and beside the scroll bar

  #drawLater() {
    if (!this.#query) return this.#undraw();
    this.#drawSoon ??= setTimeout(() => {
      this.#drawSoon = undefined;
      this.#draw();
    }, DRAW);
  }

  #draw() {
    this.#undraw();
    const { buffer, rows } = this.#terminal;
    const { viewportY, length } = buffer.active;
    const colours = matchColours();
    const gone = this.#gone;
    /** Of the scroll bar. @type {Set<number>} */
    const ticks = new Set();
    let marked = 0;
    for (let i = 0; i < this.#hits.length; i++) {
      const place = this.#hits[i];
      const row = place.row - gone;
      if (row < 0) break;
      const tick = Math.floor((row / length) * TICKS);
      const seen = row > viewportY - 3 && row < viewportY + rows && marked < MARKED;
      const shown = i === this.#at;
      if (!seen && !shown && ticks.has(tick)) continue;
      const ticked = shown || !ticks.has(tick);
      ticks.add(tick);
      if (seen) marked += 1;
      this.#mark(
        { ...place, row },
        {
          background: !seen ? "" : shown ? colours.activeMatchBackground : colours.matchBackground,
          tick: !ticked
            ? ""
            : shown
              ? colours.activeMatchColorOverviewRuler
              : colours.matchOverviewRuler,
        },
      );
    }
  }

  /** @param {Place} place @param {{background: string, tick: string}} colours "" for none */
  #mark({ row, column, length }, { background, tick }) {
    const { cols, buffer } = this.#terminal;
    const { baseY, cursorY } = buffer.active;
    for (let left = length, x = column, y = row; left > 0; y++, x = 0) {
      const width = Math.min(left, cols - x);
      left -= width;
      const marker = this.#terminal.registerMarker(y - baseY - cursorY);
      if (!marker) return;
      this.#drawn.push(marker);
      const decoration = this.#terminal.registerDecoration({
        marker,
        x,
        width,
        ...(background ? { backgroundColor: background } : {}),
        ...(tick && y === row ? { overviewRulerOptions: { color: tick, position: "center" } } : {}),
      });
      if (decoration) this.#drawn.push(decoration);
      if (!background || y - row > this.#terminal.rows) return;
    }
  }

  #undraw() {
    for (const one of this.#drawn) one.dispose();
    this.#drawn = [];
  }

  close() {
    this.#run += 1;
    this.#query = "";
    clearTimeout(this.#againSoon);
    clearTimeout(this.#drawSoon);
  }
}

/** Keys, output and drawing have their turn. */
const pause = () => /** @type {Promise<void>} */ (new Promise((done) => setTimeout(done)));
