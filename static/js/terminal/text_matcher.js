// Where a text, or an expression, stands in a line: from its end to its beginning, in time in
// proportion to the line. Pure.

import { Re2 } from "../lib/re2.js";

// An expression looks at so much of a line at a time, and a match that begins there may be this
// much longer: a line of megabytes is no reason to wait.
const WINDOW = 4 * 1024;
const LONGER = 2 * 1024;
const EACH = 20_000; // matches of a window

/** @typedef {Generator<[number, number] | null>} Ranges null where somebody else may have a turn */
/** @typedef {(text: string) => Ranges} Matcher */

/**
 * @param {string} query not empty
 * @param {{caseSensitive?: boolean, regex?: boolean}} how
 * @returns {Matcher} Throws NotRe2.
 */
export function matcherOf(query, { caseSensitive = false, regex = false }) {
  if (regex) {
    const re2 = new Re2(caseSensitive ? query : `(?i)${query}`);
    return (text) => matched(re2, text);
  }
  const fold = caseSensitive ? (/** @type {string} */ text) => text : lower;
  // A letter with its accent may be one character or two: programs print either.
  const forms = ["NFC", "NFD"].map((form) => fold(query.normalize(form)));
  const needles = [...new Set([fold(query), ...forms])];
  return (text) => contained(needles, fold(text));
}

/** In letters of one case, each where it stood. @param {string} text */
function lower(text) {
  const all = text.toLowerCase();
  if (all.length === text.length) return all;
  return Array.from({ length: text.length }, (_, i) => {
    const one = text[i].toLowerCase();
    return one.length === 1 ? one : text[i];
  }).join("");
}

/** @param {string[]} needles @param {string} text @returns {Ranges} */
function* contained(needles, text) {
  let before = text.length;
  for (;;) {
    /** @type {[number, number] | null} */
    let last = null;
    for (const needle of needles) {
      if (needle.length > before) continue;
      const at = text.lastIndexOf(needle, before - needle.length);
      if (at >= 0 && at >= (last?.[0] ?? 0)) last = [at, at + needle.length];
    }
    if (!last) return;
    yield last;
    before = last[0];
  }
}

/** @param {Re2} re2 @param {string} text @returns {Ranges} */
function* matched(re2, text) {
  let end = Infinity; // of what is not in a match yet
  for (let from = last(text.length); from >= 0; from -= WINDOW) {
    const until = from + WINDOW;
    const part = text.slice(0, until + LONGER);
    // With the character before it, on which a boundary of a word depends.
    if (re2.test(part.slice(Math.max(0, from - 1)))) {
      const found = re2.ranges(part, EACH, from, until);
      for (const [begin, past] of found.reverse()) {
        if (begin < end) yield [begin, Math.min(past, end)];
        end = Math.min(end, begin);
      }
    }
    yield null;
  }
}

/** Where the last window of a line begins. @param {number} length */
const last = (length) => Math.max(0, Math.ceil(length / WINDOW) - 1) * WINDOW;
