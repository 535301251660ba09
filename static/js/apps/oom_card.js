// The card of an app's last kill for want of memory, on all of its pages for a day: which limit, what
// filled it, what was logged last. What it says is kept with the event.

import { call, Problem } from "../lib/api.js";
import { plainText } from "../lib/ansi.js";
import { byId, h, setChildren, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { t, tn } from "../lib/i18n.js";
import { showRelative } from "../lib/relative_time.js";
import { recall, remember } from "../lib/storage.js";
import { readUnits } from "../lib/units.js";
import { appAddress } from "../frame/addresses.js";
import { followEvents } from "../live/app_events.js";
import { filledSentence, limitSentence, numbers } from "./oom_words.js";

/** @typedef {import("../types/api.js").Event} AppEvent */

const DAY = 24 * 3600 * 1000; // ms for which it is shown
const LINES = 50;

class OomCard {
  #box = byId("oom");
  #more = /** @type {HTMLDetailsElement} */ (byId("oom-more"));
  #time = h("time");
  /** The kills of the last day, the newest last. @type {AppEvent[]} */
  #kills = [];
  #drawn = 0;

  /** @param {string} app */
  constructor(app) {
    this.app = app;
    byId("oom-time").append(this.#time);
    this.#more.addEventListener("toggle", () => {
      if (this.#more.open) void this.#loadLines();
    });
    byId("oom-away").addEventListener("click", () => {
      remember(this.#key, String(this.#kills.at(-1)?.id ?? 0));
      this.#draw();
    });
    followEvents(app, (event) => this.#take([event]));
    void this.#load();
  }

  get #key() {
    return `oom ${this.app}`;
  }

  get #path() {
    return `/api/v1/apps/${encodeURIComponent(this.app)}`;
  }

  async #load() {
    const since = new Date(Date.now() - DAY).toISOString();
    try {
      this.#take((await call("GET", `${this.#path}/events?since=${since}`)).events);
    } catch (error) {
      if (!(error instanceof Problem)) throw error; // those that come are shown all the same
    }
  }

  /** @param {AppEvent[]} events */
  #take(events) {
    const known = new Set(this.#kills.map(({ id }) => id));
    const fresh = events.filter(({ kind, id }) => kind === "oom" && !known.has(id));
    if (!fresh.length) return;
    this.#kills = [...this.#kills, ...fresh].sort((a, b) => (a.time < b.time ? -1 : 1));
    this.#draw();
  }

  #draw() {
    const last = this.#kills.at(-1);
    this.#box.hidden = !last || Number(recall(this.#key) ?? 0) >= last.id;
    if (!last || this.#box.hidden) return;
    const facts = /** @type {import("./oom_words.js").Facts} */ (last.data);
    const units = readUnits();
    setText(byId("oom-limit"), limitSentence(facts, units));
    setText(byId("oom-filled"), filledSentence(facts));
    showRelative(this.#time, last.time);
    const n = this.#kills.length;
    setText(byId("oom-count"), n > 1 ? tn("{n} time in 24 hours", "{n} times in 24 hours", n) : "");
    const rows = numbers(facts, units).map(([name, value]) =>
      h("div", null, h("dt", null, name), h("dd", null, value)),
    );
    setChildren(byId("oom-numbers"), rows);
    const link = /** @type {HTMLAnchorElement} */ (byId("oom-log"));
    link.href = `${appAddress(this.app)}#T${last.time}`;
    if (this.#more.open && this.#drawn !== last.id) void this.#loadLines();
  }

  /** What it logged last before the kill. */
  async #loadLines() {
    const last = this.#kills.at(-1);
    if (!last) return;
    this.#drawn = last.id;
    const query = new URLSearchParams({ until: last.time, limit: String(LINES) });
    if (last.container) query.set("container", last.container);
    const box = byId("oom-lines");
    try {
      const { lines } = await call("GET", `${this.#path}/lines?${query}`);
      /** @param {[number, string, string, string, string]} row */
      const text = ([, time, , , words]) => `${time.slice(11, 23)}  ${plainText(words)}`;
      setText(box, lines.length ? lines.map(text).join("\n") : t("It had logged nothing."));
      box.scrollTop = box.scrollHeight;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.#drawn = 0;
      setText(box, sentence(error));
    }
  }
}

/** @param {string} app whose page this is */
export function startOomCard(app) {
  new OomCard(app);
}
