// The address bar says where the reader is: filters, and the line unless they follow the end.

import { IN_ADDRESS, writeFilter } from "./filter.js";

/** @typedef {import("./feed.js").Feed} Feed */
/** @typedef {import("./virtual_list.js").VirtualList} VirtualList */

const AFTER = 300; // ms: a browser refuses addresses that change with every scrolled row

export class UrlState {
  #shown = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {Feed} feed
   * @param {VirtualList} rows
   * @param {() => number | null} linked the line the reader came for
   */
  constructor(feed, rows, linked) {
    this.feed = feed;
    this.rows = rows;
    this.linked = linked;
  }

  /**
   * @param {number | null} seq
   * @returns {string} the address of this page with its filter, at this line
   */
  of(seq) {
    const params = new URLSearchParams(location.search);
    // What else the page says there stays.
    for (const name of IN_ADDRESS) params.delete(name);
    for (const [name, value] of writeFilter(this.feed.filter)) params.append(name, value);
    const query = params.size ? `?${params}` : "";
    const { merged } = this.feed.source;
    const line = seq ? `#${merged ? merged.anchor(seq) : `L${Math.floor(seq)}`}` : "";
    return `${location.origin}${location.pathname}${query}${line}`;
  }

  /** The filter is another one: what is reloaded or copied now has to have it. */
  now() {
    clearTimeout(this.#timer);
    this.#show();
  }

  /** The reader moved. */
  changed() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#show(), AFTER);
  }

  #show() {
    const { rows, feed } = this;
    const linked = this.linked();
    const first = Math.ceil(feed.model.entries[rows.firstSeen]?.seq ?? 0);
    const at = linked !== null && this.#isSeen(linked) ? linked : first;
    const address = this.of(rows.place.follow ? null : at);
    if (address === this.#shown) return;
    this.#shown = address;
    history.replaceState(history.state, "", address);
  }

  /** @param {number} seq */
  #isSeen(seq) {
    const index = this.feed.model.indexOf(seq);
    return index >= this.rows.firstSeen && index <= this.rows.lastSeen;
  }
}
