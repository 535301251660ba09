// What is said of patterns: which times are compared, how a count has changed, its course. Pure.

import { formatNumber, t } from "../lib/i18n.js";
import { KINDS } from "./pattern_tables.js";

/** @typedef {import("../types/api.js").Pattern} Pattern */
/** @typedef {import("../types/api.js").MergedPattern} MergedPattern */
/** @typedef {Omit<import("../types/api.js").Patterns, "deployed" | "patterns">} Patterns what of them of one app and of several have */
/** The last 24 hours; since midnight; since the last deployment. @typedef {"day" | "today" | "deployment"} Range */

const DAY = 86_400_000;
const STEADY = 1.25; // times more or less that are no change

/**
 * What the server is asked for: each range is compared with the same one a day earlier, and what came since a
 * deployment with the day before it.
 * @param {Range} range
 * @param {Date} now
 */
export function spanOf(range, now) {
  if (range === "deployment") return new URLSearchParams({ since: "deployment" });
  const since = new Date(now);
  if (range === "today") since.setHours(0, 0, 0, 0);
  else since.setTime(now.getTime() - DAY);
  const params = { since, until: now, against: minus(since), against_until: minus(now) };
  if (params.against_until > since) params.against_until = since;
  return new URLSearchParams(
    Object.entries(params).map(([name, time]) => [name, time.toISOString()]),
  );
}

/** @param {Date} time */
function minus(time) {
  return new Date(time.getTime() - DAY);
}

/**
 * A term of the filter's language: of what an expression finds, or with "-" of all else.
 * @param {string} expression
 * @param {"" | "-"} sign
 */
export function termOf(expression, sign) {
  // A slash ends it, unless it is written so already.
  return `${sign}/${expression.replace(/\\.|\//g, (part) => (part === "/" ? "\\/" : part))}/`;
}

const NAMES = `(?:${KINDS.slice(1).join("|")}|\\*)`;
const HOLE = new RegExp(`(<${NAMES}>|\\b[1-5]xx\\b)`);
const ANGLED = new RegExp(`‹(${NAMES})›`, "g");

/** Texts, and every second one a placeholder. @param {string} pattern */
export function holesOf(pattern) {
  return pattern.split(HOLE).map((part) => part.replace(ANGLED, "<$1>"));
}

/**
 * Whether it came and had not come before: since deployments, in one of the apps at least, each of which
 * has its own.
 * @param {Pattern | MergedPattern} one
 * @param {Range} range
 */
export function isNew(one, range) {
  if (range === "deployment" && "apps" in one) return newIn(one).length > 0;
  return one.count > 0 && one.before === 0;
}

/** The apps in which it is. @param {MergedPattern} one */
function newIn({ apps }) {
  return apps.filter(({ count, before }) => count > 0 && before === 0);
}

/**
 * How a pattern's count has changed, for stretches of different lengths as well.
 * @param {Pattern | MergedPattern} one
 * @param {Patterns | null} all
 * @param {Range} range
 * @returns {{ kind: "new" | "gone" | "more" | "less" | "same", words: string }}
 */
export function changeOf(one, all, range) {
  if (!one.before) return { kind: "new", words: t("new") };
  if (!one.count) return { kind: "gone", words: t("gone") };
  if (range === "deployment" && "apps" in one) {
    const [first, ...more] = newIn(one);
    // Stretches of different lengths: how often it came in all of them together says nothing.
    if (!first) return { kind: "same", words: t("known") };
    const n = formatNumber(more.length);
    const name = more.length ? t("{name} and {n} more", { name: first.name, n }) : first.name;
    return { kind: "new", words: t("new in {name}", { name }) };
  }
  const times = all ? secondsOf(all.now) / Math.max(1, secondsOf(all.before)) : 1;
  const ratio = one.count / (one.before * times);
  if (ratio >= STEADY) return { kind: "more", words: `↑ ${factor(ratio)}` };
  if (ratio <= 1 / STEADY) return { kind: "less", words: `↓ ${factor(1 / ratio)}` };
  return { kind: "same", words: "≈" };
}

/** @param {number} ratio */
function factor(ratio) {
  return `×${ratio < 10 ? ratio.toFixed(1) : formatNumber(Math.round(ratio))}`;
}

/** @param {{ since: string, until: string }} span */
function secondsOf({ since, until }) {
  return (Date.parse(until) - Date.parse(since)) / 1000;
}

/** How much of the text was counted. @param {Patterns} all */
export function wordOfShare({ now, before }) {
  const share = (now.looked + before.looked) / Math.max(1, now.of + before.of);
  return `${Math.max(1, Math.floor(share * 100))} %`;
}

/**
 * Its course as a path: bars of an hour or more, 48 wide and 16 high.
 * @param {Pattern} one
 * @param {Patterns} all
 */
export function sparkOf(one, all) {
  const from = Math.floor(Date.parse(all.now.since) / 3_600_000);
  const to = Math.floor(Date.parse(all.now.until) / 3_600_000);
  const bins = Math.min(24, Math.max(1, to - from + 1));
  const each = (to - from + 1) / bins;
  const counts = new Array(bins).fill(0);
  for (const [seconds, count] of one.hours) {
    const at = Math.floor((seconds / 3600 - from) / each);
    if (at >= 0) counts[Math.min(bins - 1, at)] += count;
  }
  const most = Math.max(1, ...counts);
  const width = 48 / bins;
  return counts
    .map((count, at) => {
      if (!count) return "";
      const high = Math.max(1.5, (count / most) * 16);
      const x = (at * width).toFixed(2);
      return `M${x} 16v-${high.toFixed(2)}h${Math.max(0.8, width - 0.6).toFixed(2)}v${high.toFixed(2)}z`;
    })
    .join("");
}
