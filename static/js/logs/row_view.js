// One entry as an element, closed or opened. Everything a container wrote goes in as text.

import { fieldRows, holds, wholeRow } from "./entry.js";
import { h } from "../lib/dom.js";
import { t, tn, formatNumber } from "../lib/i18n.js";
import { drawEvent, drawGap, drawMarker } from "./markers.js";
import { drawTree } from "./json_tree.js";
import { drawCause } from "./cause_text.js";
import { isCause } from "./causes.js";
import { appOf, seqInApp } from "./merged_log.js";
import { levelWord } from "./levels.js";
import { shortName } from "../lib/cut_name.js";
import { fieldsOf } from "./query/fields.js";
import { fieldsOfRow } from "./query/query_match.js";
import { drawFields, fieldActions } from "./row_fields.js";
import { rowText } from "./row_text.js";
import { drawRun } from "./run_view.js";
import { plainText, readJson, seenRuns, seenText } from "./seen_text.js";
import { clip, cut, drawRuns, LONG, placed, SHORT, visible } from "./text.js";
import { day, exact, timeOfDay } from "./times.js";

/** @typedef {import("./log_model.js").Entry} Entry */
/** @typedef {import("./log_model.js").Row} Row */
/** @typedef {import("./filter.js").Search} Search */

const WHO = 14; // characters, as wide as the column is

/**
 * What drawing needs to know beside the entry.
 * @typedef {object} DrawContext
 * @property {import("./toolbar.js").ViewSettings} settings
 * @property {Search | null} search what is painted: what is looked for, and marks
 * @property {boolean} [ofMany] several apps' log
 * @property {boolean} many several instances have written: their names are shown
 * @property {(container: string, app?: string) => { name: string, hue: number }} instance
 *   of a log of several apps, the app
 * @property {import("./columns.js").Columns} columns fields that have one
 * @property {Entry | null} cursor the row the keys are at
 * @property {(entry: Entry) => boolean} [chosen] with others, to be copied or downloaded
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
  if (context.chosen?.(entry)) element.classList.add("row-chosen");
  if (entry === context.cursor) {
    element.classList.add("row-cursor");
    // What has the focus has a name; the others are read as they are.
    if (entry.row && entry.kind === "line") element.ariaLabel = nameOf(entry, entry.row, context);
  }
  return element;
}

const NAMED = 300; // characters that are read out unasked

/**
 * @param {Entry} entry
 * @param {Row} row
 * @param {DrawContext} context
 */
function nameOf(entry, row, { settings, many, instance }) {
  const level = entry.level ? levelWord(entry.level) : "";
  const who = many ? instance(row[2], appOf(row)).name : "";
  const text = visible(cut(seenText(row[4]).trim(), NAMED));
  const often = entry.run?.head === entry && entry.run.all > 1 ? `×${entry.run.all}` : "";
  return [timeOfDay(row[1], settings.utc).slice(0, 8), who, level, often, text]
    .filter(Boolean)
    .join(" ");
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
    const { name, hue } = context.instance(row[2], appOf(row));
    const label = h("span", { class: "row-who", title: name }, shortName(name, WHO));
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
  const text = drawText(entry, row, context);
  const columns = context.columns.cells(fieldRows(entry));
  head.append(
    level,
    ...columns,
    ...drawRun(entry, context),
    text,
    ...drawFold(entry, row, context),
  );
  if (entry.hit && context.search && !text.querySelector("mark:not(.marked)"))
    head.append(drawInside());
  const element = h("article", { class: "row", "aria-posinset": row[0], "aria-setsize": -1 }, head);
  if (entry.level) element.dataset.level = entry.level;
  if (row[3] === "stderr") element.dataset.stream = "stderr";
  // One of those that came again, below the first of them.
  if (entry.run && entry.run.open && entry.run.head !== entry)
    element.classList.add("row-one-more");
  if (entry.hit && context.search) element.classList.add("row-hit");
  if (context.linked !== null && holds(entry, context.linked)) element.classList.add("row-linked");
  element.ariaExpanded = String(entry.open);
  if (entry.open) {
    element.classList.add("row-open");
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
  const { settings, search } = context;
  const whole = wholeRow(entry);
  const { runs, ranges, links } = rowText(whole, entry.level, settings, search);
  drawRuns(box, runs, ranges, links);
  if (entry.more && whole === row) box.append(drawCause(entry.more, search) ?? "");
  return box;
}

/** What is looked for is in the entry, but not in what its row shows. */
function drawInside() {
  return h(
    "span",
    {
      class: "row-fold row-inside",
      title: t("What is looked for is in the lines below it, or in the line as it was written"),
    },
    t("match inside"),
  );
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
  const room = context.settings.wrap ? LONG : SHORT;
  // Of what was written over and over the row shows all there is to be seen.
  if (n <= room || seenText(row[4]).length <= room) return [];
  return [h("span", { class: "row-fold" }, t("{n} characters", { n }))];
}

// An opened row: the whole text, its JSON as a tree, its trace, where it comes from, and what can
// be done with it.

const CHUNK = 8_192; // characters a block: the browser lays out only the blocks that are seen

/**
 * @param {Entry} entry
 * @param {Row} row
 * @param {DrawContext} context
 */
function drawDetail(entry, row, context) {
  const box = h("div", { class: "detail" });
  box.append(drawActions(entry, row, context), drawFacts(row, context));
  const whole = wholeRow(entry);
  const json = readJson(whole[4]);
  const actions = fieldActions(entry, context);
  const as = whole === row ? "row" : `${entry.more?.length} more`;
  if (json) {
    if (json.before) box.append(...drawBefore(json.before, actions));
    // Of an object over several lines each value is found by the name on its line.
    box.append(ofSame(drawTree(json.value, actions, whole !== row), as));
  } else
    box.append(ofSame(drawWhole(row[4], context), "row"), ...drawFields(fieldsOfRow(row), actions));
  if (json || plainText(row[4]) !== row[4])
    box.append(ofSame(drawWritten(entry, whole, context), as));
  if (entry.more && whole === row) box.append(drawTrace(entry.more, context));
  return box;
}

/**
 * What somebody may have opened more of stays for as long as it shows the same.
 * @param {HTMLElement} element
 * @param {string} as
 */
function ofSame(element, as) {
  element.dataset.as = as;
  return element;
}

/**
 * What stands in front of an object, and its own fields.
 * @param {string} before
 * @param {import("./json_tree.js").Actions} actions
 */
function drawBefore(before, actions) {
  return [
    h("div", { class: "detail-text" }, visible(before)),
    ...drawFields(fieldsOf(before), actions),
  ];
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
  const app = appOf(row);
  const seq = seqInApp(row);
  const name = app ? row[2] : context.instance(row[2]).name;
  const address = `/apps/${encodeURIComponent(app)}/logs#L${seq}`;
  return h(
    "dl",
    { class: "detail-facts" },
    app
      ? h("div", null, h("dt", null, t("App")), h("dd", null, h("a", { href: address }, app)))
      : null,
    fact(t("Time"), exact(row[1], context.settings.utc)),
    fact(t("Line"), `#${formatNumber(seq)}`),
    fact(t("Instance"), name === row[2] ? row[2] : `${name} (${row[2]})`),
    fact(t("Stream"), row[3]),
    row[4].length > LONG ? fact(t("Length"), t("{n} characters", { n: row[4].length })) : null,
  );
}

/**
 * The line as the container wrote it, control characters by name: opened when nothing else holds
 * what is looked for.
 * @param {Entry} entry
 * @param {Row} row
 * @param {DrawContext} context
 */
function drawWritten(entry, row, context) {
  const { search } = context;
  const body = h("div", { class: "detail-written" });
  const box = h(
    "details",
    { class: "detail-raw" },
    h("summary", null, t("The line as it was written")),
    body,
  );
  const fill = () => {
    if (!box.open || body.firstChild) return;
    const copy = h("button", { class: "small-action", type: "button" }, t("Copy"));
    copy.addEventListener("click", () => context.act("copy-text", entry, row[4]));
    body.append(inParts([{ text: row[4], style: null, href: null }], context), copy);
  };
  box.addEventListener("toggle", () => {
    fill();
    box.dispatchEvent(new Event("resized", { bubbles: true }));
  });
  // A third number is the hue of a mark, which is not what is looked for.
  const found = search?.ranges(seenText(row[4])).some((range) => !Number(range.at(2) ?? 0));
  box.open = entry.hit && search !== null && !found;
  fill();
  return box;
}

/**
 * The whole text of a line that is no JSON.
 * @param {string} line
 * @param {DrawContext} context
 */
function drawWhole(line, context) {
  return inParts(seenRuns(line), context);
}

/**
 * The first ten thousand characters; the rest when asked for.
 * @param {import("../lib/ansi.js").Run[]} runs
 * @param {DrawContext} context
 */
function inParts(runs, context) {
  const box = h("div", { class: "detail-text" });
  const { search } = context;
  const text = runs.map((run) => run.text).join("");
  /** @param {string} piece @param {number} at */
  const part = (piece, at) => {
    const block = h("div", { class: "detail-block" });
    const own = placed(clip(runs, at, at + piece.length));
    drawRuns(block, own, search ? search.ranges(piece) : []);
    return block;
  };
  const start = cut(text, LONG);
  box.append(part(start, 0));
  if (start.length < text.length) {
    const all = h("button", { class: "small-action", type: "button" });
    all.append(t("Show all {n} characters", { n: text.length }));
    all.addEventListener("click", () => {
      all.remove();
      for (let at = start.length; at < text.length;) {
        const piece = cut(text.slice(at, at + CHUNK + 1), CHUNK);
        box.append(part(piece, at));
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
    const runs = clip(seenRuns(row[4]), 0, LONG);
    const text = runs.map((run) => run.text).join("");
    drawRuns(line, placed(runs), context.search ? context.search.ranges(text) : []);
    if (!text) line.append("\u00a0");
    box.append(line);
  }
  return box;
}
