// One chart on a canvas: uPlot, told what a plot is and how a hand moves over it. It is made when it
// is seen and destroyed when it is not: a telephone has room for some forty canvases.

import { formatMeasured } from "../lib/i18n.js";
import { colourOf, palette } from "./palette.js";
import { heightOf } from "./plot.js";
import { bindTouch } from "./touch.js";
import { labelsOf, ticksOf } from "./time_axis.js";
import uPlot from "./uplot.js";

/** @typedef {import("./plot.js").Plot} Plot */
/** @typedef {import("./plot.js").PlotLine} PlotLine */

/**
 * @typedef {object} Hand what was done on the chart; moments in seconds since 1970
 * @property {(moment: number | null) => void} move the crosshair is there now
 * @property {(moment: number) => void} pick
 * @property {(since: number, until: number) => void} mark
 */

/** A line over the whole height, where something happened. @typedef {{ moment: number, colour: string }} Sign */

/**
 * @typedef {object} Drawn
 * @property {Plot} plot
 * @property {number} since
 * @property {number} until
 * @property {import("../lib/units.js").Scale} scale
 * @property {Sign[]} signs
 */

export const HEIGHT = 148; // px
const LEFT = 46; // px for the numbers: the same on all charts, so that moments stand below each other
const BOTTOM = 24;
const NEAR = 4; // px: what a hand trembles by
const PER_TICK = 76; // px
const CUT = 16; // px from the right edge
/** Between two lines of a grid, of what is counted in 1,024s. */
const BINARY = Array.from({ length: 56 }, (_, n) => 2 ** n);

export class Chart {
  /** @type {uPlot | null} */
  #plot = null;
  #shape = "";
  /** @type {Drawn} */
  #drawn = {
    plot: { times: [], lines: [], left: 0, width: 1 },
    since: 0,
    until: 1,
    scale: { by: 1, unit: "" },
    signs: [],
  };
  /** Where a mouse rests on it, in px from the left of the window. @type {number | null} */
  #rests = null;
  #restyle = () => this.#plot?.redraw(false);

  /**
   * @param {HTMLElement} box
   * @param {Hand} hand
   */
  constructor(box, hand) {
    this.box = box;
    this.hand = hand;
    palette.addEventListener("change", this.#restyle);
  }

  /** @param {Drawn} drawn */
  draw(drawn) {
    this.#drawn = drawn;
    const { times, lines } = drawn.plot;
    const shape = lines.map((line) => `${line.key} ${line.kind} ${line.colour}`).join("\n");
    const data = /** @type {uPlot.AlignedData} */ ([times, ...lines.flatMap(columnsOf)]);
    // At once and not after this turn: what is asked next is where a moment stands now.
    if (this.#plot && shape === this.#shape)
      this.#plot.batch((/** @type {uPlot} */ plot) => plot.setData(data));
    else {
      this.#plot?.destroy();
      this.#shape = shape;
      this.#plot = new uPlot(this.#options(), data, this.box);
      this.#listen(this.#plot.over);
    }
  }

  destroy() {
    palette.removeEventListener("change", this.#restyle);
    this.#plot?.destroy();
    this.#plot = null;
  }

  /** The box has another width now. */
  resize() {
    const width = this.box.clientWidth;
    if (this.#plot && width > 0 && width !== this.#plot.width) {
      this.#plot.setSize({ width, height: HEIGHT });
    }
  }

  /** How many px wide the part is in which lines are. */
  get room() {
    return Math.max(50, this.box.clientWidth - LEFT);
  }

  /**
   * Shows the crosshair there, or nowhere.
   * @param {number | null} moment
   */
  show(moment) {
    const plot = this.#plot;
    if (!plot) return;
    this.#rests = null;
    const left = moment === null ? -10 : plot.valToPos(moment, "x");
    plot.setCursor({ left: left > plot.over.clientWidth ? -10 : left, top: 0 });
  }

  /** The moment that is below a mouse that rests on it. @returns {number | null} */
  get underHand() {
    return this.#rests === null ? null : this.#momentAt(this.#rests);
  }

  /** @param {number} x px from the left of the window */
  #momentAt(x) {
    const plot = this.#plot;
    return plot ? plot.posToVal(x - plot.over.getBoundingClientRect().left, "x") : 0;
  }

  /** @returns {uPlot.Options} */
  #options() {
    const { lines } = this.#drawn.plot;
    /** @type {uPlot.Band[]} */
    const bands = [];
    /** @type {uPlot.Series[]} */
    const series = [{}];
    for (const line of lines) {
      const at = series.length;
      // Of a stack each part is filled down to the one below it, the lowest to the ground.
      const above = line.kind === "stack" && at > 1;
      series.push(lineOf(line, line.kind === "stack" && !above));
      if (above) bands.push({ series: [at, at - 1], fill: () => colourOf(line.colour, 0.3) });
      if (line.kind === "line") {
        series.push(edge(), edge());
        bands.push({ series: [at + 2, at + 1], fill: () => colourOf(line.colour, 0.2) });
      }
    }
    return {
      width: this.box.clientWidth,
      height: HEIGHT,
      series,
      bands,
      legend: { show: false },
      padding: [8, 10, 0, 0],
      scales: {
        x: { time: false, range: () => [this.#drawn.since, this.#drawn.until] },
        y: { range: () => this.#height() },
      },
      axes: [this.#timeAxis(), this.#numberAxis()],
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false, dist: NEAR },
        points: { show: false },
      },
      hooks: {
        draw: [(plot) => this.#drawSigns(plot)],
        setSelect: [(plot) => this.#marked(plot)],
      },
    };
  }

  /** @returns {[number, number]} */
  #height() {
    const { least, most } = heightOf(this.#drawn.plot.lines);
    // A line of zeros lies on the ground, and not in the middle of nothing.
    return [least, most > 0 ? most : this.#drawn.scale.by];
  }

  /** @returns {uPlot.Axis} */
  #timeAxis() {
    const step = { now: 1 };
    return {
      size: BOTTOM,
      gap: 4,
      font: FONT,
      stroke: () => colourOf("--text-faint"),
      grid: { stroke: () => colourOf("--line"), width: 1 },
      ticks: { show: false },
      splits: (plot, _axis, since, until) => {
        const found = ticksOf(
          since,
          until,
          Math.max(2, plot.bbox.width / devicePixelRatio / PER_TICK),
        );
        step.now = found.step;
        return found.ticks;
      },
      values: (plot, ticks) => {
        const { since, until } = this.#drawn;
        const far = (CUT / plot.width) * (until - since);
        // What would be cut at the edge is not written.
        return labelsOf(ticks, step.now).map((label, n) => (until - ticks[n] < far ? "" : label));
      },
    };
  }

  /** @returns {uPlot.Axis} */
  #numberAxis() {
    const { by, unit } = this.#drawn.scale;
    return {
      size: LEFT,
      gap: 6,
      font: FONT,
      stroke: () => colourOf("--text-faint"),
      grid: { stroke: () => colourOf("--line"), width: 1 },
      ticks: { show: false },
      space: 26,
      ...(/^[KMGTP]i/.test(unit) ? { incrs: BINARY } : {}),
      values: (_plot, ticks) =>
        ticks.map((tick) =>
          formatMeasured(Math.abs(tick) < by * 1e-9 ? 0 : tick / this.#drawn.scale.by),
        ),
    };
  }

  /** @param {uPlot} plot */
  #drawSigns(plot) {
    const { ctx, bbox } = plot;
    const { signs, since, until } = this.#drawn;
    ctx.save();
    ctx.lineWidth = Math.max(1, devicePixelRatio);
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    for (const { moment, colour } of signs) {
      if (moment < since || moment > until) continue;
      const x = Math.round(plot.valToPos(moment, "x", true)) + 0.5;
      ctx.strokeStyle = colourOf(colour);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  // What a hand does

  /** @param {uPlot} plot */
  #marked(plot) {
    const { left, width } = plot.select;
    if (width < NEAR) return;
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.hand.mark(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
  }

  /** @param {HTMLElement} over */
  #listen(over) {
    const at = (/** @type {number} */ x) => this.#momentAt(x);
    const rest = (/** @type {number | null} */ x) => {
      this.#rests = x;
      this.hand.move(x === null ? null : at(x));
    };
    // Of a finger a browser makes mouse events, too: a pointer says which it is.
    over.addEventListener("pointermove", (event) => {
      if (event.pointerType !== "touch") rest(event.clientX);
    });
    over.addEventListener("pointerleave", (event) => {
      if (event.pointerType !== "touch") rest(null);
    });
    let from = 0;
    over.addEventListener("mousedown", (event) => void (from = event.clientX));
    over.addEventListener("click", (event) => {
      if (/** @type {PointerEvent} */ (event).pointerType === "touch") return; // it was a tap
      if (Math.abs(event.clientX - from) < NEAR) this.hand.pick(at(event.clientX));
    });
    bindTouch(over, {
      move: (x) => {
        this.show(at(x));
        this.hand.move(at(x));
      },
      tap: (x) => this.hand.pick(at(x)),
      mark: (a, b) => this.hand.mark(at(a), at(b)),
    });
  }
}

const FONT = "11px system-ui, sans-serif";

/** @param {PlotLine} line */
function columnsOf(line) {
  return line.kind === "line" ? [line.values, line.least, line.most] : [line.values];
}

/**
 * @param {PlotLine} line
 * @param {boolean} filled down to the ground
 * @returns {uPlot.Series}
 */
function lineOf({ colour, kind, dashed }, filled) {
  return {
    stroke: () => colourOf(colour),
    width: kind === "limit" || kind === "peak" ? 1 : 1.5,
    dash: dashed ? [5, 4] : kind === "peak" ? [1, 3] : undefined,
    fill: filled ? () => colourOf(colour, 0.3) : undefined,
    points: {
      show: false,
      size: 4,
      filter: (plot, at) => alone(plot.data[at]),
      fill: () => colourOf(colour),
    },
  };
}

/** The upper or the lower edge of a band. @returns {uPlot.Series} */
function edge() {
  return { stroke: "transparent", width: 0, points: { show: false } };
}

/**
 * Where a single value stands between two gaps: there is no line to be seen of it.
 *
 * @param {ArrayLike<number | null | undefined>} column
 * @returns {number[]}
 */
function alone(column) {
  const found = [];
  let begun = -1; // index of the only value since the last gap
  let count = 0;
  for (let n = 0; n <= column.length; n++) {
    const value = column[n];
    if (n === column.length || value === null) {
      if (count === 1) found.push(begun);
      count = 0;
    } else if (value !== undefined && count++ === 0) begun = n;
  }
  return found;
}
