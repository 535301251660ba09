// What differs between two releases, as a table: field by field, before and after.

import { h } from "../lib/dom.js";
import { t } from "../lib/i18n.js";

/** @typedef {import("../types/api.js").Change} Change */

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
    return /^memory/.test(field) ? writtenBytes(value) : String(value);
  }
  if (typeof value === "string") return value;
  if (Array.isArray(value)) {
    if (value.every((one) => typeof one === "string")) return words(value);
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

/** @param {string[]} list a command, or names */
function words(list) {
  return list
    .map((one) => {
      if (/^[\w@%+=:,./-]+$/.test(one)) return one;
      return one.includes("\n") ? `'${one}'` : JSON.stringify(one);
    })
    .join(" ");
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
 * @param {Change[]} changes
 * @param {{before: string | null, after: string}} heads what the two are called; null: there is none
 *   before
 * @returns {HTMLElement}
 */
export function drawDifference(changes, heads) {
  if (!changes.length) return h("p", { class: "muted" }, t("Nothing differs."));
  return h(
    "table",
    { class: "difference" },
    h(
      "thead",
      null,
      h(
        "tr",
        null,
        h("th", { scope: "col" }, t("Field")),
        heads.before !== null && h("th", { scope: "col" }, heads.before),
        h("th", { scope: "col" }, heads.after),
      ),
    ),
    h(
      "tbody",
      null,
      changes.map((change) => row(change, heads.before !== null)),
    ),
  );
}

/**
 * @param {Change} change
 * @param {boolean} both
 */
function row({ field, before, after }, both) {
  return h(
    "tr",
    null,
    h("th", { scope: "row", class: "mono" }, field),
    both && side(field, before, "del"),
    side(field, after, "ins"),
  );
}

/**
 * @param {string} field
 * @param {unknown} value
 * @param {"del" | "ins"} how
 */
function side(field, value, how) {
  const text = written(field, value);
  const given = value !== null && value !== undefined;
  const secret = text === "•••" ? t("a secret value") : "";
  return h(
    "td",
    { class: given ? `difference-${how}` : "difference-none" },
    given ? h(how, { class: "mono" }, secret || shown(text) || '""') : t("not given"),
  );
}

/** @param {string} text */
function shown(text) {
  return text.length > LONG ? `${text.slice(0, LONG)} …` : text;
}
