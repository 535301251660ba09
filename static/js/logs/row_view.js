// One entry as an element. Everything a container wrote goes in as text.

import { h } from "../lib/dom.js";
import { t, tn } from "../lib/i18n.js";
import { parseAnsi, readable, stripAnsi } from "../lib/ansi.js";
import { drawEvent, drawGap, drawMarker } from "./markers.js";
import { brief, readJson } from "./json.js";
import { cutAtRanges } from "./search.js";
import { LONG, SHORT, cut, lastOverwrite, pieces, visible } from "./text.js";
import { clock, day, exact } from "./times.js";
import { drawDetail } from "./row_detail.js";

/** @typedef {import("./log_model.js").Entry} Entry */
/** @typedef {import("./log_model.js").Row} Row */
/** @typedef {import("../lib/ansi.js").Style} Style */
/** @typedef {import("./search.js").Search} Search */

/**
 * What drawing needs to know beside the entry.
 * @typedef {object} Look
 * @property {import("./settings.js").Settings} settings
 * @property {Search | null} search
 * @property {boolean} many several instances have written: their names are shown
 * @property {(container: string) => { name: string, hue: number }} instance
 * @property {Entry | null} cursor the row the keys are at
 * @property {number | null} linked the seq that the address names
 * @property {(action: string, entry: Entry, value?: unknown) => void} act
 */

/** @type {Record<string, () => string>} */
export const LEVEL_WORD = {
  error: () => t("error"),
  warning: () => t("warn"),
  info: () => t("info"),
  debug: () => t("debug"),
  trace: () => t("trace"),
};

/**
 * @param {Entry} entry
 * @param {Look} look
 * @returns {HTMLElement}
 */
export function drawEntry(entry, look) {
  const element = drawKind(entry, look);
  element.dataset.seq = String(entry.seq);
  element.tabIndex = entry === look.cursor ? 0 : -1;
  if (entry === look.cursor) element.classList.add("row-cursor");
  return element;
}

/**
 * @param {Entry} entry
 * @param {Look} look
 */
function drawKind(entry, look) {
  if (entry.event) return drawEvent(entry, entry.event, look);
  if (entry.gap) return drawGap(entry, entry.gap, look);
  if (entry.kind === "marker" && entry.row) return drawMarker(entry, entry.row, look);
  return drawLine(entry, /** @type {Row} */ (entry.row), look);
}

/**
 * @param {Entry} entry
 * @param {Row} row
 * @param {Look} look
 */
function drawLine(entry, row, look) {
  const { settings } = look;
  const head = h("div", { class: "row-line" });
  if (settings.times) {
    const at = clock(row[1], settings.utc);
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
  if (look.many) {
    const { name, hue } = look.instance(row[2]);
    const label = h("span", { class: "row-who", title: name }, name);
    label.dataset.hue = String(hue);
    head.append(label);
  }
  const level = h("span", { class: "row-level" });
  if (entry.level) {
    const word = LEVEL_WORD[entry.level]();
    level.append(h("span", { class: "row-word" }, word));
    level.dataset.letter = entry.level[0].toUpperCase();
    level.title = word;
  }
  head.append(level, drawText(entry, row, look), ...drawFold(entry, row, look));
  const element = h("article", { class: "row" }, head);
  if (entry.level) element.dataset.level = entry.level;
  if (row[3] === "stderr") element.dataset.stream = "stderr";
  if (entry.hit && look.search) element.classList.add("row-hit");
  if (look.linked !== null && holds(entry, look.linked)) element.classList.add("row-linked");
  if (entry.open) {
    element.classList.add("row-open");
    element.setAttribute("aria-expanded", "true");
    element.append(drawDetail(entry, row, look));
  }
  return element;
}

/**
 * Whether the line with this seq is in this entry.
 * @param {Entry} entry
 * @param {number} seq
 */
export function holds(entry, seq) {
  return (
    entry.row !== null &&
    (entry.seq === seq || (entry.more?.some((row) => row[0] === seq) ?? false))
  );
}

/**
 * @param {Entry} entry
 * @param {Row} row
 * @param {Look} look
 */
function drawText(entry, row, look) {
  const box = h("span", { class: "row-text" });
  const whole = row[4];
  const { settings, search } = look;
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
 * @param {Look} look
 */
function drawFold(entry, row, look) {
  const n = row[4].length;
  if (entry.more)
    return [h("span", { class: "row-fold" }, tn("+{n} line", "+{n} lines", entry.more.length))];
  if (n <= (look.settings.wrap ? LONG : SHORT)) return [];
  return [h("span", { class: "row-fold" }, t("{n} characters", { n }))];
}

/**
 * The line of a folded trace that says most beside its first: the last cause, or in Python the
 * error itself.
 * @param {Row[]} more
 */
function causeOf(more) {
  for (let i = more.length - 1; i >= 0; i--) {
    const text = more[i][4];
    if (/^\s*(?:Caused by: |---> )|^[\w.]+(?:Error|Exception|Interrupt|Exit|Warning)\b/.test(text))
      return text;
  }
  return null;
}

/**
 * @param {HTMLElement} box
 * @param {import("./json.js").JsonLine} json
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
 * Text with its colours, links, symbols and matches.
 * @param {HTMLElement} box
 * @param {string} text
 * @param {Search | null} search
 */
export function drawRuns(box, text, search) {
  const runs = parseAnsi(text);
  const ranges = search ? search.ranges(runs.map((run) => run.text).join("")) : [];
  for (const run of cutAtRanges(runs, ranges)) {
    const parent = run.hit ? h("mark", null) : run.style || run.href ? h("span", null) : box;
    if (parent !== box) box.append(parent);
    if (run.style) applyStyle(parent, run.style);
    if (run.href) parent.append(link(run.href, visible(run.text)));
    else drawPieces(parent, run.text);
  }
}

/**
 * @param {HTMLElement} parent
 * @param {string} text
 */
function drawPieces(parent, text) {
  for (const piece of pieces(text)) {
    if (piece.href) parent.append(link(piece.href, piece.text));
    else if (piece.odd) parent.append(h("span", { class: "odd" }, piece.text));
    else parent.append(piece.text);
  }
}

/**
 * @param {string} href
 * @param {string} text
 */
function link(href, text) {
  return h(
    "a",
    { href, target: "_blank", rel: "noopener noreferrer", title: href, tabindex: "-1" },
    text,
  );
}

/**
 * @param {HTMLElement} element
 * @param {Style} style
 */
function applyStyle(element, style) {
  const { classList } = element;
  for (const name of /** @type {const} */ ([
    "bold",
    "dim",
    "italic",
    "underline",
    "strike",
    "hidden",
  ])) {
    if (style[name]) classList.add(`a-${name}`);
  }
  // Inverse without colours swaps those of the page.
  let { fg, bg } = style;
  if (style.inverse) {
    [fg, bg] = [bg, fg];
    if (fg === undefined) classList.add("a-fg-page");
    if (bg === undefined) classList.add("a-bg-text");
  }
  if (typeof fg === "number") classList.add(`a-fg-${fg}`);
  else if (fg !== undefined) {
    classList.add("a-fg");
    const both = bg === undefined;
    element.style.setProperty("--fg-light", both ? readable(fg, false) : fg);
    element.style.setProperty("--fg-dark", both ? readable(fg, true) : fg);
  }
  if (typeof bg === "number") classList.add(`a-bg-${bg}`);
  else if (bg !== undefined) {
    classList.add("a-bg");
    element.style.setProperty("--bg", bg);
  }
}
