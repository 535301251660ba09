// A line that was found, as an element: when, which app, what, and what stood around it.

import { h } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { rowText } from "../logs/row_text.js";
import { drawRuns } from "../logs/text.js";
import { exact, timeOfDay } from "../logs/times.js";
import { lineAddress } from "./asked.js";

/** @typedef {import("./search_stream.js").Hit} Hit */
/** @typedef {import("../logs/entry.js").Row} Row */
/** @typedef {import("../logs/filter.js").Search} Search */

const SETTINGS = { json: true, wrap: false, times: true };

/**
 * @param {Hit} hit
 * @param {import("./asked.js").Asked} asked
 * @param {Search | null} search
 * @param {number} hue of its app
 */
export function drawHit(hit, asked, search, hue) {
  const { app, line, before, after } = hit;
  const time = h("time", { class: "hit-time", datetime: line[1], title: exact(line[1], false) });
  time.append(timeOfDay(line[1], false));
  const who = h("span", { class: "hit-who", title: app, dataset: { hue: String(hue) } }, app);
  const text = h("span", { class: "hit-text" });
  drawText(text, line, search);
  const head = h(
    "a",
    { class: "hit-line", href: lineAddress(app, line[0], asked) },
    h("span", { class: "hit-head" }, time, who),
    text,
  );
  return h(
    "li",
    { class: "hit" },
    before.map((row) => around(row)),
    head,
    after.map((row) => around(row)),
    hit.cut ? h("p", { class: "muted hit-cut" }, t("{n} more characters", { n: hit.cut })) : null,
  );
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
