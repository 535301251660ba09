// Virtual rows: elements exist only for the entries that are seen. Knows where the reader is and
// keeps them there whatever is added, dropped or measured anew.

import { redrawn } from "../lib/redraw.js";

/** @typedef {import("./log_model.js").Entry} Entry */
/** @typedef {import("./log_model.js").LogModel} LogModel */

/**
 * Where the reader is: at the end and going with it, or at an entry, `offset` px below its top. Events
 * that came between the same two lines have one seq: which of them it is says `event`, its id.
 * @typedef {{ follow: true } | { follow: false, seq: number, event: number | null, offset: number }} Place
 */

const OVERSCAN = 8; // rows drawn above and below what is seen
const GENERATION = 1e6; // more versions of an entry than there are
const NEAR_END = 4; // px from the end that still count as the end

/**
 * @typedef {object} Drawing
 * @property {(entry: Entry) => HTMLElement} draw
 * @property {(entry: Entry) => number} guess the height in px before it is measured
 * @property {(from: number) => number} arrange decides which entries have a row, where those from this
 *   index on changed; from which on that may be others than before
 * @property {(entry: Entry) => boolean} measured whether its height is not simply the guess
 */

/** Announces `place` when the reader moved. */
export class VirtualList extends EventTarget {
  /** @type {Place} */
  place = { follow: true };
  /** Indexes of the entries that have elements. */
  start = 0;
  end = 0;

  /** @type {Float64Array} tops of the entries, and the total at the end */
  #tops = new Float64Array(1);
  #stale = true;
  #unarranged = 0; // index from which on it is not decided which entries have a row
  #unmeasured = 0; // index from which on tops are not known
  /** Whether being at the end of the window means being at the end of the log. */
  #canFollow = true;
  /** @type {Map<Entry, { element: HTMLElement, version: number }>} */
  #drawn = new Map();
  /** Where it is scrolled to, in px, as of the last scroll event: asking costs a layout. */
  top = 0;
  /** Height of what is seen, in px. */
  view = 0;
  #generation = 0;

  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} space as high as all rows together
   * @param {HTMLElement} slice holds the rows
   * @param {LogModel} model
   * @param {Drawing} drawing
   */
  constructor(scroller, space, slice, model, drawing) {
    super();
    this.scroller = scroller;
    this.space = space;
    this.slice = slice;
    this.model = model;
    this.drawing = drawing;
    this.view = scroller.clientHeight;
    new ResizeObserver(() => {
      this.view = scroller.clientHeight;
    }).observe(scroller);
    scroller.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    scroller.addEventListener(
      "wheel",
      (event) => {
        // At the end of a flood the next frame would undo the first pixels of a turn of the wheel.
        if (event.deltaY < 0 && this.place.follow && !event.ctrlKey) this.pause();
      },
      { passive: true },
    );
  }

  /** What has a row, or how high rows are, may be others. */
  changed() {
    this.#unarranged = this.#unmeasured = 0;
    this.#stale = true;
  }

  /** The window has other entries: which, it knows. What comes live costs what came, not what is there. */
  grown() {
    this.#stale = true;
  }

  /** Every row is drawn anew: a setting of the view changed. */
  redrawAll() {
    this.#generation++;
    for (const entry of this.model.entries) entry.height = 0;
    this.changed();
  }

  /** Rows keep their heights and are drawn anew: what is marked in them changed. */
  repaint() {
    this.#generation++;
  }

  /** Decides now which entries have a row, and where. */
  arrange() {
    this.#layout();
  }

  #layout() {
    if (!this.#stale) return;
    this.#stale = false;
    const changed = Math.min(this.#unarranged, this.model.takeChanged());
    let from = Math.min(this.#unmeasured, changed);
    if (changed < Infinity) from = Math.min(from, this.drawing.arrange(changed));
    this.#unarranged = this.#unmeasured = Infinity;
    const { entries } = this.model;
    if (from > entries.length) return;
    if (this.#tops.length < entries.length + 1) {
      const known = this.#tops.subarray(0, from + 1);
      this.#tops = new Float64Array(Math.ceil((entries.length + 1) * 1.25));
      this.#tops.set(known);
    }
    const tops = this.#tops;
    let top = from ? tops[from] : 0;
    for (let i = from; i < entries.length; i++) {
      tops[i] = top;
      if (entries[i].folded) continue;
      top += entries[i].height || (entries[i].height = this.drawing.guess(entries[i]));
    }
    tops[entries.length] = top;
  }

  /** Height of all rows, in px. */
  get height() {
    this.#layout();
    return this.#tops[this.model.entries.length];
  }

  /** @param {number} index */
  topOf(index) {
    this.#layout();
    return this.#tops[Math.min(index, this.model.entries.length)];
  }

  /**
   * The entry at this height, `entries.length - 1` at most, -1 when there is none.
   * @param {number} y px from the top of all rows
   */
  indexAtY(y) {
    this.#layout();
    let low = 0;
    let high = this.model.entries.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#tops[middle] <= y) low = middle;
      else high = middle - 1;
    }
    // Behind the last row there may be more that it stands for.
    while (low > 0 && this.model.entries[low]?.folded) low--;
    return high < 0 ? -1 : low;
  }

  /** Index of the entry at the top of what is seen. */
  get firstSeen() {
    return Math.max(0, this.indexAtY(this.top));
  }

  /** Index of the entry at the bottom of what is seen. */
  get lastSeen() {
    return Math.max(0, this.indexAtY(this.top + this.view - 1));
  }

  /** Index of the entry that the reader's place hangs on. */
  get reader() {
    if (this.place.follow) return this.model.entries.length;
    return this.#indexOfPlace(this.place);
  }

  /** @param {{ seq: number, event: number | null }} place */
  #indexOfPlace({ seq, event }) {
    const { entries } = this.model;
    const at = this.model.indexAt(seq);
    if (event !== null) {
      for (let i = at; entries[i]?.seq === seq; i++) if (entries[i].event?.id === event) return i;
    }
    // What was there may be hidden now, or folded into the entry before.
    if (at < entries.length) return at;
    return Math.max(0, entries.length - 1);
  }

  #onScroll() {
    const top = this.scroller.scrollTop;
    // Our own move, or the sub-pixel the browser rounded it by.
    if (Math.abs(top - this.top) < 1) return;
    const up = top < this.top;
    this.top = top;
    // Still at the very end: not the reader went up but the browser, since there is more room now.
    if (up && this.place.follow && this.#atVeryEnd(top)) return;
    const bottom = this.height - this.view;
    if (!up && this.#canFollow && top >= bottom - NEAR_END) this.follow();
    else this.#stayHere();
    this.dispatchEvent(new Event("place"));
  }

  /** @param {number} top */
  #atVeryEnd(top) {
    const { scrollHeight, clientHeight } = this.scroller;
    return top > scrollHeight - clientHeight - 1;
  }

  #stayHere() {
    if (this.model.entries.length) this.#stayBelow(this.firstSeen, this.top);
  }

  /**
   * @param {number} index of the entry that the place hangs on
   * @param {number} top px from the top of all rows
   */
  #stayBelow(index, top) {
    const { seq, event } = this.model.entries[index];
    const offset = top - this.topOf(index);
    this.place = { follow: false, seq, event: event?.id ?? null, offset };
  }

  /** Stays where the reader is while lines come. */
  pause() {
    if (!this.place.follow) return;
    this.#stayHere();
    this.dispatchEvent(new Event("place"));
  }

  /**
   * Stays at a line, which may still have to come.
   * @param {number} seq
   * @param {number} [offset] px below its top
   */
  stayAt(seq, offset = 0) {
    this.place = { follow: false, seq, event: null, offset };
  }

  /** Goes to the first entry, wherever the reader was. */
  toStart() {
    if (!this.model.entries.length) return;
    this.#stayBelow(0, this.topOf(0));
    this.dispatchEvent(new Event("place"));
  }

  follow() {
    if (this.place.follow) return;
    this.place = { follow: true };
    this.dispatchEvent(new Event("place"));
  }

  /**
   * Puts an entry where it can be seen; does nothing to one that is seen already.
   * @param {number} index
   * @param {"near" | "middle"} where near: as little movement as possible
   * @param {{ at: number, height: number }} [part] what of it, in px from its top; all of it
   */
  reveal(index, where = "near", part) {
    const entry = this.model.entries[index];
    if (!entry) return;
    const { view } = this;
    const top = this.topOf(index) + (part?.at ?? 0);
    const height = Math.min(part?.height ?? entry.height, view);
    const seen = this.top;
    let to = seen;
    if (where === "middle") to = top - Math.max(0, (view - height) / 3);
    else if (top < seen) to = top - 4;
    else if (top + height > seen + view) to = top + height - view + 4;
    else if (!this.place.follow) return;
    to = Math.max(0, Math.min(to, this.height - view));
    const at = this.indexAtY(to);
    if (at < 0) return;
    this.#stayBelow(at, to);
    this.dispatchEvent(new Event("place"));
  }

  /**
   * Draws what is seen. Called once a frame at most. Asks the browser where things are only where
   * it must: each question after a change costs a layout.
   * @param {boolean} canFollow whether the end of the window is the end of the log
   */
  render(canFollow) {
    this.#canFollow = canFollow;
    // Measuring what was drawn may show that other rows are seen: twice is nearly always enough.
    let top = 0;
    for (let round = 0; round < 3; round++) {
      top = this.#topOfPlace();
      this.#drawSeen(top);
      if (!this.#measure()) break;
    }
    const height = `${Math.ceil(this.height)}px`;
    if (this.space.style.height !== height) this.space.style.setProperty("height", height);
    if (Math.abs(this.top - top) < 1) return;
    this.scroller.scrollTop = top;
    this.top = this.scroller.scrollTop;
  }

  /** Where the reader's place is now, in px from the top of all rows. */
  #topOfPlace() {
    const end = Math.max(0, Math.ceil(this.height) - this.view);
    if (this.place.follow) return end;
    const top = this.topOf(this.#indexOfPlace(this.place)) + this.place.offset;
    return Math.max(0, Math.min(top, end));
  }

  /** @param {number} top */
  #drawSeen(top) {
    const { entries } = this.model;
    this.start = Math.max(0, this.indexAtY(top) - OVERSCAN);
    this.end = Math.min(entries.length, this.indexAtY(top + this.view) + 1 + OVERSCAN);
    const wanted = new Set(entries.slice(this.start, this.end).filter((entry) => !entry.folded));
    for (const [entry, { element }] of this.#drawn) {
      if (wanted.has(entry)) continue;
      element.remove();
      this.#drawn.delete(entry);
    }
    // All of them first: drawing one anew puts it in the place of the old one.
    const elements = [...wanted].map((entry) => this.#elementOf(entry));
    let at = this.slice.firstElementChild;
    for (const element of elements) {
      if (element === at) at = at.nextElementSibling;
      else this.slice.insertBefore(element, at);
    }
    this.slice.style.setProperty("transform", `translateY(${this.topOf(this.start)}px)`);
  }

  /** @param {Entry} entry */
  #elementOf(entry) {
    const version = entry.version + this.#generation * GENERATION;
    const drawn = this.#drawn.get(entry);
    if (drawn && drawn.version === version) return drawn.element;
    let element = this.drawing.draw(entry);
    // A line more of it, or one more of the same: what is open in it, or selected, stays.
    if (drawn && Math.floor(drawn.version / GENERATION) === this.#generation) {
      element = redrawn(drawn.element, element);
    } else if (drawn) {
      const focused = drawn.element.contains(document.activeElement);
      drawn.element.replaceWith(element);
      if (focused) element.focus({ preventScroll: true });
    }
    this.#drawn.set(entry, { element, version });
    return element;
  }

  /**
   * Takes the true heights of the rows drawn whose height was a guess.
   * @returns {boolean} whether one was different
   */
  #measure() {
    let different = false;
    for (let i = this.start; i < this.end; i++) {
      const entry = this.model.entries[i];
      if (entry.folded || !this.drawing.measured(entry)) continue;
      const height = this.#drawn.get(entry)?.element.getBoundingClientRect().height ?? 0;
      if (height && Math.abs(height - entry.height) >= 0.5) {
        entry.height = height;
        this.#unmeasured = Math.min(this.#unmeasured, i);
        different = true;
      }
    }
    if (different) this.#stale = true;
    return different;
  }

  /**
   * The element of an entry, if it is drawn.
   * @param {Entry} entry
   */
  elementOf(entry) {
    return this.#drawn.get(entry)?.element ?? null;
  }

  /**
   * The entry that an element belongs to.
   * @param {EventTarget | null} target
   * @returns {Entry | null}
   */
  entryOf(target) {
    const row = target instanceof Element ? target.closest(".row") : null;
    if (!row) return null;
    for (const [entry, { element }] of this.#drawn) if (element === row) return entry;
    return null;
  }
}
