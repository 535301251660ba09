// The apps as the page knows them now: the one that it is about, then all of `app/*`.

import { call } from "../lib/api.js";
import { readData } from "../lib/dom.js";
import { live } from "./live_socket.js";

const SILENT = 2_500; // ms without a word of any app
const PAGE = 100; // apps a request, of those that are gone

/** @typedef {import("./app_state.js").App} App */
/** @typedef {import("./channels.js").Row} Row */

/**
 * Announces `apps` when apps came, went or changed, and `activity` when only rates and last
 * lines did (once a second at most).
 */
class Inventory extends EventTarget {
  /** @type {Map<string, App>} */
  apps = new Map();
  /** How many apps are gone (only their lines are left), and how many put away. */
  counts = { gone: 0, put_away: 0 };
  /** Names of those among `apps` that are: they went while the page looked, or were asked for. */
  unlisted = new Set();
  /** Whether the list is the server's and not only what the page was drawn with. */
  known = false;
  /** The app that the page is about, which may be listed nowhere. @type {App | null} */
  #own = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #silence;
  /** What is announced with the next frame. @type {Set<string>} */
  #pending = new Set();
  /** Names of the apps whose rate or last line came with the last `activity`. @type {Set<string>} */
  active = new Set();

  constructor() {
    super();
    /** @type {App | null} */
    const drawn = readData("app-data");
    if (drawn) this.take((this.#own = drawn));
  }

  follow() {
    live.subscribe(
      "app/*",
      {},
      {
        apps: ({ apps, gone, put_away }) => {
          this.apps = new Map(apps.map((/** @type {App} */ app) => [app.name, app]));
          this.unlisted.clear();
          this.counts = { gone, put_away };
          const own = this.#own;
          if (own && !this.apps.has(own.name)) this.take({ ...own, instances: [] });
          this.known = true;
          this.#announce("apps");
        },
        app: ({ app }) => this.take(app),
        removed: ({ app }) => {
          this.unlisted.delete(app);
          if (this.apps.delete(app)) this.#announce("apps");
        },
        counts: ({ gone, put_away }) => {
          this.counts = { gone, put_away };
          this.#announce("apps");
        },
        activity: ({ activity }) => this.#onActivity(activity),
        // What was true of rates when the connection went is not known to be true any more.
        lost: () => this.#onActivity({}),
      },
    );
  }

  /** Takes in what is known of an app now. @param {App} app */
  take(app) {
    this.apps.set(app.name, { ...this.apps.get(app.name), ...app });
    if (this.#own?.name === app.name) this.#own = app;
    const gone = !app.instances.length && (app.kind === "found" || app.put_away);
    if (gone) this.unlisted.add(app.name);
    else this.unlisted.delete(app.name);
    this.#announce("apps");
  }

  /** How many are gone or put away beside those that are here already. */
  get more() {
    return Math.max(0, this.counts.gone + this.counts.put_away - this.unlisted.size);
  }

  /**
   * Fetches those that are gone, then those that were put away: the next page of them.
   *
   * @param {string} [words] that their names hold
   * @throws {import("../lib/api.js").Problem}
   */
  async loadMore(words = "") {
    let room = PAGE;
    for (const state of ["gone", "put_away"]) {
      let after = "";
      do {
        const query = new URLSearchParams({ state, after, q: words, limit: String(PAGE) });
        const page = await call("GET", `/api/v1/apps?${query}`);
        for (const app of page.apps) {
          if (!this.apps.has(app.name)) room -= 1;
          this.apps.set(app.name, app);
          this.unlisted.add(app.name);
        }
        after = page.next ?? "";
      } while (after && room > 0);
      if (room <= 0) break;
    }
    if (room < PAGE) this.#announce("apps");
  }

  /** @param {Record<string, [number, number, import("../types/api.js").Line | null]>} activity */
  #onActivity(activity) {
    this.active = new Set(Object.keys(activity));
    for (const [name, [next, rate, row]] of Object.entries(activity)) {
      const app = this.apps.get(name);
      if (!app) continue;
      app.next = next;
      app.rate = rate;
      if (row) app.last_line = row;
    }
    // What was not named has logged nothing for a second; when nobody logs, nothing is sent at all.
    for (const app of this.apps.values()) if (!this.active.has(app.name)) app.rate = 0;
    clearTimeout(this.#silence);
    if (this.active.size) this.#silence = setTimeout(() => this.#onActivity({}), SILENT);
    this.#announce("activity");
  }

  /**
   * Once a frame at most: a hundred containers that start in one moment are one change to whoever
   * draws them, and a page that nobody sees draws nothing.
   *
   * @param {string} what
   */
  #announce(what) {
    if (!this.#pending.size) {
      requestAnimationFrame(() => {
        const all = [...this.#pending];
        this.#pending.clear();
        for (const one of all) this.dispatchEvent(new Event(one));
      });
    }
    this.#pending.add(what);
  }
}

export const inventory = new Inventory();
