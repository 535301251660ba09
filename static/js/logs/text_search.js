// What is looked for in the text of lines: words, or an expression of RE2. Pure.

import { t, tn } from "../lib/i18n.js";
import { NotRe2, Re2 } from "../lib/re2.js";
import { seenText } from "./seen_text.js";

/**
 * @typedef {object} Search
 * @property {(line: string) => boolean} test whether it is in a line, as it is seen or as it was written
 * @property {(text: string) => [number, number][]} ranges where, as offsets into the text given
 */

const RANGES_AT_MOST = 200; // a line of a megabyte may match at every character
const LONGEST = 1_000; // characters, as on the server

/**
 * Case does not matter unless it is asked for, as on the server. An expression is RE2's, as there: what it does not have
 * is an error, in a sentence.
 * @param {string} query
 * @param {boolean} regex
 * @param {boolean} [capitals] told from small letters
 * @returns {{ search: Search | null, error: string | null, lacks?: boolean }} null search: there is
 *   nothing to find; `lacks`: it asks for what RE2 does not have
 */
export function makeSearch(query, regex, capitals = false) {
  query = query.normalize("NFC");
  if (!query) return { search: null, error: null };
  if (query.length > LONGEST) {
    return { search: null, error: tn("At most {n} character", "At most {n} characters", LONGEST) };
  }
  if (!regex) return { search: words(query, capitals), error: null };
  if (capitals) query = `(?-i)${query}`;
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
export function literally(text) {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, (c) => (c === "-" || c === "/" ? c : `\\${c}`));
}

/** @param {string} query @param {boolean} capitals @returns {Search} */
function words(query, capitals) {
  const source = literally(query);
  // Letters of ASCII alone have no relatives elsewhere (the Kelvin sign is no k), as on the server.
  // eslint-disable-next-line no-control-regex
  const flags = /^[\x00-\x7f]*$/.test(query) ? (capitals ? "" : "i") : capitals ? "u" : "iu";
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
