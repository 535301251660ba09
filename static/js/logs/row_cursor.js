// The row the keys are at: moved, opened, brought into sight, given the focus.

/** @typedef {import("./entry.js").Entry} Entry */
/** @typedef {import("./feed.js").Feed} Feed */
/** @typedef {import("./virtual_list.js").Rows} Rows */

export class Cursor {
  /** @type {Entry | null} */
  entry = null;
  /** The row gets the focus when it is drawn next. */
  #focus = false;
  /** It was opened, and is brought into sight when its height is known. @type {Entry | null} */
  #opened = null;

  /**
   * @param {Feed} feed
   * @param {Rows} rows
   * @param {() => void} changed
   */
  constructor(feed, rows, changed) {
    this.feed = feed;
    this.rows = rows;
    this.changed = changed;
  }

  /** @param {Entry | null} entry */
  set(entry) {
    if (this.entry === entry) return;
    if (this.entry) this.entry.version++;
    if (entry) entry.version++;
    this.entry = entry;
    this.changed();
  }

  /** @param {1 | -1} direction */
  step(direction) {
    const { rows } = this;
    const { entries } = this.feed.model;
    if (!entries.length) return;
    const at = this.entry ? entries.indexOf(this.entry) : -1;
    const drawn = at >= rows.start && at < rows.end;
    const from = drawn ? at + direction : direction > 0 ? rows.firstSeen : rows.lastSeen;
    const to = Math.max(0, Math.min(entries.length - 1, from));
    if (direction < 0) rows.pause();
    this.set(entries[to]);
    if (to < entries.length - 1 || !rows.place.follow) rows.reveal(to);
    this.#focus = true;
    this.changed();
  }

  /**
   * Brings an entry into sight and goes there.
   * @param {Entry} entry
   * @param {boolean} focus
   */
  goTo(entry, focus) {
    const { rows } = this;
    const index = this.feed.model.entries.indexOf(entry);
    if (index < 0) return;
    this.set(entry);
    const seen = index > rows.firstSeen && index < rows.lastSeen;
    rows.reveal(index, seen ? "near" : "middle");
    if (!seen) rows.pause();
    this.#focus = focus;
    this.changed();
  }

  /** @param {Entry} entry */
  toggle(entry) {
    entry.open = !entry.open;
    entry.version++;
    entry.height = 0;
    if (entry.open) this.rows.pause();
    this.#opened = entry.open ? entry : null;
    this.rows.changed();
    this.changed();
  }

  /** Opens or closes the row. */
  open() {
    if (!this.entry?.row || this.entry.kind !== "line") return;
    this.toggle(this.entry);
    this.#focus = true;
  }

  /** Closes the row, or leaves it. */
  leave() {
    if (this.entry?.open) this.open();
    else this.set(null);
  }

  /** After the rows are drawn. */
  focus() {
    const opened = this.#opened;
    if (opened?.height) {
      this.#opened = null;
      this.rows.reveal(this.feed.model.entries.indexOf(opened));
    }
    if (!this.#focus || !this.entry) return;
    this.#focus = false;
    this.rows.elementOf(this.entry)?.focus({ preventScroll: true });
  }
}
