// What the reader wants to see of a log, as the address bar and the API say it, and at work on lines
// as they come. Pure.

import { entriesOf } from "./extents.js";
import { LEVELS } from "./levels.js";
import { queryMatch } from "./query/query_match.js";
import { queryOf, readQuery, readTerms, writeTerms } from "./terms.js";
import { makeSearch } from "./text_search.js";

export { makeSearch } from "./text_search.js";

/** @typedef {import("./entry.js").Row} Row */
/** @typedef {import("./text_search.js").Search} Search */
/** @typedef {import("./terms.js").FilterTerm} FilterTerm */

/** @typedef {import("./levels.js").Level} Level */
/** @typedef {Level | "none"} Wanted none: lines that do not say how bad they are */

/**
 * @typedef {object} Filter
 * @property {string} q what is looked for
 * @property {boolean} regex
 * @property {boolean} capitals are told from small letters
 * @property {boolean} hide what does not match is not shown, instead of marking what does
 * @property {readonly FilterTerm[]} terms what entries have to be, in the language of docs/protocols/query.md
 * @property {Wanted[]} levels all when empty
 * @property {string} container "" for all
 * @property {string} stream "" for both
 */

/** @type {readonly Wanted[]} the worst first, as they are offered */
export const WANTED = [...LEVELS.toReversed(), "none"];

/** @type {Readonly<Filter>} */
export const NO_FILTER = {
  q: "",
  regex: false,
  capitals: false,
  hide: false,
  terms: [],
  levels: [],
  container: "",
  stream: "",
};

/**
 * @param {URLSearchParams} params
 * @returns {Filter}
 */
export function readFilter(params) {
  const stream = params.get("stream") ?? "";
  return {
    q: params.get("q") ?? "",
    regex: params.get("regex") === "1",
    capitals: params.get("case") === "1",
    hide: params.get("hide") === "1",
    terms: readTerms(params),
    levels: WANTED.filter((level) => params.getAll("level").includes(level)),
    container: /^[0-9a-f]{12,64}$/.exec(params.get("container") ?? "")?.[0].slice(0, 12) ?? "",
    stream: stream === "stdout" || stream === "stderr" ? stream : "",
  };
}

/** What an address may say of a log, by name. */
export const IN_ADDRESS = [
  ...["q", "regex", "case", "hide", "query", "off", "level", "container", "stream", "line"],
];

/** @param {Readonly<Filter>} filter */
function searchOf({ q, regex, capitals }) {
  return makeSearch(q, regex, capitals);
}

/**
 * The filter for the address bar.
 * @param {Filter} filter
 * @returns {URLSearchParams}
 */
export function writeFilter(filter) {
  const params = serverFilter({ ...filter, q: "", terms: [] });
  writeTerms(filter.terms, params);
  if (filter.q) {
    params.set("q", filter.q);
    if (filter.regex) params.set("regex", "1");
    if (filter.capitals) params.set("case", "1");
    if (filter.hide) params.set("hide", "1");
  }
  return params;
}

/**
 * What the server is to apply: with marking only, it sends what does not match too.
 * @param {Filter} filter
 * @returns {URLSearchParams}
 */
export function serverFilter(filter) {
  const params = new URLSearchParams();
  // An expression that is none hides nothing, and the field says so.
  if (filter.q && filter.hide && searchOf(filter).search) {
    params.set("q", filter.q);
    if (filter.regex) params.set("regex", "1");
    if (filter.capitals) params.set("case", "1");
  }
  const query = queryOf(filter.terms);
  if (query) params.set("query", query);
  for (const level of filter.levels) params.append("level", level);
  if (filter.container) params.set("container", filter.container);
  if (filter.stream) params.set("stream", filter.stream);
  return params;
}

/**
 * Whether an entry that comes live is one that the server would send.
 * @param {Filter} filter
 * @returns {((rows: Row[], level: Level | null) => boolean) | null} null: every one passes
 */
export function passes(filter) {
  const search = filter.hide ? searchOf(filter).search : null;
  const { levels, container, stream } = filter;
  const query = queryMatch(readQuery(filter.terms));
  if (!search && !query && !levels.length && !container && !stream) return null;
  return (rows, level) =>
    (!container || rows[0][2] === container) &&
    (!stream || rows[0][3] === stream) &&
    (!levels.length || levels.includes(level ?? "none")) &&
    (!search || rows.some((row) => search.test(row[4]))) &&
    (!query || query(rows, level));
}

/**
 * Whether the server would send the same lines for both.
 * @param {Filter} a
 * @param {Filter} b
 */
export function sameLines(a, b) {
  return serverFilter(a).toString() === serverFilter(b).toString();
}

/**
 * Whether both are written the same.
 * @param {Filter} a
 * @param {Filter} b
 */
export function sameFilter(a, b) {
  return writeFilter(a).toString() === writeFilter(b).toString();
}

/**
 * The seq that an address names: `#L123` or `?line=123`.
 * @param {string} hash
 * @param {URLSearchParams} params
 * @returns {number | null}
 */
export function readLine(hash, params) {
  const found = /^#?L?(\d{1,15})$/.exec(hash) ?? /^L?(\d{1,15})$/.exec(params.get("line") ?? "");
  const seq = found ? Number(found[1]) : 0;
  return seq >= 1 ? seq : null;
}

/**
 * The moment that an address names: `#T2026-11-29T14:03:07Z` or `#t=2026-11-29T14:03:07Z`.
 * @param {string} hash
 * @returns {number | null} milliseconds since 1970
 */
export function readMoment(hash) {
  const found = /^#(?:T|t=)(.+)$/.exec(hash);
  if (!found) return null;
  let ms = NaN;
  try {
    ms = Date.parse(decodeURIComponent(found[1]));
  } catch {
    // A percent sign that is none.
  }
  return Number.isNaN(ms) ? null : ms;
}

/** A filter at work. */
export class ActiveFilter {
  /** @param {Readonly<Filter>} filter */
  constructor(filter) {
    this.filter = filter;
    this.passes = passes(filter);
    const { search, error, lacks = false } = searchOf(filter);
    this.search = search;
    this.searchError = error;
    /** It asks for something that there is not, and is not just unfinished. */
    this.searchLacks = lacks;
    /** What is marked: also the words that the terms ask for. @type {Search | null} */
    this.marks = together([search, ...wordsOf(filter.terms)]);
  }

  /**
   * The lines of entries that pass. What CloudBang itself says about the log always does.
   * @param {Row[]} rows
   * @param {import("./extents.js").Extents} extents
   */
  through(rows, extents) {
    const { passes } = this;
    if (!passes) return rows;
    /** @type {Set<Row>} */
    const stay = new Set();
    for (const [its, level] of entriesOf(rows, extents)) {
      if (its[0][3] === "marker" || passes(its, level)) for (const row of its) stay.add(row);
    }
    return rows.filter((row) => stay.has(row));
  }
}

/** The texts that the terms look for. @param {readonly FilterTerm[]} terms */
function wordsOf(terms) {
  return readQuery(terms)
    .filter(({ kind, negated }) => !negated && (kind === "text" || kind === "regex"))
    .map(({ kind, text }) => makeSearch(text, kind === "regex").search);
}

/** @param {(Search | null)[]} searches @returns {Search | null} what finds what each of them does */
function together(searches) {
  const all = searches.filter((one) => one !== null);
  if (all.length < 2) return all[0] ?? null;
  return {
    test: (line) => all.some((one) => one.test(line)),
    ranges: (text) => apart(all.flatMap((one) => one.ranges(text))),
  };
}

/** Of ranges in any order: in order, those that meet as one. @param {[number, number][]} ranges */
function apart(ranges) {
  /** @type {[number, number][]} */
  const found = [];
  for (const [from, to] of ranges.sort((a, b) => a[0] - b[0])) {
    const last = found.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else found.push([from, to]);
  }
  return found;
}
