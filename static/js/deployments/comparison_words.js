// What a deployment changed, in words. Pure.

import { formatDuration, formatMeasured, locale, t } from "../lib/i18n.js";
import { formatValue } from "../lib/units.js";

/** @typedef {import("../types/api.js").Compared} Compared */
/** @typedef {import("../types/api.js").ComparedRow} Row */
/** @typedef {import("../lib/units.js").Units} Units */

/** @param {string} name */
export function rowWord(name) {
  switch (name) {
    case "http.latency":
      return t("Response time (p95)");
    case "http.errors":
      return t("Failed requests");
    case "log.errors":
      return t("Error lines");
    case "cpu":
      return t("CPU");
    case "memory":
      return t("Memory");
    default:
      return name;
  }
}

/**
 * One of the numbers, with its unit; "" where it was not measured.
 *
 * @param {Row} row
 * @param {"before" | "after"} side
 * @param {Units} units
 */
export function numberOf({ name, unit, ...row }, side, units) {
  const value = row[side];
  if (value === null) return "";
  if (name === "http.errors") return `${formatMeasured(value * 100)} %`;
  if (name === "log.errors") return t("{n} a minute", { n: formatMeasured(value * 60) });
  return formatValue(unit, value, units, name);
}

/** What became of a number, or why nobody can say. @param {Row} row */
export function changeWord(row) {
  switch (row.change) {
    case "more":
      return row.name === "http.latency" ? t("slower") : t("more");
    case "less":
      return row.name === "http.latency" ? t("quicker") : t("less");
    case "same":
      return t("as before");
    case "unknown":
      return whyWord(row.why);
  }
}

/** @param {string} why */
function whyWord(why) {
  switch (why) {
    case "not-measured":
      return t("not measured");
    case "not-before":
      return t("not measured before");
    case "not-after":
      return t("not measured after");
    case "too-early":
      return t("too early to say");
    case "too-short":
      return t("measured too briefly to say");
    case "too-little":
      return t("too little traffic to say");
    default:
      return why;
  }
}

/** What has changed, as a part of a sentence. @param {Row} row */
function phrase({ name, change }) {
  const more = change === "more";
  switch (name) {
    case "http.latency":
      return more ? t("answers take longer") : t("answers are quicker");
    case "http.errors":
      return more ? t("more requests fail") : t("fewer requests fail");
    case "log.errors":
      return more ? t("it logs more errors") : t("it logs fewer errors");
    case "cpu":
      return more ? t("it needs more CPU") : t("it needs less CPU");
    default:
      return more ? t("it needs more memory") : t("it needs less memory");
  }
}

/** What it comes to, in one sentence. @param {Compared} compared */
export function verdictSentence({ verdict, rows, growing }) {
  const changed = rows.filter(({ change }) => change === "more" || change === "less");
  const what = new Intl.ListFormat(locale, { type: "conjunction" }).format(changed.map(phrase));
  switch (verdict) {
    case "worse":
      return t("It got worse: {what}.", { what });
    case "better":
      return t("It got better: {what}.", { what });
    case "mixed":
      return t("Better in one way, worse in another: {what}.", { what });
    case "dearer":
    case "cheaper":
      return t("What it needs has changed: {what}.", { what });
    case "same":
      return rows.some(({ change }) => change === "unknown")
        ? t("As before, as far as it was measured.")
        : t("As before.");
    case "unknown":
      return growing ? t("Too early to say.") : t("Too little was measured to say.");
  }
}

/** Of which time the numbers are. @param {Compared} compared */
export function spanSentence({ before, after, growing, cut }) {
  const span = stretches(lengthOf(before), lengthOf(after), growing);
  return cut ? `${span} ${t("Another deployment was within the 15 minutes.")}` : span;
}

/**
 * @param {number} before seconds
 * @param {number} after
 * @param {boolean} growing
 */
function stretches(before, after, growing) {
  const values = { before: formatDuration(before), after: formatDuration(after) };
  if (!before && !after) return t("There is nothing to compare.");
  if (!before) return t("Nothing is known of the time before it to compare with.");
  if (!after) {
    return growing
      ? t("{before} before it; what is measured after it comes every 10 s.", values)
      : t("{before} before it, and nothing after it to compare with.", values);
  }
  return growing
    ? t("{before} before against {after} after so far, of 15 min.", values)
    : t("{before} before against {after} after.", values);
}

/** In seconds; of many minutes whole ones, for what is kept of them ends somewhere. @param {{since: number, until: number}} side */
function lengthOf({ since, until }) {
  const seconds = until - since;
  return seconds < 180 ? seconds : Math.round(seconds / 60) * 60;
}
