// One entry as an element. Everything a container wrote goes in as text.

import { holds, textOf } from "./entry.js";
import { h } from "../lib/dom.js";
import { t, tn } from "../lib/i18n.js";
import { stripAnsi } from "../lib/ansi.js";
import { drawEvent, drawGap, drawMarker } from "./markers.js";
import { brief, readJson } from "./json_tree.js";
import { causeOf } from "./trace_folding.js";
import { levelWord } from "./levels.js";
import { cut, drawRuns, lastOverwrite, LONG, SHORT, visible } from "./text.js";
import { day, exact, timeOfDay } from "./times.js";
import { drawDetail } from "./row_detail.js";

/** @typedef {import("./log_model.js").Entry} Entry */
/** @typedef {import("./log_model.js").Row} Row */
/** @typedef {import("./filter.js").Search} Search */

/**
 * What drawing needs to know beside the entry.
 * @typedef {object} DrawContext
 * @property {import("./toolbar.js").ViewSettings} settings
 * @property {Search | null} search
 * @property {boolean} many several instances have written: their names are shown
 * @property {(container: string) => { name: string, hue: number }} instance
 * @property {Entry | null} cursor the row the keys are at
 * @property {number | null} linked the seq that the address names
 * @property {(action: string, entry: Entry, value?: unknown) => void} act
 */

/**
 * @param {Entry} entry
 * @param {DrawContext} context
 * @returns {HTMLElement}
 */
export function drawEntry(entry, context) {
  const element = drawKind(entry, context);
  element.dataset.seq = String(entry.seq);
  element.tabIndex = entry === context.cursor ? 0 : -1;
  if (entry === context.cursor) element.classList.add("row-cursor");
  return element;
}

/**
 * @param {Entry} entry
 * @param {DrawContext} context
 */
function drawKind(entry, context) {
  if (entry.event) return drawEvent(entry, entry.event, context);
  if (entry.gap) return drawGap(entry, entry.gap, context);
  if (entry.kind === "marker" && entry.row) return drawMarker(entry, entry.row, context);
  return drawLine(entry, /** @type {Row} */ (entry.row), context);
}

/**
 * @param {Entry} entry
 * @param {Row} row
 * @param {DrawContext} context
 */
function drawLine(entry, row, context) {
  const { settings } = context;
  const head = h("div", { class: "row-line" });
  if (settings.times) {
    const at = timeOfDay(row[1], settings.utc);
    const time = h("time", {
      class: "row-time",
      title: exact(row[1], settings.utc),
      datetime: row[1],
    });
    // The milliseconds are the first to go where there is little room.
    time.append(at.slice(0, 8), h("span", { class: "row-ms" }, at.slice(8)));
    if (settings.dates) time.prepend(`${day(row[1], settings.utc).slice(5)} `);
    head.append(time);
  }
  if (context.many) {
    const { name, hue } = context.instance(row[2]);
    const label = h("span", { class: "row-who", title: name }, name);
    label.dataset.hue = String(hue);
    head.append(label);
  }
  const level = h("span", { class: "row-level" });
  if (entry.level) {
    const word = levelWord(entry.level);
    level.append(h("span", { class: "row-word" }, word));
    level.dataset.letter = entry.level[0].toUpperCase();
    level.title = word;
  }
  head.append(level, drawText(entry, row, context), ...drawFold(entry, row, context));
  const element = h("article", { class: "row" }, head);
  if (entry.level) element.dataset.level = entry.level;
  if (row[3] === "stderr") element.dataset.stream = "stderr";
  if (entry.hit && context.search) element.classList.add("row-hit");
  if (context.linked !== null && holds(entry, context.linked)) element.classList.add("row-linked");
  if (entry.open) {
    element.classList.add("row-open");
    element.setAttribute("aria-expanded", "true");
    element.append(drawDetail(entry, row, context));
  }
  return element;
}

/**
 * @param {Entry} entry
 * @param {Row} row
 * @param {DrawContext} context
 */
function drawText(entry, row, context) {
  const box = h("span", { class: "row-text" });
  const whole = row[4];
  const { settings, search } = context;
  const json = settings.json && whole.includes("{") ? readJson(stripAnsi(whole)) : null;
  if (json) drawJson(box, json, search);
  else {
    const room = settings.wrap ? LONG : SHORT;
    drawRuns(box, cut(lastOverwrite(whole), room), search);
  }
  if (entry.more) {
    const last = causeOf(entry.more);
    if (last)
      box.append(
        h("span", { class: "row-cause" }, ` ⤷ ${visible(cut(stripAnsi(last).trim(), 200))}`),
      );
  }
  return box;
}

/**
 * How much more there is than the row shows.
 * @param {Entry} entry
 * @param {Row} row
 * @param {DrawContext} context
 */
function drawFold(entry, row, context) {
  const n = row[4].length;
  if (entry.more)
    return [h("span", { class: "row-fold" }, tn("+{n} line", "+{n} lines", entry.more.length))];
  if (n <= (context.settings.wrap ? LONG : SHORT)) return [];
  return [h("span", { class: "row-fold" }, t("{n} characters", { n }))];
}

/**
 * @param {HTMLElement} box
 * @param {import("./json_tree.js").JsonLine} json
 * @param {Search | null} search
 */
function drawJson(box, json, search) {
  if (json.message !== null)
    drawRuns(box, cut(json.message, SHORT).replaceAll("\n", " ↵ "), search);
  for (const [key, value] of json.fields.slice(0, 30)) {
    const pair = h("span", { class: "row-field" });
    // Without a message the first field is what the line says.
    if (!box.childNodes.length) pair.classList.add("row-field-first");
    pair.append(h("span", { class: "row-key" }, visible(key)), "=");
    drawRuns(pair, brief(value).replaceAll("\n", " ↵ "), search);
    box.append(box.childNodes.length ? " " : "", pair);
  }
}

/**
 * What a selection over several rows copies: one line a row, time and text, whatever the columns.
 * @param {HTMLElement} slice holds the rows
 * @param {(element: Element) => Entry | null} entryOf
 */
export function copySelections(slice, entryOf) {
  slice.addEventListener("copy", (event) => {
    const selection = getSelection();
    if (!selection || selection.isCollapsed || !selection.rangeCount) return;
    const range = selection.getRangeAt(0);
    const rows = [...slice.children].filter((row) => range.intersectsNode(row));
    if (rows.length < 2) return;
    const lines = rows.map((row) => {
      const entry = entryOf(row);
      if (!entry) return "";
      const text = entry.row ? textOf(entry) : (row.querySelector(".row-words")?.textContent ?? "");
      const time = row.querySelector(".row-time")?.textContent;
      return time ? `${time} ${text}` : text;
    });
    event.clipboardData?.setData("text/plain", lines.join("\n"));
    event.preventDefault();
  });
}
