// Going from match to match, from error to error: in what is loaded first, then in the store.

import { byId, setText } from "../lib/dom.js";
import { formatNumber, t } from "../lib/i18n.js";
import { say } from "./toast.js";

/** @typedef {import("./feed.js").Feed} Feed */
/** @typedef {import("./log_model.js").Entry} Entry */
/** @typedef {import("./virtual_list.js").Rows} Rows */

export class Find {
  #asking = false;

  /**
   * @param {Feed} feed
   * @param {Rows} rows
   * @param {() => Entry | null} cursor
   * @param {(entry: Entry) => void} goTo
   * @param {(seq: number) => Promise<void>} openAt
   */
  constructor(feed, rows, cursor, goTo, openAt) {
    this.feed = feed;
    this.rows = rows;
    this.cursor = cursor;
    this.goTo = goTo;
    this.openAt = openAt;
  }

  /** @param {1 | -1} direction */
  match(direction) {
    if (!this.feed.lens.search) return;
    const { filter } = this.feed;
    void this.#go((entry) => entry.hit, direction, { ...filter, hide: true }, t("No more matches"));
  }

  /**
   * @param {"error" | "warning"} level
   * @param {1 | -1} direction
   */
  level(level, direction) {
    const { filter } = this.feed;
    const none = level === "error" ? t("No more errors") : t("No more warnings");
    void this.#go(
      (entry) => entry.level === level,
      direction,
      { ...filter, levels: [level] },
      none,
    );
  }

  /**
   * @param {(entry: Entry) => boolean} wanted
   * @param {1 | -1} direction
   * @param {import("./filters.js").Filter} filter that the store is asked with
   * @param {string} none
   * @param {boolean} [turned] it is the other direction than was asked for
   * @returns {Promise<void>}
   */
  async #go(wanted, direction, filter, none, turned = false) {
    const { entries } = this.feed.model;
    for (let i = this.#from(direction); i >= 0 && i < entries.length; i += direction) {
      if (wanted(entries[i])) return this.goTo(entries[i]);
    }
    const ends = direction > 0 ? this.feed.attached : this.feed.model.atStart;
    const at = this.cursor();
    // Whoever has just begun to look is at no match yet: what is above is as welcome.
    if (ends && !turned && !(at && wanted(at))) {
      return this.#go(wanted, direction > 0 ? -1 : 1, filter, none, true);
    }
    if (ends) return say(none);
    if (this.#asking) return;
    this.#asking = true;
    try {
      const seq = await this.feed.find(filter, direction);
      if (seq === null) say(none);
      else await this.openAt(seq);
    } catch {
      say(t("The server did not answer"));
    } finally {
      this.#asking = false;
    }
  }

  /**
   * Where to begin: beside the row the keys are at if it is seen, else at the edge of what is seen.
   * @param {1 | -1} direction
   */
  #from(direction) {
    const { rows } = this;
    const { entries } = this.feed.model;
    const cursor = this.cursor();
    const at = cursor ? entries.indexOf(cursor) : -1;
    if (at >= 0 && at >= rows.start && at < rows.end) return at + direction;
    if (rows.place.follow) return direction > 0 ? rows.firstSeen : entries.length - 1;
    return direction > 0 ? rows.firstSeen : rows.lastSeen;
  }

  /** How many entries match, and which of them the reader is at. */
  showCount() {
    const box = byId("log-count");
    const { model } = this.feed;
    const { search, searchError } = this.feed.lens;
    box.title = "";
    byId("log-find").setAttribute("aria-invalid", String(searchError !== null));
    if (searchError) {
      setText(box, t("not a pattern"));
      box.title = searchError;
      return;
    }
    byId("log-previous").hidden = byId("log-next").hidden = !search;
    if (!search) return setText(box, "");
    const cursor = this.cursor();
    let count = 0;
    let at = 0;
    for (const entry of model.entries) {
      if (!entry.hit) continue;
      count++;
      if (entry === cursor) at = count;
    }
    const more = model.atStart && this.feed.attached ? "" : "+";
    const all = formatNumber(count) + more;
    setText(
      box,
      at ? t("{at} of {all}", { at: formatNumber(at), all }) : t("{all} found", { all }),
    );
    if (more) box.title = t("In the lines that are loaded; next and previous look in all of them");
  }
}
