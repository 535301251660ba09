// How often fields and their values stand in some lines. Pure.

import { fieldsOfRow } from "./query/query_match.js";

/**
 * @typedef {object} Counted
 * @property {string} name
 * @property {number} count lines that have it
 * @property {[string, number][]} values and how many lines have each, the most frequent first
 */

/**
 * @param {readonly import("./entry.js").Row[]} rows
 * @returns {Counted[]} the most frequent first
 */
export function countFields(rows) {
  /** @type {Map<string, { count: number, values: Map<string, number> }>} */
  const found = new Map();
  for (const row of rows) {
    const names = new Set();
    const seen = new Set();
    for (const [name, value] of fieldsOfRow(row)) {
      let field = found.get(name);
      if (!field) found.set(name, (field = { count: 0, values: new Map() }));
      if (!names.has(name)) field.count++;
      names.add(name);
      const pair = `${name}\n${value}`;
      if (!seen.has(pair)) field.values.set(value, (field.values.get(value) ?? 0) + 1);
      seen.add(pair);
    }
  }
  return [...found]
    .map(([name, { count, values }]) => ({
      name,
      count,
      values: [...values].sort((a, b) => b[1] - a[1]),
    }))
    .sort((a, b) => b.count - a.count);
}
