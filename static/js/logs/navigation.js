// Where the reader goes in a log: to a line, a moment, its beginning, its end, back. One way at a time:
// whoever goes somewhere else meanwhile is not taken where they wanted to go before.

import { t } from "../lib/i18n.js";
import { toast } from "../lib/toast.js";
import { fromMs } from "./times.js";

/**
 * Where a reader was: at the end, which goes on, or below the top of an entry.
 * @typedef {object} Place
 * @property {boolean} follow
 * @property {number} [seq]
 * @property {number} [offset] px
 * @property {number | null} [linked] the line that they came for
 */

export class Navigation {
  #ways = 0;

  /** @param {import("./log_view.js").LogView} view */
  constructor(view) {
    this.view = view;
  }

  /**
   * A way begins. What was under way leads nowhere any more: each step of a way that waits for something
   * asks afterwards whether it is still the one.
   * @param {boolean} [stays] the reader goes nowhere else: what is opened is only to be filtered otherwise
   * @returns {() => boolean} whether it is
   */
  begin(stays = false) {
    const mine = ++this.#ways;
    const { feed } = this.view;
    feed.look?.stop();
    if (!stays) feed.dropOpening();
    return () => mine === this.#ways;
  }

  follow() {
    this.begin();
    const { view } = this;
    const { feed } = view;
    // The end of the log is in no stretch that has ended.
    if (feed.bounds && feed.bounds.to !== Infinity) view.choices.range?.clear();
    if (!feed.attached || feed.loading === "open") feed.goToEnd();
    feed.seen();
    view.linked = null;
    view.rows.follow();
    view.url.changed();
    view.schedule();
  }

  /** To the end of what is shown: of a span that is its last line, else it goes on from there. */
  toEnd() {
    const { bounds } = this.view.feed;
    if (bounds && bounds.to !== Infinity) void this.openAt(Math.max(bounds.from, bounds.to - 1));
    else this.follow();
  }

  /** To the first line that is kept, or of the span, from the store if it is not loaded. */
  async toTop() {
    const isNewest = this.begin();
    const { view } = this;
    const { feed, rows } = view;
    rows.toStart();
    view.schedule();
    if (feed.model.atStart && feed.loading !== "open") return;
    if (!(await feed.openAt(feed.bounds?.from ?? feed.first)) || !isNewest()) return;
    rows.toStart();
    view.schedule();
  }

  /**
   * Shows a line, from the store if it is not loaded.
   * @param {number} seq
   */
  async openAt(seq) {
    const isNewest = this.begin();
    const { view } = this;
    const { feed, rows } = view;
    view.linked = seq;
    const here = feed.holds(seq);
    if (rows.place.follow || !here) rows.stayAt(seq);
    if (!here && !(await feed.openAt(seq))) return;
    if (!isNewest()) return;
    feed.takeIn(Infinity);
    rows.repaint();
    rows.changed();
    let index = feed.model.indexOf(seq);
    if (index < 0) {
      // It is hidden by the filter or no longer kept: the nearest line is shown.
      if (seq < feed.first) toast(t("Line {seq} is no longer kept", { seq: `#${seq}` }));
      index = Math.min(feed.model.indexAt(seq), feed.model.entries.length - 1);
    }
    const entry = feed.model.entries[index];
    if (entry) view.cursor.standOn(entry, seq);
    rows.pause();
    view.url.changed();
    view.schedule();
  }

  /** @param {number} ms since 1970 */
  async jumpTo(ms) {
    const isNewest = this.begin();
    const { view } = this;
    try {
      const seq = await view.feed.seqAt(fromMs(ms));
      if (seq === null || !isNewest()) return;
      if (seq > view.feed.recent.last && view.feed.recent.last) {
        toast(t("Nothing was logged after that"));
        return this.follow();
      }
      await this.openAt(seq);
      view.focusRows();
    } catch {
      if (isNewest()) toast(t("The server did not answer"));
    }
  }

  /** @returns {Place} where the reader is */
  get place() {
    const { place } = this.view.rows;
    if (place.follow) return { follow: true };
    return { follow: false, seq: place.seq, offset: place.offset, linked: this.view.linked };
  }

  /**
   * To where the reader was.
   * @param {Place} place
   * @param {boolean} [anew] what is loaded is of something else
   */
  async comeBack({ follow, seq = 1, offset = 0, linked = null }, anew = false) {
    const { view } = this;
    const { feed, rows } = view;
    if (follow) {
      if (anew) feed.goToEnd();
      return this.follow();
    }
    const isNewest = this.begin();
    view.linked = linked;
    rows.stayAt(seq, offset);
    if (anew || !feed.holds(seq)) {
      if (!(await feed.openAt(Math.max(1, Math.floor(seq)))) || !isNewest()) return;
      rows.stayAt(seq, offset);
    }
    rows.repaint();
    rows.changed();
    view.url.changed();
    view.schedule();
  }
}
