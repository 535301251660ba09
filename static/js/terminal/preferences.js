// What a reader has chosen for terminals, kept in this browser and true for all of them.

import { recall, remember } from "../lib/storage.js";

const FONT = { least: 9, usual: 14, most: 28 };

/** Announces `change`. */
class Preferences extends EventTarget {
  #font = Number(recall("terminal-font")) || FONT.usual;
  #reader = recall("terminal-reader") === "yes";

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
    return this.#reader;
  }

  set screenReader(on) {
    this.#reader = on;
    remember("terminal-reader", on ? "yes" : null);
    this.dispatchEvent(new Event("change"));
  }
}

export const preferences = new Preferences();
