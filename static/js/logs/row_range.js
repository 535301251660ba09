// Rows that are chosen by keys: from the one where Shift was first held to the one the keys are at. What can
// be done with them stands above the rows.

import { byId, setText } from "../lib/dom.js";
import { formatNumber, t, tn } from "../lib/i18n.js";
import { copyAndSay } from "../lib/toast.js";
import { linesOf } from "./copying.js";
import { count } from "./entry.js";
import { membersOf } from "./repeats.js";

/** @typedef {import("./entry.js").Entry} Entry */

export class RowRange {
  /** The seqs of both ends, the one it began at first. @type {[number, number] | null} */
  #ends = null;
  #bar = byId("log-chosen");

  /** @param {import("./log_view.js").LogView} view */
  constructor(view) {
    this.view = view;
    byId("log-chosen-copy").addEventListener("click", () => this.copy());
    byId("log-chosen-download").addEventListener("click", () => byId("log-download").click());
    byId("log-chosen-none").addEventListener("click", () => {
      this.clear();
      view.focusRows();
    });
  }

  get isEmpty() {
    return this.#ends === null;
  }

  /** Takes the next row in, or lets the last one go. @param {1 | -1} direction */
  extend(direction) {
    const { cursor } = this.view;
    const before = cursor.isDrawn ? cursor.entry : null;
    cursor.step(direction);
    const now = cursor.entry;
    if (!now) return;
    this.#ends = [this.#ends?.[0] ?? (before ?? now).seq, now.seq];
    this.#show();
  }

  /** To another row: none is chosen any more. @param {1 | -1} direction */
  step(direction) {
    this.clear();
    this.view.cursor.step(direction);
  }

  /** What is chosen is let go, then what is open, then the row. */
  leave() {
    if (this.isEmpty) this.view.cursor.leave();
    else this.clear();
  }

  /** Other rows are shown: the keys are at none. */
  leaveAll() {
    this.clear();
    this.view.cursor.set(null);
  }

  clear() {
    if (!this.#ends) return;
    this.#ends = null;
    this.#show();
  }

  /** @param {Entry} entry */
  has(entry) {
    if (!this.#ends || !entry.row) return false;
    const [from, to] = this.#ends;
    return entry.seq >= Math.min(from, to) && entry.seq <= Math.max(from, to);
  }

  /** Those that are chosen and have a row. @returns {Entry[]} */
  get rows() {
    if (!this.#ends) return [];
    const { model } = this.view.feed;
    const [from, to] = [Math.min(...this.#ends), Math.max(...this.#ends)];
    return model.entries
      .slice(model.indexAt(from), model.indexAt(to + 1))
      .filter((entry) => this.has(entry) && !entry.folded);
  }

  /** With all that their rows stand for. @returns {Entry[]} */
  get entries() {
    const { entries } = this.view.feed.model;
    return [...new Set(this.rows.flatMap((entry) => membersOf(entry, entries)))];
  }

  copy() {
    const { feed, settings } = this.view;
    const lines = this.rows.flatMap((entry) => linesOf(entry, feed.model, settings) ?? []);
    const n = linesIn(this.entries);
    const said = tn("{n} line copied", "{n} lines copied", n, { n: formatNumber(n) });
    void copyAndSay(lines.join("\n"), said);
  }

  #show() {
    const { view } = this;
    this.#bar.hidden = this.isEmpty;
    const n = linesIn(this.entries);
    const words = tn("{n} line is chosen", "{n} lines are chosen", n, { n: formatNumber(n) });
    setText(byId("log-chosen-text"), this.isEmpty ? "" : words);
    view.rows.repaint();
    view.schedule();
  }
}

/** @param {Entry[]} entries */
function linesIn(entries) {
  return entries.reduce((sum, entry) => sum + count(entry), 0);
}
