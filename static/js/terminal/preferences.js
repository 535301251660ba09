// What a reader has chosen for terminals: kept in this browser, and true for all of them.

import { recall, remember } from "../lib/storage.js";

const FONT = { least: 9, usual: 14, most: 28 };

/** @typedef {"screenReader" | "optionIsMeta" | "fullKeys"} Switch */

/** What is switched on or off: under which name it is kept, and what it is unless somebody chose. */
const SWITCHES = {
  screenReader: { key: "terminal-reader", usual: false },
  optionIsMeta: { key: "terminal-option-meta", usual: false },
  fullKeys: { key: "terminal-full-keys", usual: true },
};

/** Announces `change`. */
class Preferences extends EventTarget {
  #font = Number(recall("terminal-font")) || FONT.usual;
  /** @type {Map<Switch, boolean>} */
  #on = new Map();

  /** Size of letters, px. */
  get fontSize() {
    return Math.min(FONT.most, Math.max(FONT.least, this.#font));
  }

  /** @param {number} size px; 0: the usual one */
  set fontSize(size) {
    this.#font = size || FONT.usual;
    remember("terminal-font", size ? String(this.fontSize) : null);
    this.dispatchEvent(new Event("change"));
  }

  /** Whether what is printed is handed to a screen reader. */
  get screenReader() {
    return this.#is("screenReader");
  }

  set screenReader(on) {
    this.#choose("screenReader", on);
  }

  /** Whether Option is Meta, as Alt is elsewhere, and not the key that many letters need. */
  get optionIsMeta() {
    return this.#is("optionIsMeta");
  }

  set optionIsMeta(on) {
    this.#choose("optionIsMeta", on);
  }

  /** Whether full screen takes the keys from the browser with which it closes and opens tabs. */
  get fullKeys() {
    return this.#is("fullKeys");
  }

  set fullKeys(on) {
    this.#choose("fullKeys", on);
  }

  /** @param {Switch} name */
  #is(name) {
    const { key, usual } = SWITCHES[name];
    const kept = recall(key);
    return this.#on.get(name) ?? (kept === null ? usual : kept === "yes");
  }

  /** @param {Switch} name @param {boolean} on */
  #choose(name, on) {
    const { key, usual } = SWITCHES[name];
    this.#on.set(name, on);
    remember(key, on === usual ? null : on ? "yes" : "no");
    this.dispatchEvent(new Event("change"));
  }
}

export const preferences = new Preferences();

/** Whether this browser gives its own keys to a page in full screen. */
export function locksKeys() {
  return Boolean(/** @type {any} */ (navigator).keyboard?.lock);
}
