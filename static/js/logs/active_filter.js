// A filter at work on lines as they come. Pure.

import { passes } from "./filters.js";
import { levelOf } from "./levels.js";
import { makeSearch } from "./search.js";

/** @typedef {import("./entry.js").Row} Row */

export class Lens {
  /** @param {Readonly<import("./filters.js").Filter>} filter */
  constructor(filter) {
    this.filter = filter;
    this.passes = passes(filter);
    const { search, error } = makeSearch(filter.q, filter.regex);
    this.search = search;
    this.searchError = error;
  }

  /**
   * The lines that pass. What CloudBang itself says about the log always does.
   * @param {Row[]} rows
   */
  through(rows) {
    const { passes } = this;
    if (!passes) return rows;
    const { levels } = this.filter;
    return rows.filter(
      (row) => row[3] === "marker" || passes(row, levels.length ? levelOf(row[4]) : null),
    );
  }
}
