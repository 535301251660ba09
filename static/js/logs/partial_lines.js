// Lines that are not ended, below the last row: progress that is drawn over and over, a question that
// waits for its answer. Shown as they are now while the reader is at the end; they have no seq, and are
// rows when they have ended.

import { byId, h, setChildren } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { live } from "../live/live_socket.js";
import { rowText } from "./row_text.js";
import { drawRuns } from "./text.js";
import { exact, timeOfDay } from "./times.js";

/** @typedef {import("./entry.js").Row} Row */
/** @typedef {import("./row_view.js").DrawContext} DrawContext */

/** @typedef {[time: string, container: string, stream: "stdout" | "stderr", text: string]} PartialLine */

const SHOWN = 5; // the newest

export class PartialLines {
  /** @type {PartialLine[]} */
  #lines = [];
  /** What is drawn, and how. */
  #drawn = "";
  #box = byId("log-partial");

  /**
   * @param {string} app
   * @param {() => void} changed
   */
  follow(app, changed) {
    live.subscribe(
      `partial/${app}`,
      {},
      {
        partial: ({ lines }) => {
          this.#lines = lines;
          changed();
        },
        lost: () => {
          this.#lines = [];
          changed();
        },
      },
    );
  }

  /**
   * @param {import("./feed.js").Feed} feed
   * @param {boolean} following the reader is at the end of what is shown
   * @param {DrawContext} context
   */
  show({ attached, queue, active }, following, context) {
    const shown =
      following && attached && !queue.count
        ? this.#lines
            .map((line) => /** @type {Row} */ ([0, ...line]))
            .filter((row) => row[4] !== "" && passes(row, active))
            .slice(-SHOWN)
        : [];
    const { times, json, wrap, utc } = context.settings;
    const how = [times, json, wrap, utc, context.many, context.search?.ranges(shown.join("\n"))];
    const drawn = JSON.stringify([shown, how]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.#box.hidden = shown.length === 0;
    setChildren(
      this.#box,
      shown.map((row) => draw(row, context)),
    );
  }
}

/**
 * Which level it will have is not known before its end: it has none.
 * @param {Row} row
 * @param {import("./filter.js").ActiveFilter} active
 */
function passes(row, { filter, search }) {
  const { container, stream, levels, hide } = filter;
  return (
    (!container || row[2] === container) &&
    (!stream || row[3] === stream) &&
    (!levels.length || levels.includes("none")) &&
    (!hide || search === null || search.test(row[4]))
  );
}

/**
 * @param {Row} row
 * @param {DrawContext} context
 */
function draw(row, context) {
  const { settings, search } = context;
  const line = h("div", { class: "row-line" });
  if (settings.times) {
    const title = exact(row[1], settings.utc);
    const at = timeOfDay(row[1], settings.utc);
    const ms = h("span", { class: "row-ms" }, at.slice(8));
    line.append(h("time", { class: "row-time", title, datetime: row[1] }, at.slice(0, 8), ms));
  }
  if (context.many) {
    const { name, hue } = context.instance(row[2]);
    const label = h("span", { class: "row-who", title: name }, name);
    label.dataset.hue = String(hue);
    line.append(label);
  }
  const text = h("span", { class: "row-text" });
  const { runs, ranges, links } = rowText(row, null, settings, search);
  drawRuns(text, runs, ranges, links);
  const sign = h(
    "span",
    { class: "row-level row-goes-on", title: t("This line is not ended") },
    "…",
  );
  line.append(sign, text);
  return h("div", { class: "row" }, line);
}
