// What is looked for, as the address bar and the API say it. Pure.

import { queryOf, readTerms, writeTerms } from "../logs/terms.js";
import { fromMs } from "../logs/times.js";

/**
 * @typedef {object} Asked
 * @property {string} q
 * @property {boolean} regex
 * @property {boolean} capitals told apart
 * @property {readonly import("../logs/terms.js").FilterTerm[]} terms what lines have to be besides
 * @property {string} level "", "error", or "warning" for warnings and errors
 * @property {string[]} apps none: all of them
 * @property {number} last minutes back from now; 0: all of the history, or a span
 * @property {string} since RFC 3339, "" where it has no beginning
 * @property {string} until RFC 3339, "" where it has no end
 */

/** @type {Readonly<Asked>} */
export const NOTHING = {
  q: "",
  regex: false,
  capitals: false,
  terms: [],
  level: "",
  apps: [],
  last: 0,
  since: "",
  until: "",
};

/** Minutes that are offered. */
export const LAST = [15, 60, 24 * 60, 7 * 24 * 60];

/**
 * @param {URLSearchParams} params
 * @returns {Asked}
 */
export function readAsked(params) {
  const level = params.get("level") ?? "";
  const moment = (/** @type {string} */ name) => {
    const time = params.get(name) ?? "";
    return Number.isNaN(Date.parse(time)) ? "" : time;
  };
  const last = Number(params.get("last"));
  const [since, until] = [moment("since"), moment("until")];
  return {
    q: params.get("q") ?? "",
    regex: params.get("regex") === "1",
    capitals: params.get("case") === "1",
    terms: readTerms(params),
    level: level === "error" || level === "warning" ? level : "",
    apps: [...new Set(params.getAll("app"))].sort(),
    last: since || until || !LAST.includes(last) ? 0 : last,
    since,
    until,
  };
}

/**
 * @param {Asked} asked
 * @returns {URLSearchParams} for the address bar
 */
export function writeAsked(asked) {
  const params = new URLSearchParams();
  if (asked.q) params.set("q", asked.q);
  if (asked.regex) params.set("regex", "1");
  if (asked.capitals) params.set("case", "1");
  writeTerms(asked.terms, params);
  if (asked.level) params.set("level", asked.level);
  for (const app of asked.apps) params.append("app", app);
  if (asked.last) params.set("last", String(asked.last));
  if (asked.since) params.set("since", asked.since);
  if (asked.until) params.set("until", asked.until);
  return params;
}

/**
 * @param {Asked} asked
 * @param {number} now milliseconds since 1970
 * @returns {URLSearchParams | null} for the API; null where nothing is asked for
 */
export function toCall(asked, now) {
  if (!asked.q && !asked.level && !queryOf(asked.terms)) return null;
  const params = writeAsked(asked);
  params.delete("off");
  params.delete("last");
  params.delete("level");
  if (asked.level) params.append("level", "error");
  if (asked.level === "warning") params.append("level", "warning");
  if (asked.last) params.set("since", fromMs(now - asked.last * 60_000));
  return params;
}

/**
 * Where a line that was found stands: its app's log, with what was looked for marked. The terms are
 * there, switched off: what stands around the line is what one comes for.
 *
 * @param {string} app
 * @param {number} seq
 * @param {Asked} asked
 */
export function lineAddress(app, seq, asked) {
  const params = new URLSearchParams();
  if (asked.q) params.set("q", asked.q);
  if (asked.q && asked.regex) params.set("regex", "1");
  writeTerms(
    asked.terms.map(({ text }) => ({ text, off: true })),
    params,
  );
  const query = params.size ? `?${params}` : "";
  return `/apps/${encodeURIComponent(app)}/logs${query}#L${seq}`;
}
