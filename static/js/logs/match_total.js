// How many entries of the whole log are found: counted on the server, while what is loaded is shown.
// Where the same is counted over time, that is the one count.

import { Problem } from "../lib/api.js";
import { serverFilter } from "./filter.js";
import { appOf, seqInApp } from "./merged_log.js";
import { fromMs, toMs } from "./times.js";

/** @typedef {import("./feed.js").Feed} Feed */
/** @typedef {import("./entry.js").Entry} Entry */
/** @typedef {import("./log_timeline.js").Message} Message */
/**
 * @typedef {object} Total
 * @property {number} found entries that the server counted by now
 * @property {boolean} done nothing is left to be looked at
 * @property {(entries: Entry[]) => number} since how many of these came since, and are not counted in it
 */

const SETTLES = 400; // ms after which what is typed is counted
export const PATIENCE = 600; // seconds that all of it may take, where the reader asks for it

export class MatchTotal {
  /** What is known by now; null where nothing is. @type {Total | null} */
  now = null;
  /** What is to be counted, and of which state of the page that was decided. */
  #asked = "";
  /** @type {unknown[]} */
  #of = [];
  /** @type {AbortController | null} */
  #running = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** Somebody else counts, and tells of it. */
  #told = false;
  /** The count that is told of: of what, since when, and how far it is. */
  #count = { asked: "", last: 0, ends: new Map(), total: /** @type {Total | null} */ (null) };

  /**
   * @param {Feed} feed
   * @param {() => void} changed
   */
  constructor(feed, changed) {
    this.feed = feed;
    this.changed = changed;
  }

  /** What is looked for may be something else now. Asks once for each. */
  look() {
    const { feed } = this;
    const all = feed.model.atStart && feed.attached;
    const of = [feed.filter, feed.bounds, all];
    if (of.every((one, i) => one === this.#of[i])) return;
    this.#of = of;
    const wanted = feed.active.search && !feed.active.searchError && !all && isCounted(feed);
    const asked = wanted ? countOf(feed).toString() : "";
    if (asked === this.#asked) return;
    this.#asked = asked;
    this.now = asked && asked === this.#count.asked ? this.#count.total : null;
    this.#stop();
    if (!this.#told) this.#soon();
  }

  /**
   * Somebody else counts the same from now on, or does not any more.
   * @param {boolean} told
   */
  share(told) {
    this.#told = told;
    if (told) this.#stop();
    else if (!this.now?.done) this.#soon();
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#running?.abort();
    this.#running = null;
  }

  #soon() {
    if (this.#asked) this.#timer = setTimeout(() => void this.#run(this.#asked), SETTLES);
  }

  /** @param {string} asked */
  async #run(asked) {
    const mine = (this.#running = new AbortController());
    this.begins(asked);
    try {
      const { messages } = await import("./search_stream.js");
      const address = `/api/v1/timeline?${asked}&within=${PATIENCE}`;
      for await (const message of messages(address, mine.signal)) {
        if (this.#running !== mine) return;
        this.take(message);
      }
    } catch (thrown) {
      // Then there is what is loaded, as before.
      if (this.#running === mine && !(thrown instanceof Problem)) throw thrown;
    }
  }

  /** A count begins. @param {string} asked as countOf says it */
  begins(asked) {
    const { recent } = this.feed;
    // What was counted to its end stands until that is counted again.
    const total = asked === this.#count.asked && this.#count.total?.done ? this.#count.total : null;
    this.#count = { asked, last: recent.last, ends: new Map(), total };
  }

  /** How far it is. @param {Message} message */
  take(message) {
    const count = this.#count;
    if (message.op === "range") {
      count.ends = new Map(message.ends.map(({ name, next }) => [name, next]));
      return;
    }
    const { ends, last } = count;
    const done = message.op === "end" && !message.failed.length && !message.back_to;
    if (count.total?.done && !done) return;
    const own = this.feed.source.app;
    const since = (/** @type {Entry[]} */ entries) => {
      let n = 0;
      for (let i = entries.length - 1; i >= 0 && entries[i].seq > last; i--) {
        const { hit, row } = entries[i];
        if (hit && row && seqInApp(row) >= (ends.get(appOf(row) || own) ?? 0)) n++;
      }
      return n;
    };
    count.total = { found: message.found, done, since };
    if (count.asked !== this.#asked) return;
    this.now = count.total;
    this.changed();
  }
}

/** Whether it is a log that the server counts. @param {Feed} feed */
function isCounted({ source }) {
  return source.merged !== undefined || source.app !== "";
}

/**
 * What is counted of a log: what is looked for where something is, over the time that is shown.
 * @param {Feed} feed
 */
export function countOf({ filter, source, bounds }) {
  const params = serverFilter({ ...filter, hide: true });
  for (const app of source.merged ? source.merged.apps : [source.app]) params.append("app", app);
  if (bounds?.since) params.set("since", bounds.since);
  // A stretch ends before its end; a time that is asked for counts.
  if (bounds?.until) {
    params.set("until", fromMs(toMs(bounds.until) - 1).replace("000000Z", "999999Z"));
  }
  return params;
}
