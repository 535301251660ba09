// Finding in the text of lines: plain or by regular expression. Pure.

import { stripAnsi } from "../lib/ansi.js";

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

/**
 * Cuts runs of text where matches begin and end.
 * @template {{ text: string }} T
 * @param {T[]} runs
 * @param {[number, number][]} ranges offsets into the joined text, in order, not overlapping
 * @returns {(T & { hit?: boolean })[]}
 */
export function cutAtRanges(runs, ranges) {
  if (!ranges.length) return runs;
  /** @type {(T & { hit?: boolean })[]} */
  const out = [];
  let at = 0;
  let next = 0;
  for (const run of runs) {
    const end = at + run.text.length;
    let from = at;
    while (from < end) {
      while (next < ranges.length && ranges[next][1] <= from) next++;
      const range = ranges[next];
      const hit = range !== undefined && range[0] <= from;
      const to = Math.min(end, range === undefined ? end : hit ? range[1] : range[0]);
      out.push({ ...run, text: run.text.slice(from - at, to - at), hit });
      from = to;
    }
    at = end;
  }
  return out;
}
