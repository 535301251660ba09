// The address bar says where the reader is: filters, and the line unless they follow the end.

import { goTo } from "../lib/address.js";
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
   * @param {{ linked: () => number | null, write: (params: URLSearchParams) => void }} more the line the
   *   reader came for; what else of the view stands there
   */
  constructor(feed, rows, { linked, write }) {
    this.feed = feed;
    this.rows = rows;
    this.linked = linked;
    this.write = write;
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
    this.write(params);
    const query = params.size ? `?${params}` : "";
    const { merged } = this.feed.source;
    const line = seq ? `#${merged ? merged.anchor(seq) : `L${Math.floor(seq)}`}` : "";
    return `${location.origin}${location.pathname}${query}${line}`;
  }

  /**
   * The reader chose something: what is reloaded or copied now has to have it, and what was before is a
   * step back.
   * @param {boolean} [typing] more of it may come
   */
  now(typing = false) {
    clearTimeout(this.#timer);
    const address = this.#address();
    if (address === this.#shown) return;
    this.#shown = address;
    goTo(address, typing);
  }

  /** The reader went a step back or on: the address says where they are. */
  stepped() {
    clearTimeout(this.#timer);
    this.#shown = location.href;
  }

  /** The reader moved. */
  changed() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#show(), AFTER);
  }

  #show() {
    const address = this.#address();
    if (address === this.#shown) return;
    this.#shown = address;
    history.replaceState(history.state, "", address);
  }

  /** The address of what is in sight. */
  #address() {
    const { rows, feed } = this;
    const linked = this.linked();
    const first = Math.ceil(feed.model.entries[rows.firstSeen]?.seq ?? 0);
    const at = linked !== null && this.#isSeen(linked) ? linked : first;
    return this.of(rows.place.follow ? null : at);
  }

  /** @param {number} seq */
  #isSeen(seq) {
    const index = this.feed.model.indexOf(seq);
    return index >= this.rows.firstSeen && index <= this.rows.lastSeen;
  }
}
