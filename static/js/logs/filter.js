// What the reader wants to see of a log, as the address bar and the API say it, and at work on lines
// as they come. Pure.

import { levelOf, LEVELS } from "./levels.js";
import { stripAnsi } from "../lib/ansi.js";

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

/**
 * The filter for the address bar.
 * @param {Filter} filter
 * @returns {URLSearchParams}
 */
export function writeFilter(filter) {
  const params = serverFilter({ ...filter, hide: true });
  if (filter.q && filter.hide) params.set("hide", "1");
  return params;
}

/**
 * What the server is to apply: with marking only, it sends what does not match too.
 * @param {Filter} filter
 * @returns {URLSearchParams}
 */
export function serverFilter(filter) {
  const params = new URLSearchParams();
  if (filter.q && filter.hide) {
    params.set("q", filter.q);
    if (filter.regex) params.set("regex", "1");
  }
  for (const level of filter.levels) params.append("level", level);
  if (filter.container) params.set("container", filter.container);
  if (filter.stream) params.set("stream", filter.stream);
  return params;
}

/**
 * Whether a line that comes live is one that the server would send.
 * @param {Filter} filter
 * @returns {((row: Row, level: Level | null) => boolean) | null} null: every line passes
 */
export function passes(filter) {
  const search = filter.hide ? makeSearch(filter.q, filter.regex).search : null;
  const { levels, container, stream } = filter;
  if (!search && !levels.length && !container && !stream) return null;
  return (row, level) =>
    (!container || row[2] === container) &&
    (!stream || row[3] === stream) &&
    (!levels.length || levels.includes(level ?? "none")) &&
    (!search || search.test(row[4]));
}

/**
 * Whether lines between those shown may be hidden one by one, so that what follows what is not
 * known any more.
 * @param {Filter} filter
 */
export function breaksTraces(filter) {
  return filter.levels.length > 0 || (filter.hide && filter.q !== "");
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
 * @typedef {object} Search
 * @property {(text: string) => boolean} test whether a line matches
 * @property {(text: string) => [number, number][]} ranges where, as offsets into the text given
 */

const RANGES_AT_MOST = 200; // a line of a megabyte may match at every character

/**
 * Case does not matter, as on the server.
 * @param {string} query
 * @param {boolean} regex
 * @returns {{ search: Search | null, error: string | null }} null search: there is nothing to find
 */
export function makeSearch(query, regex) {
  if (!query) return { search: null, error: null };
  const source = regex ? fromRe2(query) : escape(query);
  let pattern;
  try {
    pattern = new RegExp(source, "giu");
  } catch {
    try {
      // Without `u` a browser forgives escapes that RE2 allows too.
      pattern = new RegExp(source, "gi");
    } catch (error) {
      return { search: null, error: error instanceof Error ? error.message : String(error) };
    }
  }
  const all = pattern;
  const one = new RegExp(pattern.source, pattern.flags.replace("g", ""));
  return {
    error: null,
    search: {
      test: (text) => one.test(stripAnsi(text)),
      ranges: (text) => {
        /** @type {[number, number][]} */
        const found = [];
        for (const match of text.matchAll(all)) {
          if (match[0].length) found.push([match.index, match.index + match[0].length]);
          if (found.length >= RANGES_AT_MOST) break;
        }
        return found;
      },
    },
  };
}

/** @param {string} text */
function escape(text) {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, (c) => (c === "-" || c === "/" ? c : `\\${c}`));
}

/**
 * RE2 writes some things in its own way: flags in front, named groups with a P, `\z` for the end.
 * @param {string} query
 */
function fromRe2(query) {
  return query
    .replace(/^\(\?[imsU]+\)/, "")
    .replace(/\(\?P</g, "(?<")
    .replace(/\\z$/, "$")
    .replace(/^\\A/, "^");
}

/** A filter at work. */
export class ActiveFilter {
  /** @param {Readonly<Filter>} filter */
  constructor(filter) {
    this.filter = filter;
    this.passes = passes(filter);
    const { search, error } = makeSearch(filter.q, filter.regex);
    this.search = search;
    this.searchError = error;
  }

  /**
   * The lines that pass. What CloudBang itself says about the log always does.
   * @param {Row[]} rows
   */
  through(rows) {
    const { passes } = this;
    if (!passes) return rows;
    const { levels } = this.filter;
    return rows.filter(
      (row) => row[3] === "marker" || passes(row, levels.length ? levelOf(row[4]) : null),
    );
  }
}
