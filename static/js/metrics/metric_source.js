// Where the charts' numbers come from: asked for once for all charts that are seen, again as time
// goes on, and each second over the live socket where each second is shown.

import { call, Problem } from "../lib/api.js";
import { live } from "../live/live_socket.js";
import { described } from "./catalogue.js";
import { keyOf, LiveSeries } from "./columns.js";
import { SpanSource } from "./span_source.js";
import { lengthOf, RANGES } from "./time_span.js";

/** @typedef {import("./columns.js").Kept} Kept */
/** @typedef {import("./time_span.js").TimeSpan} TimeSpan */

const SOON = 10_000; // ms: nothing on disk is newer than that
const AGAIN = 5_000; // ms until a question without an answer is asked again
const NAMES = 60_000; // ms until it is asked whether there are others

export class MetricSource extends SpanSource {
  /** @type {{ count: number, names: string[] }} */
  refused = { count: 0, names: [] };

  #live = new LiveSeries(RANGES["5m"] + 10);
  /** @type {import("../live/channels.js").Subscription | null} */
  #subscription = null;
  /** By the key of the series. @type {Map<string, Kept>} */
  #loaded = new Map();
  /** Names that were answered for the span as it is. @type {Set<string>} */
  #answered = new Set();
  /** @type {Map<object, { names: string[], points: number }>} by who wants them */
  #wanted = new Map();
  #version = 0; // grows with the span: answers to older questions are dropped
  #asking = false;
  #namesAt = -Infinity; // when it was asked which metrics there are, by performance.now()
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {string} app
   * @param {TimeSpan} span
   * @param {number} now the server's clock when the page was drawn, in ms
   */
  constructor(app, span, now) {
    super(app, span, now);
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.#soon(0);
    });
  }

  /** @override */
  get now() {
    return this.isLive && this.#live.newest ? this.#live.newest : super.now;
  }

  start() {
    this.setSpan(this.span);
  }

  /**
   * @param {TimeSpan} span
   * @override
   */
  setSpan(span) {
    super.setSpan(span);
    this.#version += 1;
    this.#answered.clear();
    this.#asking = false;
    this.#namesAt = -Infinity;
    if (this.isLive) this.#follow();
    else {
      this.#subscription?.close();
      this.#subscription = null;
      this.#soon(0);
    }
    this.dispatchEvent(new Event("data"));
  }

  /**
   * @param {object} who
   * @param {string[]} names
   * @param {number} points that it has room for
   * @override
   */
  want(who, names, points) {
    this.#wanted.set(who, { names, points });
    if (!this.isLive && names.some((name) => !this.#answered.has(name))) this.#soon(0);
  }

  /**
   * @param {object} who
   * @override
   */
  leave(who) {
    this.#wanted.delete(who);
  }

  /**
   * @param {string[]} names
   * @returns {Kept[]}
   * @override
   */
  series(names) {
    const all = this.isLive ? this.#live.all : this.#loaded;
    return [...all.values()].filter((one) => names.includes(one.name));
  }

  /**
   * @param {string[]} names
   * @override
   */
  knows(names) {
    if (this.isLive) return this.#live.newest > 0;
    return names.every((name) => this.#answered.has(name));
  }

  // Asked for

  /** @param {number} after ms */
  #soon(after) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), after);
  }

  async #ask() {
    if (this.isLive || this.#asking || document.hidden) return;
    const wanted = [...this.#wanted.values()];
    const names = [...new Set(wanted.flatMap((one) => one.names))];
    const missing = names.filter((name) => !this.#answered.has(name));
    const asked = missing.length ? missing : names;
    const version = this.#version;
    this.#asking = true;
    try {
      const points = Math.max(60, ...wanted.map((one) => one.points));
      const [since, until] = this.edges;
      // What there is at all is asked first, with one point each: an app's own metrics are known by it.
      if (performance.now() - this.#namesAt > NAMES) {
        const whole = await this.#get(since, until, 1, []);
        if (version !== this.#version) return;
        this.#namesAt = performance.now();
        this.#takeNames(whole.series);
      }
      const answer = asked.length ? await this.#get(since, until, points, asked) : null;
      if (version !== this.#version) return;
      if (answer) this.#take(answer, asked);
      this.problem = null;
      const more = [...this.#wanted.values()].some(({ names }) => !this.knows(names));
      if (more) this.#soon(0);
      else if ("range" in this.span)
        this.#soon(Math.max(SOON, (lengthOf(this.span) / points) * 1000));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (version !== this.#version) return;
      this.problem = error;
      this.#soon(AGAIN);
    } finally {
      if (version === this.#version) this.#asking = false;
    }
    this.dispatchEvent(new Event("state"));
    this.dispatchEvent(new Event("data"));
  }

  /**
   * @param {number} since
   * @param {number} until
   * @param {number} points
   * @param {string[]} names all when empty
   */
  #get(since, until, points, names) {
    const query = new URLSearchParams({
      since: String(Math.floor(since)),
      until: String(Math.ceil(until)),
      points: String(Math.min(2_000, Math.round(points))),
    });
    if (names.length) {
      query.set("names", names.join(","));
      query.set("instances", "1");
    }
    return call("GET", `/api/v1/apps/${encodeURIComponent(this.app)}/metrics?${query}`);
  }

  /**
   * @param {any} answer
   * @param {string[]} asked
   */
  #take(answer, asked) {
    for (const [key, one] of this.#loaded) if (asked.includes(one.name)) this.#loaded.delete(key);
    for (const one of answer.series) this.#loaded.set(keyOf(one.name, one.labels), one);
    for (const name of asked) this.#answered.add(name);
    this.notMeasured = answer.not_measured;
    this.refused = answer.refused;
    this.trouble = answer.trouble;
    this.#takeNames(answer.series);
  }

  /** @param {{ name: string, unit: string }[]} series */
  #takeNames(series) {
    let fresh = false;
    for (const { name, unit } of series) {
      if (this.names.get(name) === unit) continue;
      this.names.set(name, unit);
      fresh = true;
    }
    if (fresh) this.dispatchEvent(new Event("names"));
  }

  // Live

  #follow() {
    this.#subscription ??= live.subscribe(
      `metric/${this.app}`,
      {},
      {
        history: ({ series, time, not_measured }) => {
          this.#live.begin(series, time);
          this.notMeasured = not_measured;
          this.#takeNames(series);
          this.#moved();
          this.dispatchEvent(new Event("state"));
        },
        samples: ({ samples, time }) => {
          this.#live.add(samples, time, (name) => ({
            ...described(name),
            ...(this.names.has(name) ? { unit: this.names.get(name) ?? "1" } : {}),
          }));
          const fresh = samples.filter((/** @type {[string]} */ [name]) => !this.names.has(name));
          if (fresh.length) {
            this.#takeNames([...this.#live.all.values()]);
            const names = fresh.map((/** @type {[string]} */ [name]) => name);
            void this.#askUnits(names);
          }
          this.#moved();
        },
        not_measured: ({ not_measured }) => {
          this.notMeasured = not_measured;
          this.dispatchEvent(new Event("state"));
        },
        error: ({ code, message }) => {
          this.problem = new Problem(0, code, message);
          this.dispatchEvent(new Event("state"));
        },
      },
    );
  }

  /**
   * What came live alone has no unit: it is asked for, and once more when it is not known yet.
   *
   * @param {string[]} names
   * @param {number} [more] how often it is asked again
   */
  async #askUnits(names, more = 3) {
    const [since, until] = this.edges;
    try {
      const { series } = await this.#get(since, until, 1, []);
      this.#takeNames(series);
      this.#moved();
      const known = new Set(series.map((/** @type {Kept} */ one) => one.name));
      const left = names.filter((name) => !known.has(name));
      if (left.length && more) setTimeout(() => void this.#askUnits(left, more - 1), SOON / 2);
    } catch (error) {
      if (!(error instanceof Problem)) throw error; // then it is said without
    }
  }

  #moved() {
    if (this.isLive && !document.hidden) this.dispatchEvent(new Event("data"));
  }
}
