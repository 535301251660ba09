// What a chart is to show, from its definition and the series there are: lines with their colours,
// columns and bands. Pure.

import { t } from "../lib/i18n.js";
import { isOwn } from "./catalogue.js";
import { columns, keyOf, spaced, stacked } from "./columns.js";

/** @typedef {import("./catalogue.js").ChartDef} ChartDef */
/** @typedef {import("./columns.js").Column} Column */
/** @typedef {import("./columns.js").Kept} Kept */

/**
 * One line. `values` are drawn, `own` are what is said (of a stack they differ); `least` and `most`
 * where there is a band around it.
 *
 * @typedef {object} PlotLine
 * @property {string} key
 * @property {string} label
 * @property {string} colour a custom property
 * @property {"line" | "limit" | "peak" | "stack"} kind
 * @property {boolean} dashed
 * @property {number} width seconds that a point is of
 * @property {number} reach for how many seconds after a point its value is said
 * @property {Column} values
 * @property {Column} own
 * @property {Column} least
 * @property {Column} most
 */

/** @typedef {{ times: number[], lines: PlotLine[], left: number, width: number }} Plot */

/** How many lines one chart shows: more are told apart by nobody. */
export const MOST_LINES = 8;
const HUES = 8;

/**
 * @param {ChartDef} def
 * @param {Kept[]} series of its metrics
 * @param {{ each: boolean, nameOf: (container: string) => string }} how `each`: of every instance
 *   where there are such series
 * @returns {Plot} `left`: how many lines there was no room for; `width`: of the narrowest point
 */
export function plotOf(def, series, { each, nameOf }) {
  const wanted = (def.lines.length ? ofCatalogue : ofOwn)(def, series, each, nameOf);
  const shown = wanted.slice(0, MOST_LINES);
  const { times, least, mean, most } = columns(shown.map((one) => one.series));
  const stack = def.stack && !shown.some((one) => one.container) ? stacked(mean) : mean;
  const lines = shown.map(({ series, container, ...line }, n) => ({
    ...line,
    key: keyOf(series.name, series.labels),
    kind: /** @type {PlotLine["kind"]} */ (stack === mean ? line.kind : "stack"),
    width: series.width,
    reach: series.apart ?? 2 * series.width,
    values: stack[n],
    own: mean[n],
    least: least[n],
    most: most[n],
  }));
  const width = Math.min(...lines.map((line) => line.width), 600);
  return { times, lines, left: wanted.length - shown.length, width };
}

/**
 * @typedef {object} Wanted
 * @property {Kept} series
 * @property {string} container
 * @property {string} label
 * @property {string} colour
 * @property {PlotLine["kind"]} kind
 * @property {boolean} dashed
 */

/**
 * @param {ChartDef} def
 * @param {Kept[]} series
 * @param {boolean} each
 * @param {(container: string) => string} nameOf
 * @returns {Wanted[]}
 */
function ofCatalogue(def, series, each, nameOf) {
  const containers = each ? containersOf(series) : [];
  if (!containers.length) {
    return def.lines.flatMap(({ name, labels = {}, label, colour, ...line }) => {
      /** @type {PlotLine["kind"]} */
      const kind = line.kind ?? "line";
      const found = series.find((one) => one.name === name && same(one.labels, labels));
      return found
        ? [{ series: found, container: "", label, colour, kind, dashed: kind === "limit" }]
        : [];
    });
  }
  const lines = def.lines.filter((line) => !line.kind);
  return containers.flatMap((container, n) =>
    lines.flatMap(({ name, labels = {}, label }, at) => {
      const found = series.find(
        (one) => one.name === name && same(one.labels, { ...labels, container }),
      );
      if (!found) return [];
      const who = nameOf(container);
      return [
        {
          series: found,
          container,
          label: lines.length > 1 ? t("{instance}: {what}", { instance: who, what: label }) : who,
          colour: `--instance-${(n % HUES) + 1}`,
          kind: /** @type {const} */ ("line"),
          dashed: at > 0,
        },
      ];
    }),
  );
}

/**
 * Of one's own, instances are lines like the others: there is no sum of what is no rate.
 *
 * @param {ChartDef} def
 * @param {Kept[]} series
 * @param {boolean} _each
 * @param {(container: string) => string} nameOf
 * @returns {Wanted[]}
 */
function ofOwn(def, series, _each, nameOf) {
  const its = series.map((one) => (isOwn(one.name) ? spaced(one) : one));
  its.sort((a, b) => newest(b) - newest(a) || (keyOf("", a.labels) < keyOf("", b.labels) ? -1 : 1));
  return its.map((one, n) => ({
    series: one,
    container: "",
    label: labelled(one.labels, nameOf) || def.title,
    colour: `--instance-${(n % HUES) + 1}`,
    kind: /** @type {const} */ ("line"),
    dashed: false,
  }));
}

/** Of many the largest are shown. @param {Kept} series */
function newest({ points }) {
  for (let n = points.length - 1; n >= 0; n--) {
    const value = points[n][2];
    if (value !== null) return value;
  }
  return -Infinity;
}

/** @param {Kept[]} series */
export function containersOf(series) {
  return [...new Set(series.map((one) => one.labels.container).filter(Boolean))].sort();
}

/**
 * @param {Record<string, string>} labels
 * @param {(container: string) => string} nameOf
 */
function labelled(labels, nameOf) {
  return Object.entries(labels)
    .map(([name, value]) => {
      if (name === "container") return nameOf(value);
      return name === "quantile" ? quantileOf(value) : `${name}=${value}`;
    })
    .join(" ");
}

/** @param {string} quantile */
function quantileOf(quantile) {
  return t("{n} % within", { n: Number(quantile) * 100 });
}

/**
 * @param {Record<string, string>} a
 * @param {Record<string, string>} b
 */
function same(a, b) {
  return keyOf("", a) === keyOf("", b);
}

/**
 * How high the chart is: the largest value, and the limit where that is not far above it.
 *
 * @param {PlotLine[]} lines
 * @returns {{ least: number, most: number }}
 */
export function heightOf(lines) {
  let least = 0;
  let most = 0;
  let limit = 0;
  for (const { kind, values, least: low, most: high } of lines) {
    const columns = kind === "line" ? [low, high] : [values];
    for (const value of columns.flat()) {
      if (typeof value !== "number") continue;
      if (kind === "limit") limit = Math.max(limit, value);
      else {
        if (value > most) most = value;
        if (value < least) least = value;
      }
    }
  }
  if (limit && most >= limit / 4) most = Math.max(most, limit);
  return { least: least * 1.05, most: most * 1.06 };
}
