// The apps as the page knows them now: the one that it is about, then all of `app/*`.

import { readData } from "../lib/dom.js";
import { live } from "./live_socket.js";

const SILENT = 2_500; // ms without a word of any app

/** @typedef {import("./app_state.js").App} App */
/** @typedef {import("./channels.js").Row} Row */

/**
 * Announces `apps` when apps came, went or changed, and `activity` when only rates and last
 * lines did (once a second at most).
 */
class Inventory extends EventTarget {
  /** @type {Map<string, App>} */
  apps = new Map();
  /** Whether the list is the server's and not only what the page was drawn with. */
  known = false;
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
    if (drawn) this.apps.set(drawn.name, drawn);
  }

  follow() {
    live.subscribe(
      "app/*",
      {},
      {
        apps: ({ apps }) => {
          this.apps = new Map(apps.map((/** @type {App} */ app) => [app.name, app]));
          this.known = true;
          this.#announce("apps");
        },
        app: ({ app }) => {
          this.apps.set(app.name, { ...this.apps.get(app.name), ...app });
          this.#announce("apps");
        },
        removed: ({ app }) => {
          if (this.apps.delete(app)) this.#announce("apps");
        },
        activity: ({ activity }) => this.#onActivity(activity),
        // What was true of rates when the connection went is not known to be true any more.
        lost: () => this.#onActivity({}),
      },
    );
  }

  /** @param {Record<string, [number, number, Row | null]>} activity */
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
