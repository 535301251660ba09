// What the reader wants to see of a log, as the address bar and the API say it, and at work on lines
// as they come. Pure.

import { entriesOf } from "./extents.js";
import { LEVELS } from "./levels.js";
import { t, tn } from "../lib/i18n.js";
import { NotRe2, Re2 } from "../lib/re2.js";
import { seenText } from "./seen_text.js";

/** @typedef {import("./entry.js").Row} Row */

/** @typedef {import("./levels.js").Level} Level */
/** @typedef {Level | "none"} Wanted none: lines that do not say how bad they are */

/**
 * @typedef {object} Filter
 * @property {string} q what is looked for
 * @property {boolean} regex
 * @property {boolean} hide what does not match is not shown, instead of marking what does
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
  hide: false,
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
    hide: params.get("hide") === "1",
    levels: WANTED.filter((level) => params.getAll("level").includes(level)),
    container: /^[0-9a-f]{12,64}$/.exec(params.get("container") ?? "")?.[0].slice(0, 12) ?? "",
    stream: stream === "stdout" || stream === "stderr" ? stream : "",
  };
}

/** What an address may say of a log, by name. */
export const IN_ADDRESS = ["q", "regex", "hide", "level", "container", "stream", "line"];

/**
 * The filter for the address bar.
 * @param {Filter} filter
 * @returns {URLSearchParams}
 */
export function writeFilter(filter) {
  const params = serverFilter({ ...filter, q: "" });
  if (filter.q) {
    params.set("q", filter.q);
    if (filter.regex) params.set("regex", "1");
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
  if (filter.q && filter.hide && makeSearch(filter.q, filter.regex).search) {
    params.set("q", filter.q);
    if (filter.regex) params.set("regex", "1");
  }
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
  const search = filter.hide ? makeSearch(filter.q, filter.regex).search : null;
  const { levels, container, stream } = filter;
  if (!search && !levels.length && !container && !stream) return null;
  return (rows, level) =>
    (!container || rows[0][2] === container) &&
    (!stream || rows[0][3] === stream) &&
    (!levels.length || levels.includes(level ?? "none")) &&
    (!search || rows.some((row) => search.test(row[4])));
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
 * The moment that an address names: `#T2026-11-29T14:03:07Z`.
 * @param {string} hash
 * @returns {number | null} milliseconds since 1970
 */
export function readMoment(hash) {
  const ms = hash.startsWith("#T") ? Date.parse(decodeURIComponent(hash.slice(2))) : NaN;
  return Number.isNaN(ms) ? null : ms;
}

/**
 * @typedef {object} Search
 * @property {(line: string) => boolean} test whether it is in a line, as it is seen or as it was written
 * @property {(text: string) => [number, number][]} ranges where, as offsets into the text given
 */

const RANGES_AT_MOST = 200; // a line of a megabyte may match at every character
const LONGEST = 1_000; // characters, as on the server

/**
 * Case does not matter, as on the server. An expression is RE2's, as there: what it does not have
 * is an error, in a sentence.
 * @param {string} query
 * @param {boolean} regex
 * @returns {{ search: Search | null, error: string | null, lacks?: boolean }} null search: there is
 *   nothing to find; `lacks`: it asks for what RE2 does not have
 */
export function makeSearch(query, regex) {
  query = query.normalize("NFC");
  if (!query) return { search: null, error: null };
  if (query.length > LONGEST) {
    return { search: null, error: tn("At most {n} character", "At most {n} characters", LONGEST) };
  }
  if (!regex) return { search: words(query), error: null };
  let expression = known.source === query ? known.expression : null;
  try {
    expression ??= new Re2(query);
  } catch (error) {
    if (!(error instanceof NotRe2)) throw error;
    const lacks = !/^(?:missing|trailing)/.test(error.message);
    return { search: null, error: refusal(error.message), lacks };
  }
  known = { source: query, expression };
  const found = expression;
  return {
    error: null,
    search: {
      test: (line) => isIn(line, (text) => found.test(text)),
      ranges: (text) => found.ranges(text, RANGES_AT_MOST),
    },
  };
}

/**
 * @param {string} line
 * @param {(text: string) => boolean} test
 * @param {RegExp | null} [hint] what hintOf says of the words
 */
function isIn(line, test, hint = null) {
  if (test(line)) return true;
  if (hint && !hint.test(line) && !MAY_MAKE.test(line) && line.normalize("NFC") === line)
    return false;
  const seen = seenText(line);
  return seen !== line && test(seen);
}

// Escapes and templates may make anything.
// eslint-disable-next-line no-control-regex
const MAY_MAKE = /\x1b|\\u|@mt|template/i;
// eslint-disable-next-line no-control-regex
const JOINTS = /[\s=.,[\]{}"\\/\x00-\x1f]+/; // stand between what is decoded, or are made by it

/**
 * Of words that are looked for, the longest part that decoding a line can neither make nor join
 * together: a line without it need not be decoded. As in cloudbang/domain/seen_text.py.
 * @param {string} query
 */
function hintOf(query) {
  return query.split(JOINTS).reduce((best, part) => (part.length > best.length ? part : best), "");
}

/** What it has learned of the lines is of use to the next who asks for it.
 * @type {{ source: string, expression: Re2 | null }} */
let known = { source: "", expression: null };

/** @param {string} what RE2 says */
function refusal(what) {
  const part = what.slice(what.indexOf(": ") + 2);
  if (/^\(\?<?[=!]/.test(part)) {
    return t("Expressions have no lookahead and no lookbehind here: {part}", { part });
  }
  if (/^\\[1-9]/.test(part)) {
    return t("Expressions have no back references here: {part}", { part });
  }
  return t("This is no regular expression in RE2's syntax: {what}", { what });
}

/** @param {string} text as a regular expression that finds it and nothing else */
function literally(text) {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, (c) => (c === "-" || c === "/" ? c : `\\${c}`));
}

/** @param {string} query @returns {Search} */
function words(query) {
  const source = literally(query);
  // Letters of ASCII alone have no relatives elsewhere (the Kelvin sign is no k), as on the server.
  // eslint-disable-next-line no-control-regex
  const flags = /^[\x00-\x7f]*$/.test(query) ? "i" : "iu";
  const one = new RegExp(source, flags);
  const all = new RegExp(source, `${flags}g`);
  const part = hintOf(query);
  const hint = part ? new RegExp(literally(part), flags) : null;
  return {
    test: (line) => isIn(line, (text) => one.test(text), hint),
    ranges: (text) => {
      /** @type {[number, number][]} */
      const found = [];
      for (const match of text.matchAll(all)) {
        found.push([match.index, match.index + match[0].length]);
        if (found.length >= RANGES_AT_MOST) break;
      }
      return found;
    },
  };
}

/** A filter at work. */
export class ActiveFilter {
  /** @param {Readonly<Filter>} filter */
  constructor(filter) {
    this.filter = filter;
    this.passes = passes(filter);
    const { search, error, lacks = false } = makeSearch(filter.q, filter.regex);
    this.search = search;
    this.searchError = error;
    /** It asks for something that there is not, and is not just unfinished. */
    this.searchLacks = lacks;
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
