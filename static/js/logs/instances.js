// The containers that have written: their names and hues, those that are gone too; and what is said
// about those whose log cannot be read.

import { inventory } from "../live/inventory.js";
import { byId, h, readData, setText } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { redraw } from "../lib/redraw.js";

/** @typedef {import("./feed.js").Feed} Feed */
/** @typedef {import("./toolbar.js").Toolbar} Toolbar */

const HUES = 8; // as in lib/tokens.css
const OURS = "0".repeat(12); // in place of a container: CloudBang itself said it

export class Instances {
  /** Several have written: rows say which. */
  many = false;
  /** @type {Map<string, number>} */
  #hues = new Map();
  /** Of those that are gone too: as the page came with them, and as they were seen since. @type {Map<string, string>} */
  #names = new Map(Object.entries(readData("instance-names") ?? {}));

  /**
   * @param {string} app "" where the log is not an app's
   * @param {Feed} feed
   * @param {Toolbar} toolbar
   */
  constructor(app, feed, toolbar) {
    this.app = app;
    this.feed = feed;
    this.toolbar = toolbar;
  }

  /** What happened to a container may say what it was called. */
  #learn() {
    for (const { container, data } of this.feed.events) {
      if (typeof data.name === "string") this.#names.set(container, data.name);
    }
  }

  get #running() {
    return inventory.apps.get(this.app)?.instances ?? [];
  }

  /**
   * @param {string} container short id
   * @param {string} [app] in a log of several apps, that is what is told apart
   * @returns {{ name: string, hue: number }} one that nobody saw a name of is known by its id
   */
  of(container, app) {
    const key = app || container;
    let hue = this.#hues.get(key);
    if (hue === undefined) this.#hues.set(key, (hue = (this.#hues.size % HUES) + 1));
    if (app) return { name: app, hue };
    if (container === OURS) return { name: "CloudBang", hue };
    return { name: this.#names.get(container) ?? container, hue };
  }

  /** Brings the choice of instances, and what is said about them, up to date. */
  show() {
    const running = this.#running;
    this.#learn();
    for (const { id, name } of running) this.#names.set(id, name);
    const ids = new Set([...running.map((one) => one.id), ...this.feed.containers]);
    this.many = ids.size > 1;
    if (this.feed.source.merged) {
      this.many = true;
      return;
    }
    this.toolbar.showInstances(
      [...ids].map((id) => ({
        id,
        name: this.of(id).name,
        gone: this.app !== "" && inventory.known && !running.some((one) => one.id === id),
      })),
    );
    showUnreadable(running);
    showGone(this.app !== "" && inventory.known && !running.length);
  }
}

/** @param {boolean} gone no container of the app is left */
function showGone(gone) {
  const box = byId("log-gone");
  if (box.hidden !== gone) return;
  box.hidden = !gone;
  const words = t(
    "No container of this app is left. What was logged stays as long as logs are kept; a new container of the app goes on here.",
  );
  setText(box, gone ? words : "");
}

/** @param {import("../live/app_state.js").Instance[]} instances */
function showUnreadable(instances) {
  const box = byId("log-unreadable");
  const bad = instances.filter((one) => one.readable === false);
  box.hidden = !bad.length;
  redraw(
    box,
    bad.map((one) =>
      h(
        "p",
        null,
        t("The log of {name} cannot be read: {reason}", {
          name: one.name,
          reason: one.unreadable_reason
            ? t(one.unreadable_reason)
            : t("log driver {driver}", { driver: one.log_driver ?? "?" }),
        }),
      ),
    ),
  );
}
