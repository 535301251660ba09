// Lines and events from the store, over the HTTP API.

import { call } from "../lib/api.js";
import { withLevels } from "./extents.js";
import { serverFilter } from "./filter.js";

/** @typedef {import("./filter.js").Filter} Filter */
/** @typedef {import("./log_model.js").LogEvent} LogEvent */
/** @typedef {import("./log_model.js").Row} Row */

/**
 * Lines, and what is known with them: every line that passes the filter from `lo` to `hi` is in
 * `rows`.
 * @typedef {{ rows: Row[], lo: number, hi: number, first: number, next: number }} Page
 */

/**
 * A stretch of the log, from one seq to before another, and of which time that is (RFC 3339).
 * One that goes on has Infinity for its end, and no `until`.
 * @typedef {{ from: number, to: number, since: string, until: string }} Bounds
 */

export class LogApi {
  /**
   * @param {string} base the path of the calls of this log, as in log_source.js
   * @param {import("./extents.js").Extents} extents learn which lines belong together
   */
  constructor(base, extents) {
    this.base = base;
    this.extents = extents;
  }

  /** As if nothing else was there; null: all of it. @type {Bounds | null} */
  bounds = null;

  /**
   * The last `limit` lines before this one.
   * @param {number} seq
   * @param {Filter} filter
   * @param {number} limit
   * @param {AbortSignal} [signal]
   * @returns {Promise<Page>}
   */
  async before(seq, filter, limit, signal) {
    const { bounds } = this;
    if (bounds) seq = Math.min(seq, bounds.to);
    if (bounds && seq <= bounds.from) return nothing(seq, seq, bounds);
    const { rows, first, next, cursor } = await this.#lines(filter, { before: seq, limit }, signal);
    let lo = first;
    if (cursor !== null) lo = Math.min(cursor, seq);
    else if (rows.length >= limit) lo = rows[0][0];
    return within({ rows, lo, hi: seq - 1, first, next }, bounds);
  }

  /**
   * The first `limit` lines after this one.
   * @param {number} seq
   * @param {Filter} filter
   * @param {number} limit
   * @param {AbortSignal} [signal]
   * @returns {Promise<Page>}
   */
  async after(seq, filter, limit, signal) {
    const { bounds } = this;
    if (bounds) seq = Math.max(seq, bounds.from - 1);
    if (bounds && seq >= bounds.to - 1) return nothing(seq + 1, bounds.to, bounds);
    const { rows, first, next, cursor } = await this.#lines(filter, { after: seq, limit }, signal);
    let hi = next - 1;
    if (cursor !== null) hi = Math.max(cursor, seq);
    else if (rows.length >= limit) hi = rows[rows.length - 1][0];
    return within({ rows, lo: seq + 1, hi, first, next }, bounds);
  }

  /**
   * @param {Filter} filter
   * @param {Record<string, number>} range
   * @param {AbortSignal} [signal]
   * @returns {Promise<{ rows: Row[], first: number, next: number, cursor: number | null }>}
   */
  async #lines(filter, range, signal) {
    const params = serverFilter(filter);
    for (const [name, value] of Object.entries(range)) params.set(name, String(value));
    /** @type {import("../types/api.js").Lines} */
    const page = await call("GET", `${this.base}/lines?${params}`, undefined, signal);
    const { lines, levels, entries, first, next, cursor } = page;
    this.extents.add(entries);
    return { rows: withLevels(lines, levels), first, next, cursor: cursor ?? null };
  }

  /**
   * The nearest line that passes the filter, after or before this one, however far away.
   * @param {Filter} filter
   * @param {number} from seq
   * @param {import("./look.js").Look} look in its direction; told how far it is
   * @returns {Promise<number | null>} its seq; null where there is none, or it was stopped
   */
  async nearest(filter, from, look) {
    const { direction, signal } = look;
    // The server looks through so much at a time and says where it stopped.
    while (!look.stopped) {
      const page = await (direction > 0
        ? this.after(from, filter, 1, signal)
        : this.before(from, filter, 1, signal));
      if (page.rows.length) return page.rows[0][0];
      from = direction > 0 ? page.hi : page.lo;
      if (direction > 0 ? from >= page.next - 1 : from <= page.first) return null;
      look.reached(from);
    }
    return null;
  }

  /**
   * The first line at or after this moment.
   * @param {string} time RFC 3339
   * @param {AbortSignal} [signal]
   * @returns {Promise<number>}
   */
  async seqAt(time, signal) {
    const address = `${this.base}/seq?time=${encodeURIComponent(time)}`;
    const { seq } = await call("GET", address, undefined, signal);
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
    const answer = await call("GET", this.eventsAddress(params));
    /** @type {LogEvent[]} */
    const events = Array.isArray(answer) ? answer : answer.events;
    return events.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : a.id - b.id));
  }

  /** @param {URLSearchParams} params */
  eventsAddress(params) {
    return `${this.base}/events?${params}`;
  }

  /**
   * @param {Filter} filter
   * @param {"text" | "jsonl" | "markdown"} format
   * @param {Record<string, string>} [part] of the log: `after` and `before`, or `since` and `until`
   */
  downloadAddress(filter, format, part = {}) {
    const params = serverFilter(filter);
    for (const [name, value] of Object.entries(part)) params.set(name, value);
    params.set("format", format);
    params.set("names", "1");
    return `${this.base}/download?${params}`;
  }
}

/**
 * What is of the stretch, as if the log began and ended with it.
 *
 * @param {Page} page
 * @param {Bounds | null} bounds
 * @returns {Page}
 */
function within(page, bounds) {
  if (!bounds) return page;
  const { from, to } = bounds;
  return {
    rows: page.rows.filter(([seq]) => seq >= from && seq < to),
    lo: Math.max(page.lo, from),
    hi: Math.min(page.hi, to - 1),
    first: Math.max(page.first, from),
    next: Math.min(page.next, to),
  };
}

/**
 * @param {number} lo
 * @param {number} to
 * @param {Bounds} bounds
 * @returns {Page}
 */
function nothing(lo, to, bounds) {
  return { rows: [], lo, hi: to - 1, first: bounds.from, next: bounds.to };
}
