// How many requests took how long, over time: a map of columns and rows on a canvas. The darker, the
// more; by the logarithm, since one slow answer among thousands is what one looks for.

import { h, setText } from "../lib/dom.js";
import { formatNumber, t, tn } from "../lib/i18n.js";
import { formatIn, scaleOf } from "../lib/units.js";
import { colourOf, palette } from "./palette.js";
import { labelsOf, momentOf, ticksOf } from "./time_axis.js";

/** @typedef {import("./traffic_source.js").Traffic} Traffic */

const HEIGHT = 180;
const LEFT = 56;
const BOTTOM = 24;
const PER_TICK = 76; // px

/**
 * How dark a count is, from 0 to 1. Pure.
 *
 * @param {number} count
 * @param {number} most
 */
export function darkness(count, most) {
  if (count <= 0 || most <= 0) return 0;
  return 0.12 + 0.88 * (Math.log1p(count) / Math.log1p(most));
}

export class HeatMap {
  #canvas = h("canvas", { class: "heat-canvas", "aria-hidden": "true" });
  #said = h("p", { class: "heat-said" });
  #empty = h("p", { class: "metric-empty", hidden: true });
  /** @type {Traffic | null} */
  #traffic = null;
  #bounds = [0, 1];

  /** @param {(moment: number) => void} pick */
  constructor(pick) {
    this.#canvas.addEventListener("pointermove", (event) => this.#point(event));
    this.#canvas.addEventListener("pointerleave", () => this.#summary());
    this.#canvas.addEventListener("click", (event) => pick(this.#momentAt(event.offsetX)));
    palette.addEventListener("change", () => this.#draw());
    this.element = h(
      "section",
      { class: "metric-card heat", "aria-labelledby": "heat-title" },
      h("div", { class: "metric-head" }, h("h2", { id: "heat-title" }, t("How long answers took"))),
      h("div", { class: "metric-stage heat-stage" }, this.#empty, this.#canvas),
      this.#said,
    );
    new ResizeObserver(() => this.#draw()).observe(this.element);
  }

  /**
   * @param {Traffic | null} traffic
   * @param {[number, number]} edges
   */
  show(traffic, edges) {
    this.#traffic = traffic;
    this.#bounds = edges;
    this.#draw();
    this.#summary();
  }

  #summary() {
    const latency = this.#traffic?.latency;
    const half = latency?.quantiles["0.5"] ?? null;
    const most = latency?.quantiles["0.99"] ?? null;
    const written = (/** @type {number} */ seconds) =>
      formatIn(scaleOf("s", seconds, NO_UNITS), seconds);
    const nothing = half === null || most === null;
    setText(
      this.#said,
      nothing
        ? ""
        : t("Half of all answers took at most {half}, 99 of a hundred at most {most}.", {
            half: written(half),
            most: written(most),
          }),
    );
    this.#empty.hidden = !this.#traffic || !nothing;
    setText(this.#empty, t("Nothing was answered in this time."));
  }

  get #room() {
    return Math.max(1, this.#canvas.clientWidth - LEFT - 10);
  }

  /** @param {number} x px in the canvas */
  #momentAt(x) {
    const [since, until] = this.#bounds;
    return since + ((x - LEFT) / this.#room) * (until - since);
  }

  /** @param {PointerEvent} event */
  #point({ offsetX, offsetY }) {
    const traffic = this.#traffic;
    if (!traffic) return;
    const moment = this.#momentAt(offsetX);
    const { bounds, columns } = traffic.heat;
    const column = traffic.columns.findIndex(
      ([time]) => moment >= time && moment < time + traffic.width,
    );
    const rows = bounds.length - 1;
    const row = Math.floor((1 - offsetY / (HEIGHT - BOTTOM)) * rows);
    const count = columns[column]?.[row];
    if (count === undefined) return this.#summary();
    const scale = scaleOf("s", bounds[row + 1], NO_UNITS);
    setText(
      this.#said,
      `${momentOf(traffic.columns[column][0], traffic.width)}: ${tn(
        "{n} answer between {low} and {high}",
        "{n} answers between {low} and {high}",
        count,
        {
          n: formatNumber(count),
          low: formatIn(scale, bounds[row]),
          high: formatIn(scale, bounds[row + 1]),
        },
      )}`,
    );
  }

  #draw() {
    const context = this.#canvas.getContext("2d");
    const width = this.#canvas.clientWidth;
    if (!context || !width) return;
    const ratio = devicePixelRatio;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(HEIGHT * ratio);
    context.scale(ratio, ratio);
    this.#drawAxes(context);
    const traffic = this.#traffic;
    if (!traffic) return;
    const { bounds, columns } = traffic.heat;
    const most = Math.max(0, ...columns.flat());
    const rows = bounds.length - 1;
    const [since, until] = this.#bounds;
    const height = (HEIGHT - BOTTOM) / Math.max(1, rows);
    const per = this.#room / (until - since);
    columns.forEach((counts, n) => {
      const from = Math.max(LEFT, LEFT + (traffic.columns[n][0] - since) * per);
      const to = LEFT + (traffic.columns[n][0] + traffic.width - since) * per;
      counts.forEach((count, row) => {
        if (!count) return;
        context.fillStyle = colourOf("--accent", Math.round(darkness(count, most) * 100) / 100);
        context.fillRect(
          from,
          HEIGHT - BOTTOM - (row + 1) * height,
          Math.max(1, to - from - 0.5),
          height - 0.5,
        );
      });
    });
  }

  /** @param {CanvasRenderingContext2D} context */
  #drawAxes(context) {
    const [since, until] = this.#bounds;
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = colourOf("--text-faint");
    context.textAlign = "center";
    const { ticks, step } = ticksOf(since, until, this.#room / PER_TICK);
    const labels = labelsOf(ticks, step);
    ticks.forEach((tick, n) => {
      const x = LEFT + ((tick - since) / (until - since)) * this.#room;
      context.fillText(labels[n], x, HEIGHT - 7);
    });
    const bounds = this.#traffic?.heat.bounds ?? [];
    const rows = bounds.length - 1;
    const every = Math.max(1, Math.ceil(rows / 6));
    context.textAlign = "right";
    for (let row = 0; row <= rows; row += every) {
      const y = (HEIGHT - BOTTOM) * (1 - row / Math.max(1, rows));
      context.fillText(
        formatIn(scaleOf("s", bounds[row], NO_UNITS), bounds[row]),
        LEFT - 6,
        Math.max(10, y),
      );
    }
  }
}

/** Times have one unit. @type {import("../lib/units.js").Units} */
const NO_UNITS = { cpu: "cores", bytes: "binary", network: "bytes" };
