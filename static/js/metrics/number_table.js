// The numbers of a chart as a table: for who does not see charts, and for who wants to copy them. It
// is made when it is opened.

import { h } from "../lib/dom.js";
import { formatMeasured, t } from "../lib/i18n.js";
import { redraw } from "../lib/redraw.js";
import { momentOf } from "./time_axis.js";

/** @typedef {import("./plot.js").Plot} Plot */
/** @typedef {import("../lib/units.js").Scale} Scale */

const EVERY = 5_000; // ms between two looks while it is open: what is read must not run away

export class NumberTable {
  #head = h("thead");
  #body = h("tbody");
  #drawnAt = -Infinity;

  /**
   * @param {string} title
   * @param {() => { plot: Plot, scale: Scale }} shown
   */
  constructor(title, shown) {
    this.shown = shown;
    const table = h("table", null, h("caption", { class: "quiet" }, title), this.#head, this.#body);
    this.element = h(
      "details",
      { class: "metric-numbers", ontoggle: () => this.changed(true) },
      h("summary", null, t("Numbers"), h("span", { class: "quiet" }, ` ${title}`)),
      h(
        "div",
        { class: "metric-numbers-body", tabindex: "0", role: "group", "aria-label": title },
        table,
      ),
    );
  }

  /** There is something else to show. @param {boolean} [now] */
  changed(now = false) {
    if (!this.element.open) return;
    if (!now && performance.now() - this.#drawnAt < EVERY) return;
    this.#drawnAt = performance.now();
    this.#draw();
  }

  #draw() {
    const { plot, scale } = this.shown();
    const { times, lines, width } = plot;
    const unit = scale.unit ? ` (${scale.unit})` : "";
    const wide = lines.some(
      (line) => line.kind === "line" && line.most.some((most, n) => most !== line.own[n]),
    );
    /** @type {("least" | "own" | "most")[]} */
    const parts = wide ? ["least", "own", "most"] : ["own"];
    const names = { least: t("least"), own: t("mean"), most: t("most") };
    redraw(this.#head, [
      h(
        "tr",
        null,
        h("th", { scope: "col" }, t("Time")),
        lines.flatMap((line) =>
          parts.map((part) =>
            h(
              "th",
              { scope: "col" },
              `${line.label}${parts.length > 1 ? `, ${names[part]}` : ""}${unit}`,
            ),
          ),
        ),
      ),
    ]);
    /** @param {number | null | undefined} value */
    const written = (value) =>
      value === undefined
        ? ""
        : value === null
          ? t("not measured")
          : formatMeasured(value / scale.by);
    // The newest first: that is what is mostly asked for.
    const order = times.map((_, n) => times.length - 1 - n);
    redraw(
      this.#body,
      order.map((n) =>
        h(
          "tr",
          { dataset: { key: times[n] } },
          h("th", { scope: "row" }, momentOf(times[n], width)),
          lines.flatMap((line) => parts.map((part) => h("td", null, written(line[part][n])))),
        ),
      ),
    );
  }
}
