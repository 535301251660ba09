// The apps that are gone (or put away) and not on the page yet: how many match what is looked for.

import { call, Problem } from "../lib/api.js";
import { filterApps } from "../live/app_state.js";
import { inventory } from "../live/inventory.js";

const PAUSE = 200; // ms in which one may type on before the server is asked

/** Announces `count` when it is known. */
class GoneApps extends EventTarget {
  #query = "";
  #asked = ""; // what #total answers, or will
  /** How many match, those on the page among them. @type {number | null} */
  #total = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #pause;

  /**
   * How many match beside those that are on the page; null until it is known. Their names are what
   * the server looks at: there is nothing else of them.
   *
   * @param {string} query
   */
  count(query) {
    const words = query.trim();
    const { gone, put_away } = inventory.counts;
    if (!words || !(gone + put_away)) return inventory.more;
    const asked = JSON.stringify([words, gone, put_away]);
    if (asked !== this.#asked) {
      this.#asked = asked;
      if (words !== this.#query) this.#total = null; // else the old number stands meanwhile
      this.#query = words;
      clearTimeout(this.#pause);
      this.#pause = setTimeout(() => void this.#ask(words, asked), PAUSE);
    }
    if (this.#total === null) return null;
    const here = [...inventory.unlisted].flatMap((name) => inventory.apps.get(name) ?? []);
    return Math.max(0, this.#total - filterApps(here, words).length);
  }

  /**
   * @param {string} words
   * @param {string} asked
   */
  async #ask(words, asked) {
    try {
      const query = new URLSearchParams({ state: "gone", q: words, limit: "1" });
      const { gone, put_away } = await call("GET", `/api/v1/apps?${query}`);
      if (asked !== this.#asked) return;
      this.#total = gone + put_away;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (asked !== this.#asked) return;
      this.#total ??= 0; // the next change of anything asks again
      this.#asked = "";
    }
    this.dispatchEvent(new Event("count"));
  }
}

export const goneApps = new GoneApps();
