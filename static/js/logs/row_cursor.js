// The row the keys are at: moved, opened, brought into sight, given the focus; from match to match and
// from error to error.

import { byId, isTyping, setText } from "../lib/dom.js";
import { formatNumber, t } from "../lib/i18n.js";
import { redraw, setOpen } from "./entry.js";
import { asOneSearch } from "./marks.js";
import { MatchTotal } from "./match_total.js";
import { toast } from "../lib/toast.js";

/** @typedef {import("./feed.js").Feed} Feed */
/** @typedef {import("./virtual_list.js").VirtualList} VirtualList */
/** @typedef {import("./entry.js").Entry} Entry */

const PHONE = globalThis.matchMedia?.("(max-width: 600px)") ?? { matches: false };

export class RowCursor {
  /** @type {Entry | null} */
  entry = null;
  /** The row gets the focus when it is drawn next. */
  #focus = false;
  /** It was opened, and is brought into sight when its height is known. @type {Entry | null} */
  #opened = null;
  /** Which of its lines the reader came for; 0: all of it. */
  #line = 0;

  /**
   * @param {Feed} feed
   * @param {VirtualList} rows
   * @param {{changed: () => void, openAt: (seq: number) => Promise<void>, leaves: () => void}} view
   *   `leaves`: the reader goes somewhere, whatever else is under way
   */
  constructor(feed, rows, view) {
    this.feed = feed;
    this.rows = rows;
    this.view = view;
    this.total = new MatchTotal(feed, () => view.changed());
  }

  /** @param {Entry | null} entry */
  set(entry) {
    if (this.entry === entry) return;
    if (this.entry) redraw(this.entry);
    if (entry) redraw(entry);
    this.entry = entry;
    this.view.changed();
  }

  /** Whether its row is in sight, or beside what is. */
  get isDrawn() {
    return this.entry !== null && this.rows.elementOf(this.entry) !== null;
  }

  /** @param {1 | -1} direction */
  step(direction) {
    const { rows } = this;
    const { entries } = this.feed.model;
    if (!entries.length) return;
    const at = this.entry ? entries.indexOf(this.entry) : -1;
    // Not by its place: rows that came before it are counted in that, and may not be drawn yet.
    const from =
      at >= 0 && this.isDrawn ? at + direction : direction > 0 ? rows.firstSeen : rows.lastSeen;
    const to = this.#seen(Math.max(0, Math.min(entries.length - 1, from)), direction);
    if (direction < 0) rows.pause();
    this.set(entries[to]);
    if (to < entries.length - 1 || !rows.place.follow) rows.reveal(to);
    this.#focus = true;
    this.view.changed();
  }

  /**
   * The nearest entry from here on that has a row.
   * @param {number} index
   * @param {1 | -1} direction
   */
  #seen(index, direction) {
    const { entries } = this.feed.model;
    for (let i = index; entries[i]; i += direction) if (!entries[i].folded) return i;
    for (let i = index; entries[i]; i -= direction) if (!entries[i].folded) return i;
    return index;
  }

  /** Shows or folds what comes again like the row, that of the keys if none is given. */
  spread(entry = this.entry) {
    const run = entry?.run;
    if (!run || run.all < 2) return;
    run.open = !run.open;
    if (run.open) this.rows.pause();
    // The row that is left is the one to go on from.
    else if (this.entry?.run === run) this.set(run.head);
    redraw(run.head);
    this.rows.changed();
    this.view.changed();
  }

  /** Gives an entry a row of its own, where another one stands for it. @param {Entry} entry */
  unfold(entry) {
    // Of what was just loaded it has to be decided first.
    this.rows.arrange();
    if (entry.folded && entry.run) this.spread(entry);
  }

  /**
   * Goes to a line, also to one that is folded under another, or into one that came before it.
   * @param {Entry} entry that has it
   * @param {number} seq
   */
  standOn(entry, seq) {
    this.unfold(entry);
    this.set(entry);
    this.rows.reveal(this.feed.model.entries.indexOf(entry), "middle");
    if (!entry.more?.some((row) => row[0] === seq)) return;
    if (!entry.open) this.toggle(entry);
    this.#opened = entry;
    this.#line = seq;
  }

  /**
   * Brings an entry into sight and goes there. Whoever types what is looked for goes on typing.
   * @param {Entry} entry
   */
  goTo(entry) {
    const { rows } = this;
    const index = this.feed.model.entries.indexOf(entry);
    if (index < 0) return;
    this.unfold(entry);
    this.set(entry);
    const seen = index > rows.firstSeen && index < rows.lastSeen;
    rows.reveal(index, seen ? "near" : "middle");
    if (!seen) rows.pause();
    this.#focus = !isTyping(document.activeElement);
    this.view.changed();
  }

  /** @param {Entry} entry */
  toggle(entry) {
    setOpen(entry, !entry.open);
    if (entry.open) this.rows.pause();
    this.#opened = entry.open ? entry : null;
    this.#line = 0;
    this.rows.changed();
    this.view.changed();
  }

  /** The keys go on from the row that they are at. */
  stay() {
    this.#focus = this.isDrawn;
    this.view.changed();
  }

  /** Opens or closes the row. */
  open() {
    if (!this.entry?.row || this.entry.kind !== "line") return;
    this.toggle(this.entry);
    this.#focus = true;
  }

  /** Stops looking; else closes the row, or leaves it. */
  leave() {
    if (this.feed.look) this.feed.look.stop();
    else if (this.entry?.open) this.open();
    else this.set(null);
  }

  /** After the rows are drawn. */
  focus() {
    const opened = this.#opened;
    if (opened?.height) {
      this.#opened = null;
      const index = this.feed.model.entries.indexOf(opened);
      const part = this.#partOf(opened);
      this.rows.reveal(index, part ? "middle" : "near", part);
    }
    if (!this.#focus || !this.entry) return;
    this.#focus = false;
    this.rows.elementOf(this.entry)?.focus({ preventScroll: true });
  }

  /** Where in an opened row the line is that the reader came for. @param {Entry} entry */
  #partOf(entry) {
    const row = this.#line ? this.rows.elementOf(entry) : null;
    const line = row?.querySelector(`.trace-line[data-seq="${this.#line}"]`);
    if (!row || !(line instanceof HTMLElement)) return undefined;
    // A long trace scrolls by itself.
    const trace = line.parentElement;
    if (trace) trace.scrollTop = line.offsetTop - trace.clientHeight / 2;
    const { top, height } = line.getBoundingClientRect();
    return { at: top - row.getBoundingClientRect().top, height };
  }

  // From match to match, from error to error: in what is loaded first, then in the store

  /** @param {1 | -1} direction */
  nextMatch(direction) {
    const { search, searchError } = this.feed.active;
    if (searchError) return toast(t("Not a pattern: {reason}", { reason: searchError }));
    if (!search) return toast(t("Nothing is looked for in this log yet"));
    const { filter } = this.feed;
    void this.#go("match", (entry) => entry.hit, direction, { ...filter, hide: true });
  }

  /**
   * From mark to mark, of those that were chosen.
   * @param {import("./marks.js").Marks} marks
   * @param {1 | -1} direction
   */
  nextMark(marks, direction) {
    const { chosen } = marks;
    const isIn = (/** @type {Entry} */ { row, more }) => {
      const lines = row ? [row, ...(more ?? [])].map((one) => one[4]) : [];
      return chosen.some(({ id }) => marks.isIn(id, lines));
    };
    // Where the filter has words of its own both cannot be asked of the store: the marks win there.
    const filter = { ...this.feed.filter, ...asOneSearch(chosen), hide: true };
    void this.#go("mark", isIn, direction, filter);
  }

  /**
   * @param {"error" | "warning"} level
   * @param {1 | -1} direction
   */
  nextLevel(level, direction) {
    const filter = { ...this.feed.filter, levels: [level] };
    void this.#go(level, (entry) => entry.level === level, direction, filter);
  }

  /**
   * @param {"match" | "mark" | "error" | "warning"} what
   * @param {(entry: Entry) => boolean} wanted
   * @param {1 | -1} direction
   * @param {import("./filter.js").Filter} filter that the store is asked with
   * @param {boolean} [turned] it is the other direction than was asked for
   * @returns {Promise<void>}
   */
  async #go(what, wanted, direction, filter, turned = false) {
    const { entries } = this.feed.model;
    for (let i = this.#from(direction); i >= 0 && i < entries.length; i += direction) {
      if (!wanted(entries[i]) || standsFor(entries[i], wanted)) continue;
      this.view.leaves();
      return this.goTo(entries[i]);
    }
    const ends = direction > 0 ? this.feed.attached : this.feed.model.atStart;
    const at = this.entry;
    // Whoever has just begun to look is at no match yet: what is above is as welcome.
    if (ends && !turned && !(at && wanted(at))) {
      return this.#go(what, wanted, direction > 0 ? -1 : 1, filter, true);
    }
    if (ends) return toast(noMore(what));
    const { look: before } = this.feed;
    if (before?.what === what && before.direction === direction) return;
    try {
      const { seq, look } = await this.feed.find(what, filter, direction);
      if (seq !== null) await this.view.openAt(seq);
      else if (!look.stopped) toast(noMore(what));
    } catch {
      toast(t("The server did not answer"));
    }
  }

  /**
   * Where to begin: beside the row the keys are at if it is seen, else at the edge of what is seen.
   * @param {1 | -1} direction
   */
  #from(direction) {
    const { rows } = this;
    const { entries } = this.feed.model;
    const at = this.entry ? entries.indexOf(this.entry) : -1;
    if (at >= 0 && at >= rows.start && at < rows.end) return at + direction;
    if (rows.place.follow) return direction > 0 ? rows.firstSeen : entries.length - 1;
    return direction > 0 ? rows.firstSeen : rows.lastSeen;
  }

  /** What was said last of an expression that is none. @type {string | null} */
  #said = null;
  /** Of which search, and which of its matches, a screen reader was told. */
  #told = "";

  /** How many entries match, and which of them the reader is at. */
  showCount() {
    const box = byId("log-count");
    const { model } = this.feed;
    const { search, searchError, searchLacks } = this.feed.active;
    box.title = "";
    byId("log-find").setAttribute("aria-invalid", String(searchError !== null));
    if (searchError) {
      setText(box, t("not a pattern"));
      box.title = searchError;
      // What is half typed speaks for itself; what there is not has to be said.
      if (searchLacks && searchError !== this.#said) toast(searchError);
      this.#said = searchError;
      return this.#tell(searchError, box.textContent ?? "");
    }
    this.#said = null;
    byId("log-previous").hidden = byId("log-next").hidden = !search;
    if (!search) {
      setText(box, "");
      return this.#tell("", "");
    }
    const count = model.hits;
    let at = this.#place();
    this.total.look();
    const total = this.total.now;
    const loaded = model.atStart && this.feed.attached;
    let all = count;
    if (total) {
      all = total.found + total.since(model.entries);
      // Of all of them it is known only from the end.
      at = at && total.done && this.feed.attached ? all - (count - at) : 0;
    }
    const more = loaded || total?.done ? "" : "+";
    const shown = formatNumber(all) + more;
    const words =
      at > 0
        ? t("{at} of {all}", { at: formatNumber(at), all: shown })
        : t("{all} found", { all: shown });
    // On a phone there is room for the numbers: the words are read out, and shown on asking.
    const short = at > 0 ? `${formatNumber(at)}/${shown}` : shown;
    setText(box, PHONE.matches ? short : words);
    if (PHONE.matches) box.title = words;
    if (more) {
      box.title = total
        ? t("In what was looked through by now")
        : t("In the lines that are loaded; next and previous look in all of them");
    }
    // Once more where it is known how many there are in all.
    this.#tell(`${this.feed.filter.q} ${count > 0} ${at} ${total?.done === true}`, words);
  }

  /** Which of the entries that match the row of the keys is; 0: none of them. */
  #place() {
    if (!this.entry?.hit) return 0;
    let at = 0;
    for (const entry of this.feed.model.entries) {
      if (entry.hit) at++;
      if (entry === this.entry) return at;
    }
    return 0;
  }

  /**
   * Tells a screen reader, once: that one more line matches is no reason to interrupt it.
   *
   * @param {string} about
   * @param {string} words
   */
  #tell(about, words) {
    if (about === this.#told) return;
    this.#told = about;
    setText(byId("log-count-said"), words);
  }
}

/**
 * Whether an entry that is looked for has no row, and the row that stands for it is one as well.
 * @param {Entry} entry
 * @param {(entry: Entry) => boolean} wanted
 */
function standsFor(entry, wanted) {
  return entry.folded && entry.run !== null && wanted(entry.run.head);
}

/** @param {"match" | "mark" | "error" | "warning"} what */
function noMore(what) {
  if (what === "mark") return t("No more marks");
  if (what === "match") return t("No more matches");
  return what === "error" ? t("No more errors") : t("No more warnings");
}
