// The fields of an opened row, and what can be done with each.

import { h } from "../lib/dom.js";
import { drawLeaf } from "./json_tree.js";

/** @typedef {import("./entry.js").Entry} Entry */
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
 * Those of text.
 * @param {readonly import("./query/fields.js").Field[]} fields
 * @param {import("./json_tree.js").Actions} actions
 */
export function drawFields(fields, actions) {
  if (!fields.length) return [];
  const leaves = fields.map(([name, value]) => drawLeaf(name, value, name, actions));
  return [h("div", { class: "tree detail-fields" }, ...leaves)];
}
