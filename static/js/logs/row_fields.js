// The fields of an opened row, and what can be done with each.

import { h } from "../lib/dom.js";
import { drawLeaf } from "./json_tree.js";
import { fieldsOfRow } from "./query/query_match.js";

/** @typedef {import("./entry.js").Entry} Entry */
/** @typedef {import("./entry.js").Row} Row */
/** @typedef {import("./row_view.js").DrawContext} DrawContext */

/**
 * @param {Entry} entry
 * @param {DrawContext} context
 * @returns {import("./json_tree.js").Actions}
 */
export function fieldActions(entry, { act }) {
  return {
    copy: (text) => act("copy-text", entry, text),
    filter: (name, value, without) => act(without ? "without" : "with", entry, [name, value]),
    column: (name) => act("column", entry, name),
  };
}

/**
 * Those of a line of text.
 * @param {Row} row
 * @param {Entry} entry
 * @param {DrawContext} context
 */
export function drawFields(row, entry, context) {
  const fields = fieldsOfRow(row);
  if (!fields.length) return [];
  const actions = fieldActions(entry, context);
  const leaves = fields.map(([name, value]) => drawLeaf(name, value, name, actions));
  return [h("div", { class: "tree detail-fields" }, ...leaves)];
}
