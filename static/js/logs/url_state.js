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
   * @param {{
   *   linked: () => number | null,
   *   place: () => import("./navigation.js").Place,
   *   write: (params: URLSearchParams) => void,
   * }} more the line the reader came for; where they are, for who comes back; what else of the view
   *   stands there
   */
  constructor(feed, rows, { linked, place, write }) {
    this.feed = feed;
    this.rows = rows;
    this.linked = linked;
    this.place = place;
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
    const line = seq ? `#${this.#anchor(seq)}` : "";
    return `${location.origin}${location.pathname}${query}${line}`;
  }

  /**
   * The reader chose something: what is reloaded or copied now has to have it, and what was before is a
   * step back.
   * @param {boolean} [typing] more of it may come
   */
  now(typing = false) {
    const address = this.#address();
    this.#leave();
    if (address === this.#shown) return;
    this.#shown = address;
    goTo(address, typing);
  }

  /** The reader goes somewhere else: where they are now is a step back. */
  leave() {
    this.#leave();
    history.pushState(null, "", location.href);
  }

  /** A step back leads to where the reader was, not only to what they saw there. */
  #leave() {
    const moved = this.#timer !== undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const place = this.place();
    let { href } = location;
    if (moved) {
      const { seq } = place;
      const line = place.follow || !seq ? "" : `#${this.#anchor(seq)}`;
      href = location.pathname + location.search + line;
    }
    history.replaceState({ ...history.state, log: place }, "", href);
  }

  /** @param {number} seq */
  #anchor(seq) {
    const { merged } = this.feed.source;
    return merged ? merged.anchor(seq) : `L${Math.floor(seq)}`;
  }

  /** The reader went a step back or on: the address says where they are. */
  stepped() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#shown = location.href;
  }

  /** The reader moved. */
  changed() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#show(), AFTER);
  }

  #show() {
    this.#timer = undefined;
    this.#shown = this.#address();
    history.replaceState({ ...history.state, log: this.place() }, "", this.#shown);
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
