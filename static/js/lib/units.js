// What measured numbers are counted in: cores or per cent of one, 1,024s or thousands, bytes or bits.
// One setting for all of them; whatever shows a number or an axis says which.

import { formatMeasured, t } from "./i18n.js";
import { recall, remember } from "./storage.js";

/**
 * @typedef {object} Units
 * @property {"cores" | "percent"} cpu `percent`: 100 % is one core
 * @property {"binary" | "decimal"} bytes
 * @property {"bytes" | "bits"} network
 */

/** What a value is divided by, and what it is counted in then. @typedef {{ by: number, unit: string }} Scale */

/** @type {Readonly<Units>} as the kernel counts */
export const USUAL = { cpu: "cores", bytes: "binary", network: "bytes" };

const PREFIXES = ["", "k", "M", "G", "T", "P"];

/**
 * How values up to `most` are written: one scale for a whole axis, so that its numbers compare.
 *
 * @param {string} unit of the catalogue, or one's own
 * @param {number} most the largest of them
 * @param {Units} units
 * @param {string} [name] of the metric: what goes over a network may be counted in bits
 * @returns {Scale}
 */
export function scaleOf(unit, most, units, name = "") {
  switch (unit) {
    case "cores":
      if (units.cpu === "percent") return { by: 0.01, unit: `% ${t("of a core")}` };
      return { by: 1, unit: t("cores") };
    case "s/s":
      return { by: 0.01, unit: "%" };
    case "bytes":
      return bytes(most, units, "B", "");
    case "bytes/s":
      return name.startsWith("network.") && units.network === "bits"
        ? prefixed(most * 8, 1000, "bit/s", 1 / 8)
        : bytes(most, units, "B", "/s");
    case "s":
      if (most < 0.001) return { by: 1e-6, unit: "µs" };
      return most < 1 ? { by: 0.001, unit: "ms" } : { by: 1, unit: "s" };
    case "1":
      return prefixed(most, 1000, "", 1, 10_000);
    case "1/s":
      return prefixed(most, 1000, "/s", 1, 10_000);
    default:
      return prefixed(most, 1000, unit, 1, 10_000);
  }
}

/**
 * @param {number} most
 * @param {Units} units
 * @param {string} one
 * @param {string} per
 * @returns {Scale}
 */
function bytes(most, units, one, per) {
  const base = units.bytes === "binary" ? 1024 : 1000;
  const found = prefixed(most, base, one, 1);
  const unit =
    base === 1024 ? found.unit.replace("k", "K").replace(/^([KMGTP])/, "$1i") : found.unit;
  return { by: found.by, unit: unit + per };
}

/**
 * @param {number} most in the unit itself
 * @param {number} base
 * @param {string} unit
 * @param {number} by what one of it is
 * @param {number} [from] the least that gets a prefix
 * @returns {Scale}
 */
function prefixed(most, base, unit, by, from = base) {
  let n = 0;
  for (let left = Math.abs(most); left >= (n ? base : from) && n < PREFIXES.length - 1; n++) {
    left /= base;
  }
  return { by: by * base ** n, unit: PREFIXES[n] + unit };
}

/**
 * A value by itself, with its unit: "12.3 MiB", "0.25 cores", "84 ms".
 *
 * @param {string} unit
 * @param {number} value
 * @param {Units} units
 * @param {string} [name]
 */
export function formatValue(unit, value, units, name = "") {
  return formatIn(scaleOf(unit, value, units, name), value);
}

/**
 * @param {Scale} scale
 * @param {number} value
 */
export function formatIn({ by, unit }, value) {
  const number = formatMeasured(value / by);
  if (!unit) return number;
  return unit.startsWith("/") ? number + unit : `${number} ${unit}`;
}

/** @returns {Units} */
export function readUnits() {
  const said = new Set((recall("units") ?? "").split(" "));
  return {
    cpu: said.has("percent") ? "percent" : "cores",
    bytes: said.has("decimal") ? "decimal" : "binary",
    network: said.has("bits") ? "bits" : "bytes",
  };
}

/** @param {Units} units */
export function keepUnits(units) {
  remember("units", Object.values(units).join(" "));
}
