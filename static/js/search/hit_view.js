// A line that was found, as an element: when, which app, what, and what stood around it.

import { h } from "../lib/dom.js";
import { t, tn } from "../lib/i18n.js";
import { drawCause } from "../logs/cause_text.js";
import { levelWord } from "../logs/levels.js";
import { rowText } from "../logs/row_text.js";
import { drawRuns } from "../logs/text.js";
import { exact, timeOfDay } from "../logs/times.js";
import { lineAddress } from "./asked.js";

/** @typedef {import("../logs/search_stream.js").Hit} Hit */
/** @typedef {import("../logs/entry.js").Row} Row */
/** @typedef {import("../logs/filter.js").Search} Search */

const SETTINGS = { json: true, wrap: false, times: true };

/**
 * @param {Hit} hit
 * @param {import("./asked.js").Asked} asked
 * @param {Search | null} search
 * @param {number} hue of its app
 * @param {import("../logs/columns.js").Columns} columns
 */
export function drawHit(hit, asked, search, hue, columns) {
  const { app, line, before, after, entry = [line] } = hit;
  const [head] = entry;
  const time = h("time", { class: "hit-time", datetime: line[1], title: exact(line[1], false) });
  time.append(timeOfDay(line[1], false));
  const who = h("span", { class: "hit-who", title: app, dataset: { hue: String(hue) } }, app);
  const cells = h("span", { class: "hit-columns" }, ...columns.cells([line]));
  const text = h("span", { class: "hit-text hit-first" });
  drawText(text, head, search);
  // Only where all of the entry is here: of a part, what it says last is not why it failed.
  const [, ...more] = entry;
  if (line[0] === head[0] && (hit.lines ?? 1) === entry.length)
    text.append(drawCause(more, search) ?? "");
  const body = h("span", { class: "hit-body" }, text);
  const item = h("li", { class: "hit" });
  if (hit.level) {
    item.dataset.level = hit.level;
    body.prepend(h("span", { class: "quiet" }, `${levelWord(hit.level)} `));
  }
  // Of a failure what was found in it stands below its first line, and the rest is folded.
  if (line[0] !== head[0]) {
    const found = h("span", { class: "hit-text hit-within" });
    drawText(found, line, search);
    body.append(found);
  }
  const link = h(
    "a",
    { class: "hit-line", href: lineAddress(app, line[0], asked) },
    h("span", { class: "hit-head" }, time, who, cells),
    body,
  );
  item.append(...before.map((row) => around(row)), link);
  if (hit.cut)
    item.append(h("p", { class: "muted hit-cut" }, t("{n} more characters", { n: hit.cut })));
  if (hit.entry) item.append(drawFold(hit.entry, hit.lines ?? hit.entry.length, search));
  item.append(...after.map((row) => around(row)));
  return item;
}

/**
 * All lines of an entry, folded.
 * @param {Row[]} entry
 * @param {number} lines
 * @param {Search | null} search
 */
function drawFold(entry, lines, search) {
  const fold = h("details", { class: "hit-fold" });
  fold.append(h("summary", null, tn("+{n} line", "+{n} lines", lines - 1)));
  fold.addEventListener(
    "toggle",
    () => {
      for (const row of entry) {
        const text = h("p", { class: "hit-around hit-of-entry" });
        drawText(text, row, search);
        fold.append(text);
      }
      const left = lines - entry.length;
      if (left > 0)
        fold.append(
          h("p", { class: "muted hit-cut" }, tn("{n} more line", "{n} more lines", left)),
        );
    },
    { once: true },
  );
  return fold;
}

/** @param {Row} row */
function around(row) {
  const text = h("p", { class: "hit-around" });
  drawText(text, row, null);
  if (!row[4]) text.append("\u00a0");
  return text;
}

/**
 * As in the log of its app.
 * @param {HTMLElement} box
 * @param {Row} row
 * @param {Search | null} search
 */
function drawText(box, row, search) {
  const { runs, ranges } = rowText(row, null, SETTINGS, search);
  drawRuns(box, runs, ranges, []); // all of it is a link
}
