// The traffic of one app: asked for as one answer, and each 5 s over the live socket where the last
// five minutes are shown. As series, so that it is drawn by the charts that draw everything.

import { call, Problem } from "../lib/api.js";
import { live } from "../live/live_socket.js";
import { lengthOf } from "./time_span.js";
import { SpanSource } from "./span_source.js";

/** @typedef {import("./columns.js").Kept} Kept */
/** @typedef {import("./columns.js").Point} Point */
/** @typedef {"seconds" | "mean" | "count" | "errors"} By what the list of addresses goes by */

/**
 * An address: `seconds` all together, `mean` and `most` of one answer.
 *
 * @typedef {object} Address
 * @property {string} method
 * @property {string} path
 * @property {number} count
 * @property {number} errors
 * @property {number} seconds
 * @property {number} mean
 * @property {Record<string, number | null>} quantiles
 * @property {number} most
 * @property {string} example
 */

/**
 * What docs/protocols/traffic.md says.
 *
 * @typedef {object} Traffic
 * @property {number} since
 * @property {number} until
 * @property {number} read
 * @property {number} width
 * @property {boolean} routed
 * @property {number} requests
 * @property {number} errors
 * @property {number} left
 * @property {{ count: number, mean: number | null, quantiles: Record<string, number | null>, error: number }} latency
 * @property {{ ended: number, seconds: number, open: number | null }} connections
 * @property {{ online: number, day: number, error: number }} clients
 * @property {[number, number | null, number | null, number | null, number | null, number | null][]} columns
 * @property {{ bounds: number[], columns: number[][] }} heat
 * @property {Address[]} top
 * @property {Address[]} [by_mean]
 * @property {Address[]} [by_count]
 * @property {{ count: number, seconds: number }} others
 * @property {number} off_by
 * @property {string | null} trouble
 */

const POINTS = 180;
const TOP = 20;
const SOON = 10_000; // ms
const AGAIN = 5_000; // ms until a question without an answer is asked again
const QUANTILES = ["0.5", "0.95", "0.99"];

export class TrafficSource extends SpanSource {
  /** @type {Traffic | null} */
  traffic = null;
  /** @type {By} */
  by = "seconds";

  /** @type {Kept[]} */
  #series = [];
  /** @type {import("../live/channels.js").Subscription | null} */
  #subscription = null;
  #version = 0; // grows with what is asked for: answers to older questions are dropped
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {string} app
   * @param {import("./time_span.js").TimeSpan} span
   * @param {number} now the server's clock when the page was drawn, in ms
   */
  constructor(app, span, now) {
    super(app, span, now);
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.#soon(0);
    });
  }

  /**
   * @returns {[number, number]} what the numbers are of
   * @override
   */
  get edges() {
    const { traffic } = this;
    return traffic && this.isLive ? [traffic.since, traffic.until] : super.edges;
  }

  /**
   * @param {import("./time_span.js").TimeSpan} span
   * @override
   */
  setSpan(span) {
    super.setSpan(span);
    this.#series = [];
    this.traffic = null;
    this.ask();
    this.dispatchEvent(new Event("data"));
  }

  /** @param {By} by */
  setBy(by) {
    this.by = by;
    // What is live comes with three lists; of errors there is none among them.
    if (!this.isLive || by === "errors" || !this.traffic?.by_count) this.ask();
    this.dispatchEvent(new Event("data"));
  }

  ask() {
    this.#version += 1;
    const lives = this.isLive && this.by !== "errors";
    if (lives) this.#follow();
    else {
      this.#subscription?.close();
      this.#subscription = null;
      this.#soon(0);
    }
  }

  /** The addresses in the order that was asked for. */
  get top() {
    const { traffic, by } = this;
    if (!traffic) return [];
    if (by === "mean" && traffic.by_mean) return traffic.by_mean;
    if (by === "count" && traffic.by_count) return traffic.by_count;
    return traffic.top;
  }

  /**
   * @param {string[]} names
   * @returns {Kept[]}
   * @override
   */
  series(names) {
    return this.#series.filter((one) => names.includes(one.name));
  }

  /** @override */
  knows() {
    return this.traffic !== null;
  }

  /** @param {number} after ms */
  #soon(after) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#get(), after);
  }

  async #get() {
    if (this.#subscription || document.hidden) return;
    const version = this.#version;
    const [since, until] = super.edges;
    const query = new URLSearchParams({
      since: String(Math.floor(since)),
      until: String(Math.ceil(until)),
      points: String(POINTS),
      top: String(TOP),
      by: this.by,
    });
    try {
      const path = `/api/v1/apps/${encodeURIComponent(this.app)}/traffic?${query}`;
      const traffic = await call("GET", path);
      if (version !== this.#version) return;
      this.problem = null;
      this.#take(traffic);
      if ("range" in this.span) this.#soon(Math.max(SOON, (lengthOf(this.span) / POINTS) * 1000));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (version !== this.#version) return;
      this.problem = error;
      this.#soon(AGAIN);
      this.dispatchEvent(new Event("state"));
    }
  }

  #follow() {
    this.#subscription ??= live.subscribe(
      `traffic/${this.app}`,
      {},
      {
        traffic: ({ traffic }) => {
          this.problem = null;
          if (this.isLive && !document.hidden) this.#take(traffic);
        },
        error: ({ code, message }) => {
          this.problem = new Problem(0, code, message);
          this.dispatchEvent(new Event("state"));
        },
      },
    );
  }

  /** @param {Traffic} traffic */
  #take(traffic) {
    this.traffic = traffic;
    this.trouble = traffic.trouble;
    this.#series = seriesOf(traffic);
    const before = this.names.size;
    for (const { name, unit } of this.#series) this.names.set(name, unit);
    if (this.names.size > before) this.dispatchEvent(new Event("names"));
    this.dispatchEvent(new Event("state"));
    this.dispatchEvent(new Event("data"));
  }
}

/**
 * The columns of an answer as series.
 *
 * @param {Pick<Traffic, "columns" | "width" | "read">} traffic
 * @returns {Kept[]}
 */
export function seriesOf({ columns, width, read }) {
  /**
   * @param {string} name
   * @param {string} unit
   * @param {Record<string, string>} labels
   * @param {(column: Traffic["columns"][number]) => number | null} value
   */
  const one = (name, unit, labels, value) => {
    const points = columns.map((column) => {
      const is = value(column);
      return /** @type {Point} */ ([column[0], is, is, is]);
    });
    return { name, unit, labels, width, points };
  };
  // The newest column has counted for a part of its width only: not a dip, and of less than a
  // second nobody can tell.
  const rate = (/** @type {number} */ from, /** @type {number | null} */ count) => {
    const seconds = Math.min(width, read - from);
    return count === null || seconds < 1 ? null : count / seconds;
  };
  return [
    one("http.requests", "1/s", {}, (column) => rate(column[0], column[1])),
    one("http.errors", "1/s", {}, (column) => rate(column[0], column[2])),
    ...QUANTILES.map((quantile, n) =>
      one(
        "http.latency",
        "s",
        { quantile },
        (column) => /** @type {number | null} */ (column[3 + n]),
      ),
    ),
  ];
}
