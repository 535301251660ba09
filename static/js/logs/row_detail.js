// An opened row: the whole text, its JSON as a tree, its trace, where it comes from, and what can
// be done with it.

import { h } from "../lib/dom.js";
import { formatNumber, t } from "../lib/i18n.js";
import { stripAnsi } from "../lib/ansi.js";
import { readJson } from "./json.js";
import { drawRuns } from "./row_view.js";
import { LONG, cut } from "./text.js";
import { exact } from "./times.js";
import { isCause } from "./traces.js";
import { drawTree } from "./json_tree.js";

/** @typedef {import("./log_model.js").Entry} Entry */
/** @typedef {import("./log_model.js").Row} Row */
/** @typedef {import("./row_view.js").Look} Look */

const CHUNK = 8_192; // characters a block: the browser lays out only the blocks that are seen

/**
 * @param {Entry} entry
 * @param {Row} row
 * @param {Look} look
 */
export function drawDetail(entry, row, look) {
  const box = h("div", { class: "detail" });
  box.append(drawActions(entry, row, look), drawFacts(row, look));
  const json = readJson(stripAnsi(row[4]));
  if (json) box.append(drawTree(json.value, (value) => look.act("copy-text", entry, value)));
  else box.append(drawWhole(row[4], look));
  if (entry.more) box.append(drawTrace(entry.more, look));
  return box;
}

/**
 * @param {Entry} entry
 * @param {Row} row
 * @param {Look} look
 */
function drawActions(entry, row, look) {
  const button = (/** @type {string} */ action, /** @type {string} */ label) =>
    h(
      "button",
      { class: "detail-action", type: "button", onclick: () => look.act(action, entry) },
      label,
    );
  return h(
    "div",
    { class: "detail-actions" },
    button("copy", t("Copy")),
    button("copy-link", t("Copy link")),
    button("around", t("Show around it")),
    button("filter-for", t("Filter for it")),
    look.many ? button("only-instance", t("Only this instance")) : null,
  );
}

/**
 * @param {Row} row
 * @param {Look} look
 */
function drawFacts(row, look) {
  const fact = (/** @type {string} */ name, /** @type {string} */ value) =>
    h("div", null, h("dt", null, name), h("dd", null, value));
  const { name } = look.instance(row[2]);
  return h(
    "dl",
    { class: "detail-facts" },
    fact(t("Time"), exact(row[1], look.settings.utc)),
    fact(t("Line"), `#${formatNumber(row[0])}`),
    fact(t("Instance"), name === row[2] ? row[2] : `${name} (${row[2]})`),
    fact(t("Stream"), row[3]),
    row[4].length > LONG ? fact(t("Length"), t("{n} characters", { n: row[4].length })) : null,
  );
}

/**
 * The first ten thousand characters; the rest when asked for.
 * @param {string} text
 * @param {Look} look
 */
function drawWhole(text, look) {
  const box = h("div", { class: "detail-text" });
  const part = (/** @type {string} */ piece) => {
    const block = h("div", { class: "detail-block" });
    // A carriage return would have gone back to the start of the line: it begins a new one here.
    piece.split(/\r(?!$)/).forEach((line, i) => {
      if (i) block.append(h("br", null));
      drawRuns(block, line, look.search);
    });
    return block;
  };
  const start = cut(text, LONG);
  box.append(part(start));
  if (start.length < text.length) {
    const all = h("button", { class: "detail-action", type: "button" });
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
 * @param {Look} look
 */
function drawTrace(more, look) {
  const box = h("div", { class: "detail-trace" });
  for (const row of more) {
    const line = h("div", { class: "trace-line" });
    if (isCause(row[4])) line.classList.add("trace-cause");
    line.dataset.seq = String(row[0]);
    if (look.linked === row[0]) line.classList.add("row-linked");
    drawRuns(line, cut(row[4], LONG), look.search);
    if (!row[4]) line.append("\u00a0");
    box.append(line);
  }
  return box;
}
