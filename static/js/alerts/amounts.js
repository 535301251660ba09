// The numbers of a rule as people write them: 200M, 1.5 GiB, 90 %. Pure.

import { formatNumber } from "../lib/i18n.js";
import { formatValue, USUAL } from "../lib/units.js";

/** What apps are measured by, and in what. A rule may name any other that an app sends. */
export const METRICS = Object.freeze({
  cpu: "cores",
  "cpu.throttled": "s/s",
  memory: "bytes",
  "memory.anon": "bytes",
  "network.received": "bytes/s",
  "network.sent": "bytes/s",
  "disk.read": "bytes/s",
  "disk.written": "bytes/s",
  processes: "1",
  restarts: "1",
  "pressure.cpu": "s/s",
  "pressure.memory": "s/s",
  "pressure.io": "s/s",
  "log.lines": "1/s",
  "log.errors": "1/s",
  "http.requests": "1/s",
  "http.errors": "1/s",
  "http.clients": "1",
});

const PREFIXES = "KMGTP";

/**
 * @param {string} text
 * @returns {number} NaN of what is none
 */
export function readAmount(text) {
  const match = /^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*(?:([kmgtp])i?b?|b|%)?\s*$/i.exec(
    text,
  );
  if (!match) return NaN;
  const prefix = match[2] ? PREFIXES.indexOf(match[2].toUpperCase()) + 1 : 0;
  return Number(match[1]) * 1024 ** prefix;
}

/**
 * As it is written into a field: what `readAmount` makes the same number of.
 *
 * @param {number} value
 * @param {string} unit
 */
export function writeAmount(value, unit) {
  if (!unit.startsWith("bytes")) return String(Number(value.toPrecision(12)));
  let power = 0;
  let left = value;
  while (Math.abs(left) >= 1024 && Number.isInteger((left / 1024) * 1000) && power < 5) {
    left /= 1024;
    power++;
  }
  return `${left}${power ? PREFIXES[power - 1] : ""}`;
}

/**
 * As it is read in a list.
 *
 * @param {string} metric
 * @param {number} value
 */
export function showAmount(metric, value) {
  const unit = unitOf(metric);
  return unit ? formatValue(unit, value, USUAL, metric) : formatNumber(value);
}

/** "" of what only the app knows. @param {string} metric */
export function unitOf(metric) {
  return /** @type {Record<string, string>} */ (METRICS)[metric] ?? "";
}
