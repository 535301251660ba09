// What a folded failure says most, behind its first line.

import { h } from "../lib/dom.js";
import { causeOf } from "./causes.js";
import { seenText } from "./seen_text.js";
import { cut, drawRuns, placed } from "./text.js";

/** @typedef {import("./entry.js").Row} Row */
/** @typedef {import("./filter.js").Search} Search */

const CAUSE = 200; // characters

/**
 * @param {Row[]} more the lines below the first
 * @param {Search | null} search
 * @returns {HTMLElement | null} null where none of them names a cause
 */
export function drawCause(more, search) {
  const last = causeOf(more);
  if (last === null) return null;
  const text = cut(seenText(last).trim(), CAUSE);
  const cause = h("span", { class: "row-cause" }, " ⤷ ");
  const runs = placed([{ text, style: null, href: null }]);
  drawRuns(cause, runs, search ? search.ranges(text) : []);
  return cause;
}
