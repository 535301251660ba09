// One chart with what stands around it: title, unit, values at the crosshair, why something is
// missing, and its numbers as a table.

import { h, setAttribute, setChildren, setText } from "../lib/dom.js";
import { t, tn } from "../lib/i18n.js";
import { formatIn, scaleOf } from "../lib/units.js";
import { Chart } from "./chart.js";
import { nearest, newestOf, valueAt } from "./columns.js";
import { NumberTable } from "./number_table.js";
import { heightOf, plotOf } from "./plot.js";
import { momentOf } from "./time_axis.js";

/** @typedef {import("./catalogue.js").ChartDef} ChartDef */
/** @typedef {import("./plot.js").Plot} Plot */
/** @typedef {import("./plot.js").PlotLine} PlotLine */

/**
 * What a card has to know of the page.
 *
 * @typedef {object} Page
 * @property {import("./span_source.js").SpanSource} source
 * @property {() => import("../lib/units.js").Units} units
 * @property {() => boolean} each of every instance, not summed
 * @property {(container: string) => string} nameOf
 * @property {() => import("./chart.js").Sign[]} signs
 * @property {(card: ChartCard, moment: number | null) => void} move
 * @property {(moment: number) => void} pick
 * @property {(since: number, until: number) => void} mark
 */

const LATE = 15; // seconds that one series may come after another of the same moment

export class ChartCard {
  /** @type {Plot} */
  plot = { times: [], lines: [], left: 0, width: 1 };
  /** @type {number | null} */
  #moment = null;
  /** @type {Chart | null} while it is seen */
  #chart = null;
  #unit = h("span", { class: "metric-unit" });
  #note = h("span", { class: "metric-note" });
  #stage = h("div", { class: "metric-stage" });
  #empty = h("p", { class: "metric-empty", hidden: true });
  #whyBox = h("p", { class: "metric-why", hidden: true });
  #legend = h("ul", { class: "metric-legend" });
  #legendOf = "";
  #scale = { by: 1, unit: "" };

  /**
   * @param {ChartDef} def
   * @param {Page} page
   */
  constructor(def, page) {
    this.def = def;
    this.page = page;
    const id = `chart-${def.id.replace(/[^\w-]/g, "_")}`;
    this.#stage.append(this.#empty);
    this.table = new NumberTable(def.title, () => ({ plot: this.plot, scale: this.#scale }));
    /** What has the focus while the crosshair is moved by keys. */
    this.box = h(
      "div",
      {
        class: "metric-plot",
        tabindex: "0",
        role: "group",
        "aria-roledescription": t("chart"),
        "aria-labelledby": id,
        "aria-describedby": "metric-keys",
      },
      this.#stage,
    );
    this.element = h(
      "div", // dozens of regions would be none
      { class: "metric-card", role: "group", "aria-labelledby": id, dataset: { chart: def.id } },
      h(
        "div",
        { class: "metric-head" },
        h("h3", { id, title: def.about }, def.title),
        this.#unit,
        this.#note,
      ),
      this.box,
      this.#legend,
      this.#whyBox,
      this.table.element,
    );
  }

  get names() {
    const { lines, title } = this.def;
    return lines.length ? [...new Set(lines.map((line) => line.name))] : [title];
  }

  /** Whether there is anything to see: some charts are only there then. */
  get hasSeries() {
    return this.page.source.series(this.names).length > 0;
  }

  get isSeen() {
    return this.#chart !== null;
  }

  /** It has come into sight, or is about to. */
  appear() {
    if (this.#chart) return;
    const { page } = this;
    this.#chart = new Chart(this.#stage, {
      move: (moment) => page.move(this, moment),
      pick: (moment) => page.pick(moment),
      mark: (since, until) => page.mark(since, until),
    });
    page.source.want(this, this.names, this.#chart.room / 1.5);
    this.draw();
  }

  /** It is out of sight, or the page is left. */
  vanish() {
    this.page.source.leave(this);
    this.#chart?.destroy();
    this.#chart = null;
  }

  /** The moment that is below a mouse that rests on it. @returns {number | null} */
  get underHand() {
    return this.#chart?.underHand ?? null;
  }

  resize() {
    this.#chart?.resize();
  }

  draw() {
    if (!this.#chart) return;
    const { source } = this.page;
    const [since, until] = source.edges;
    const known = source.knows(this.names);
    setAttribute(this.element, "data-waits", known ? null : "yes");
    // What was shown stays until there is something else to show.
    if (known || !this.plot.times.length) {
      const { nameOf } = this.page;
      this.plot = plotOf(this.def, source.series(this.names), { each: this.page.each(), nameOf });
      this.#scale = this.#scaleNow();
      this.#chart.draw({
        plot: this.plot,
        since,
        until,
        scale: this.#scale,
        signs: this.page.signs(),
      });
    }
    setText(this.#unit, this.#scale.unit);
    this.#showWhy(this.#showEmpty(known));
    this.#showNote();
    this.show(this.#moment, this.underHand === null);
    this.table.changed();
  }

  /**
   * The values at this moment; without one, the newest.
   *
   * @param {number | null} moment
   * @param {boolean} [cross] whether the crosshair is shown there: not where a hand has put it
   */
  show(moment, cross = true) {
    this.#moment = moment;
    if (cross) this.#chart?.show(moment);
    this.#drawLegend();
    const items = [...this.#legend.children];
    this.values().forEach(({ text }, n) => {
      const value = items[n]?.querySelector("b");
      if (value) setText(value, text);
    });
  }

  /** What each line says at the crosshair. @returns {{ label: string, text: string }[]} */
  values() {
    const { times, lines } = this.plot;
    const moment = this.#moment;
    const at = moment === null ? -1 : nearest(times, moment);
    return lines.map(({ label, own, reach }) => {
      const value =
        moment === null
          ? newestOf(times, own, Math.max(reach, LATE))
          : valueAt(times, own, at, reach);
      return { label, text: value === null ? "–" : formatIn(this.#scale, value) };
    });
  }

  /** All of it in one sentence, for who does not see it. */
  sentence() {
    const { times, width } = this.plot;
    const at = this.#moment === null ? times.length - 1 : nearest(times, this.#moment);
    if (at < 0) return t("Nothing was measured in this time.");
    const values = this.values().map(({ label, text }) =>
      text === "–" ? t("{what}: not measured", { what: label }) : `${label}: ${text}`,
    );
    return [momentOf(times[at], width), ...values].join(", ");
  }

  #scaleNow() {
    const { least, most } = heightOf(this.plot.lines);
    const unit = this.page.source.names.get(this.names[0]) ?? this.def.unit;
    return scaleOf(unit, Math.max(most, -least), this.page.units(), this.names[0]);
  }

  /** @param {boolean} known @returns {boolean} whether there is nothing to see */
  #showEmpty(known) {
    const { problem } = this.page.source;
    const nothing = !this.plot.lines.some((line) =>
      line.own.some((value) => typeof value === "number"),
    );
    this.#empty.hidden = !nothing || !(known || problem);
    setText(
      this.#empty,
      known
        ? this.#why(false).join(" ") || t("Nothing was measured in this time.")
        : t("The server did not answer"),
    );
    return nothing;
  }

  /**
   * Why what is not measured is not, in sentences.
   *
   * @param {boolean} ofLimits of what limits the lines, or of the lines
   */
  #why(ofLimits) {
    const limits = this.def.lines.filter((line) => line.kind === "limit").map((line) => line.name);
    const its = this.page.source.notMeasured.filter(
      ({ name }) => this.names.includes(name) && limits.includes(name) === ofLimits,
    );
    const several = new Set(its.map((one) => one.container)).size > 1;
    const sentences = its.map(({ container, why }) => {
      const said = t(why);
      return several && container
        ? t("{instance}: {what}", { instance: this.page.nameOf(container), what: said })
        : said.charAt(0).toUpperCase() + said.slice(1);
    });
    return [...new Set(sentences)];
  }

  /** @param {boolean} said the chart is empty, and says why */
  #showWhy(said) {
    const sentences = said ? [] : this.#why(false);
    if (this.plot.left) {
      const n = this.plot.left;
      sentences.push(tn("{n} more series is not shown.", "{n} more series are not shown.", n));
    }
    setText(this.#whyBox, sentences.join(" "));
    this.#whyBox.hidden = !sentences.length;
  }

  /** How much of what it may have it has. */
  #showNote() {
    const { lines } = this.plot;
    const limit = lines.find((line) => line.kind === "limit");
    const used = lines[0];
    const most = limit && lastOf(limit);
    if (!limit || !most || used === limit) {
      return setText(this.#note, this.#why(true).join(" "));
    }
    const said = formatIn(scaleOf(this.def.unit, most, this.page.units()), most);
    const now = lastOf(used);
    setText(
      this.#note,
      now === null
        ? t("limit {limit}", { limit: said })
        : t("{part} of {limit}", { part: `${Math.round((100 * now) / most)} %`, limit: said }),
    );
  }

  #drawLegend() {
    const { lines } = this.plot;
    const now = lines.map((line) => `${line.key} ${line.label} ${line.colour}`).join("\n");
    if (now === this.#legendOf) return;
    this.#legendOf = now;
    setChildren(
      this.#legend,
      lines.map(({ label, colour, kind, dashed }) => {
        const swatch = h("i", {
          class: "metric-swatch",
          dataset: { kind: dashed ? "limit" : kind },
        });
        swatch.style.setProperty("--colour", `var(${colour})`);
        return h("li", null, swatch, h("span", { class: "cut" }, label), h("b"));
      }),
    );
  }
}

/** @param {PlotLine} line */
function lastOf({ own }) {
  for (let n = own.length - 1; n >= 0; n--) {
    const value = own[n];
    if (typeof value === "number") return value;
  }
  return null;
}
