// How many entries of the whole log are found: counted on the server, while what is loaded is shown.

import { Problem } from "../lib/api.js";
import { serverFilter } from "./filter.js";

/** @typedef {import("./feed.js").Feed} Feed */
/**
 * @typedef {object} Total
 * @property {number} found entries, up to a seq
 * @property {number} upTo that seq
 * @property {boolean} done nothing is left to be looked at
 */

const SETTLES = 400; // ms after which what is typed is counted

export class MatchTotal {
  /** What is known by now; null where nothing is. @type {Total | null} */
  now = null;
  #asked = "";
  /** @type {AbortController | null} */
  #running = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

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
    const params = asksFor(this.feed);
    const asked = params?.toString() ?? "";
    if (asked === this.#asked) return;
    this.#asked = asked;
    this.now = null;
    clearTimeout(this.#timer);
    this.#running?.abort();
    this.#running = null;
    if (params) this.#timer = setTimeout(() => void this.#count(params), SETTLES);
  }

  /** @param {URLSearchParams} params */
  async #count(params) {
    const mine = (this.#running = new AbortController());
    const last = this.feed.attached ? this.feed.model.entries.findLast((one) => one.row) : null;
    const upTo = last ? last.seq : Infinity;
    // What comes from now on is counted as it comes.
    if (last) params.set("until", last.time);
    try {
      const { searchStream } = await import("./search_stream.js");
      for await (const message of searchStream(params, mine.signal)) {
        if (this.#running !== mine) return;
        if (message.op !== "counts" && message.op !== "end") continue;
        const done = message.op === "end" && !message.failed.length;
        this.now = { found: message.found, upTo, done };
        this.changed();
      }
    } catch (thrown) {
      // Then there is what is loaded, as before.
      if (this.#running === mine && !(thrown instanceof Problem)) throw thrown;
    }
  }
}

/**
 * The search over all for what this log is looked through for; null where that is nothing, or all of
 * it is here.
 * @param {Feed} feed
 */
function asksFor(feed) {
  const { active, source, model } = feed;
  const apps = source.merged ? source.merged.apps : source.app ? [source.app] : null;
  if (!active.search || active.searchError || !apps || (model.atStart && feed.attached))
    return null;
  const params = serverFilter({ ...feed.filter, hide: true });
  for (const app of apps) params.append("app", app);
  params.set("limit", "1");
  params.set("context", "0");
  return params;
}
