// What happened to the containers of the app, as far back as anybody has looked, and what is said
// of it. The kinds of events stand in one table, the server's: it comes with the page, in the
// reader's language.

import { fill, formatBytes, formatNumber } from "../lib/i18n.js";

/** @typedef {import("./entry.js").LogEvent} LogEvent */
/** @typedef {import("./log_api.js").LogApi} LogApi */
/** @typedef {"ok" | "info" | "warning" | "error"} Tone */

/**
 * `when`: the values that a field may have; null is a field that is not there.
 * @typedef {{ words: string, tone: Tone, sign: string, when: Record<string, unknown[]> }} Phrase
 */

/**
 * By field: `names` those of values that are numbers, `amounts` how a count is written.
 * @typedef {{
 *   kinds: Record<string, Phrase[]>,
 *   names: Record<string, Record<string, string>>,
 *   amounts: Record<string, "number" | "bytes">,
 * }} EventKinds
 */

/** What says nothing about how the app does. */
const QUIET = new Set(["create", "remove"]);
const QUIET_ACTIONS = new Set([
  "terminal-open",
  "terminal-end",
  "file-put",
  "file-get",
  "file-broken",
]);

/** Whether it says nothing about how the app does. @param {Pick<LogEvent, "kind" | "data">} event */
export function isQuiet({ kind, data }) {
  return QUIET.has(kind) || (kind === "action" && QUIET_ACTIONS.has(String(data.what ?? "")));
}

const drawn = globalThis.document?.getElementById("event-kinds")?.textContent;

/** @type {EventKinds} */
const ofPage = drawn ? JSON.parse(drawn) : { kinds: {}, names: {}, amounts: {} };

/**
 * What happened, in words, and how bad it is. Of a kind that the table does not have: its own name.
 * @param {LogEvent} event
 * @param {EventKinds} [table]
 * @returns {{ words: string, tone: Tone, sign: string }}
 */
export function describe({ kind, data }, table = ofPage) {
  const phrases = Object.hasOwn(table.kinds, kind) ? table.kinds[kind] : [];
  const phrase = phrases.find(({ when }) =>
    Object.entries(when).every(([field, values]) => values.includes(data[field] ?? null)),
  );
  if (!phrase) return { words: kind, tone: "info", sign: "●" };
  const shown = Object.entries(data).map(([field, value]) => {
    const names = Object.hasOwn(table.names, field) ? table.names[field] : {};
    const key = String(value); // of a rule: whatever somebody called it
    return [field, Object.hasOwn(names, key) ? names[key] : written(value, table.amounts[field])];
  });
  return {
    words: fill(phrase.words, Object.fromEntries(shown)),
    tone: phrase.tone,
    sign: phrase.sign,
  };
}

/**
 * @param {unknown} value
 * @param {"number" | "bytes"} [amount] how it is written, if it counts something
 */
function written(value, amount) {
  if (!amount || typeof value !== "number") return String(value);
  return amount === "bytes" ? formatBytes(value) : formatNumber(value);
}

export class Events {
  /** @type {LogEvent[]} by time */
  #all = [];
  /** @type {Set<number>} ids */
  #known = new Set();
  /** Events from this time on are known; "" when all are. */
  #from = "\uffff";
  #loading = false;

  /** @param {LogApi} api */
  constructor(api) {
    this.api = api;
  }

  /**
   * @param {LogEvent[]} events
   * @returns {boolean} whether one of them is new
   */
  add(events) {
    const fresh = events.filter((event) => !this.#known.has(event.id));
    for (const event of fresh) this.#known.add(event.id);
    this.#all = [...this.#all, ...fresh].sort((a, b) =>
      a.time < b.time ? -1 : a.time > b.time ? 1 : a.id - b.id,
    );
    return fresh.length > 0;
  }

  /**
   * Asks for older ones if the window reaches back behind those that are known.
   * @param {string | undefined} oldest time of the first line shown
   * @returns {Promise<boolean>} whether there were any
   */
  async load(oldest) {
    const enough = oldest !== undefined && oldest >= this.#from;
    if (this.#loading || this.#from === "" || enough) return false;
    this.#loading = true;
    try {
      const events = await this.api.events("", this.#from === "\uffff" ? "" : this.#from);
      const fresh = this.add(events);
      this.#from = fresh ? events[0].time : "";
      return fresh;
    } catch {
      // Lines are what matters; events are asked for again with the next page of lines.
      return false;
    } finally {
      this.#loading = false;
    }
  }

  /**
   * Those of one container, and those of none; all when it is "".
   * @param {string} container
   */
  of(container) {
    if (!container) return this.#all;
    return this.#all.filter((event) => !event.container || event.container === container);
  }
}
