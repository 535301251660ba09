// What a field of a specification holds, as a person would write it. Pure.

import { lineOf } from "./command_line.js";
import { t } from "./i18n.js";

const MEBI = 1024 * 1024;
const LONG = 400; // characters of a value that are shown at once

/**
 * A value as a person would write it. Pure.
 *
 * @param {string} field
 * @param {unknown} value
 * @returns {string}
 */
export function written(field, value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "boolean") return value ? t("yes") : t("no");
  if (typeof value === "number") {
    return /^memory|^shm_size$|^size$/.test(field) ? writtenBytes(value) : String(value);
  }
  if (typeof value === "string") return value;
  if (Array.isArray(value)) {
    if (value.every((one) => typeof one === "string")) return lineOf(value);
    return value.map((one) => writtenPart(field, one)).join("\n");
  }
  return writtenPart(field, value);
}

/**
 * Bytes as a memory limit is written: `256m`.
 *
 * @param {number} n
 */
function writtenBytes(n) {
  if (n >= 1024 * MEBI && n % (1024 * MEBI) === 0) return `${n / MEBI / 1024}g`;
  return n % MEBI === 0 ? `${n / MEBI}m` : String(n);
}

/**
 * One object of a list: a volume, a port; or an object by itself.
 *
 * @param {string} field
 * @param {unknown} one
 */
function writtenPart(field, one) {
  if (one === null || typeof one !== "object") return String(one);
  const its = /** @type {Record<string, any>} */ (one);
  if (!Object.keys(its).length) return t("yes"); // it is given, all of it as it is by default
  if (field === "ports") {
    const at = `${its.published} → ${its.target}`;
    return its.protocol ? `${at}/${its.protocol}` : at;
  }
  if (field === "volumes") {
    const rest = [its.read_only && t("read only"), its.shared && t("shared")].filter(Boolean);
    return [`${its.name ?? its.source ?? ""} → ${its.path}`, ...rest].join(" · ");
  }
  return Object.entries(its)
    .map(([name, value]) => `${name}: ${written(name, value)}`)
    .join("\n");
}

/**
 * A value in a place that has no room for a long one.
 *
 * @param {string} field
 * @param {unknown} value that is given
 */
export function valueText(field, value) {
  const text = written(field, value);
  if (text === "•••") return t("a secret value");
  return (text.length > LONG ? `${text.slice(0, LONG)} …` : text) || '""';
}
