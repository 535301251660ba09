// An opened row: the whole text, its JSON as a tree, its trace, where it comes from, and what can
// be done with it.

import { h } from "../lib/dom.js";
import { formatNumber, t } from "../lib/i18n.js";
import { stripAnsi } from "../lib/ansi.js";
import { drawTree, readJson } from "./json_tree.js";
import { cut, drawRuns, LONG } from "./text.js";
import { exact } from "./times.js";
import { isCause } from "./trace_folding.js";

/** @typedef {import("./log_model.js").Entry} Entry */
/** @typedef {import("./log_model.js").Row} Row */
/** @typedef {import("./row_view.js").DrawContext} DrawContext */

const CHUNK = 8_192; // characters a block: the browser lays out only the blocks that are seen

/**
 * @param {Entry} entry
 * @param {Row} row
 * @param {DrawContext} context
 */
export function drawDetail(entry, row, context) {
  const box = h("div", { class: "detail" });
  box.append(drawActions(entry, row, context), drawFacts(row, context));
  const json = readJson(stripAnsi(row[4]));
  if (json) box.append(drawTree(json.value, (value) => context.act("copy-text", entry, value)));
  else box.append(drawWhole(row[4], context));
  if (entry.more) box.append(drawTrace(entry.more, context));
  return box;
}

/**
 * @param {Entry} entry
 * @param {Row} row
 * @param {DrawContext} context
 */
function drawActions(entry, row, context) {
  const button = (/** @type {string} */ action, /** @type {string} */ label) =>
    h(
      "button",
      { class: "small-action", type: "button", onclick: () => context.act(action, entry) },
      label,
    );
  return h(
    "div",
    { class: "detail-actions" },
    button("copy", t("Copy")),
    button("copy-link", t("Copy link")),
    button("around", t("Show around it")),
    button("filter-for", t("Filter for it")),
    context.many ? button("only-instance", t("Only this instance")) : null,
  );
}

/**
 * @param {Row} row
 * @param {DrawContext} context
 */
function drawFacts(row, context) {
  const fact = (/** @type {string} */ name, /** @type {string} */ value) =>
    h("div", null, h("dt", null, name), h("dd", null, value));
  const { name } = context.instance(row[2]);
  return h(
    "dl",
    { class: "detail-facts" },
    fact(t("Time"), exact(row[1], context.settings.utc)),
    fact(t("Line"), `#${formatNumber(row[0])}`),
    fact(t("Instance"), name === row[2] ? row[2] : `${name} (${row[2]})`),
    fact(t("Stream"), row[3]),
    row[4].length > LONG ? fact(t("Length"), t("{n} characters", { n: row[4].length })) : null,
  );
}

/**
 * The first ten thousand characters; the rest when asked for.
 * @param {string} text
 * @param {DrawContext} context
 */
function drawWhole(text, context) {
  const box = h("div", { class: "detail-text" });
  const part = (/** @type {string} */ piece) => {
    const block = h("div", { class: "detail-block" });
    // A carriage return would have gone back to the start of the line: it begins a new one here.
    piece.split(/\r(?!$)/).forEach((line, i) => {
      if (i) block.append(h("br", null));
      drawRuns(block, line, context.search);
    });
    return block;
  };
  const start = cut(text, LONG);
  box.append(part(start));
  if (start.length < text.length) {
    const all = h("button", { class: "small-action", type: "button" });
    all.append(t("Show all {n} characters", { n: text.length }));
    all.addEventListener("click", () => {
      all.remove();
      for (let at = start.length; at < text.length;) {
        const piece = cut(text.slice(at, at + CHUNK + 1), CHUNK);
        box.append(part(piece));
        at += piece.length;
      }
      box.dispatchEvent(new Event("resized", { bubbles: true }));
    });
    box.append(all);
  }
  return box;
}

/**
 * @param {Row[]} more
 * @param {DrawContext} context
 */
function drawTrace(more, context) {
  const box = h("div", { class: "detail-trace" });
  for (const row of more) {
    const line = h("div", { class: "trace-line" });
    if (isCause(row[4])) line.classList.add("trace-cause");
    line.dataset.seq = String(row[0]);
    if (context.linked === row[0]) line.classList.add("row-linked");
    drawRuns(line, cut(row[4], LONG), context.search);
    if (!row[4]) line.append("\u00a0");
    box.append(line);
  }
  return box;
}
