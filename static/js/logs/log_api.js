// Lines and events from the store, over the HTTP API.

import { call } from "../lib/api.js";
import { serverFilter } from "./filter.js";

/** @typedef {import("./filter.js").Filter} Filter */
/** @typedef {import("./log_model.js").LogEvent} LogEvent */
/** @typedef {import("./log_model.js").Row} Row */

/**
 * Lines, and what is known with them: every line that passes the filter from `lo` to `hi` is in
 * `rows`.
 * @typedef {{ rows: Row[], lo: number, hi: number, first: number, next: number }} Page
 */

const ROUNDS = 500; // questions until looking for a line is given up

export class LogApi {
  /** @param {string} base the path of the calls of this log, as in log_source.js */
  constructor(base) {
    this.base = base;
  }

  /**
   * The last `limit` lines before this one.
   * @param {number} seq
   * @param {Filter} filter
   * @param {number} limit
   * @returns {Promise<Page>}
   */
  async before(seq, filter, limit) {
    const { rows, first, next, cursor } = await this.#lines(filter, { before: seq, limit });
    let lo = first;
    if (cursor !== null) lo = Math.min(cursor, seq);
    else if (rows.length >= limit) lo = rows[0][0];
    return { rows, lo, hi: seq - 1, first, next };
  }

  /**
   * The first `limit` lines after this one.
   * @param {number} seq
   * @param {Filter} filter
   * @param {number} limit
   * @returns {Promise<Page>}
   */
  async after(seq, filter, limit) {
    const { rows, first, next, cursor } = await this.#lines(filter, { after: seq, limit });
    let hi = next - 1;
    if (cursor !== null) hi = Math.max(cursor, seq);
    else if (rows.length >= limit) hi = rows[rows.length - 1][0];
    return { rows, lo: seq + 1, hi, first, next };
  }

  /**
   * @param {Filter} filter
   * @param {Record<string, number>} range
   * @returns {Promise<{ rows: Row[], first: number, next: number, cursor: number | null }>}
   */
  async #lines(filter, range) {
    const params = serverFilter(filter);
    for (const [name, value] of Object.entries(range)) params.set(name, String(value));
    const { lines, first, next, cursor } = await call("GET", `${this.base}/lines?${params}`);
    return { rows: lines, first, next, cursor: cursor ?? null };
  }

  /**
   * The nearest line that passes the filter, after or before this one.
   * @param {Filter} filter
   * @param {1 | -1} direction
   * @param {number} from seq
   * @param {() => boolean} wanted whether it is still asked for
   * @returns {Promise<number | null>} its seq
   */
  async nearest(filter, direction, from, wanted) {
    // The server looks through so much at a time and says where it stopped.
    for (let round = 0; round < ROUNDS && wanted(); round++) {
      const page = await (direction > 0
        ? this.after(from, filter, 1)
        : this.before(from, filter, 1));
      if (page.rows.length) return page.rows[0][0];
      from = direction > 0 ? page.hi : page.lo;
      if (direction > 0 ? from >= page.next - 1 : from <= page.first) return null;
    }
    return null;
  }

  /**
   * The first line at or after this moment.
   * @param {string} time RFC 3339
   * @returns {Promise<number>}
   */
  async seqAt(time) {
    const { seq } = await call("GET", `${this.base}/seq?time=${encodeURIComponent(time)}`);
    return seq;
  }

  /**
   * Events between these moments, by time, the newest 500 at most.
   * @param {string} since RFC 3339 or ""
   * @param {string} until RFC 3339 or ""
   * @returns {Promise<LogEvent[]>}
   */
  async events(since, until) {
    const params = new URLSearchParams();
    if (since) params.set("since", since);
    if (until) params.set("until", until);
    const answer = await call("GET", `${this.base}/events?${params}`);
    /** @type {LogEvent[]} */
    const events = Array.isArray(answer) ? answer : answer.events;
    return events.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : a.id - b.id));
  }

  /**
   * @param {Filter} filter
   * @param {"text" | "jsonl"} format
   */
  downloadAddress(filter, format) {
    const params = serverFilter(filter);
    params.set("format", format);
    return `${this.base}/download?${params}`;
  }
}
