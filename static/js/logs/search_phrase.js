// What to look for to find more entries like this one: always something that finds this one, too. Pure.

import { causeOf } from "./causes.js";
import { makeSearch } from "./filter.js";
import { readJson, seenText } from "./seen_text.js";

const LONGEST = 200; // characters
const SHORTEST = 3;

/**
 * @param {import("./entry.js").Entry} entry
 * @param {string} selected what the reader has selected, "" for nothing
 */
export function phraseFor({ row, more }, selected) {
  const lines = [...(row ? [row] : []), ...(more ?? [])].map((one) => one[4]);
  return lines.length ? searchPhrase(lines, more ? causeOf(more) : null, selected) : "";
}

/**
 * @param {string[]} lines of the entry, as they were written
 * @param {string | null} cause the one that says what failed, where there is one
 * @param {string} selected what the reader has selected in it, "" for nothing
 * @returns {string}
 */
export function searchPhrase(lines, cause, selected) {
  // A row shows the lines of a message as one.
  const parts = selected.split(/\s*↵\s*|[\r\n]+/).map((part) => part.trim());
  for (const part of longestFirst([selected.trim(), ...parts])) {
    if (part && !/[\r\n]/.test(part) && isFound(part, lines)) return part;
  }
  const message = commonPart(firstLine(cause ?? lines[0]));
  return isFound(message, lines) ? message : lines[0].slice(0, LONGEST).trim();
}

/** @param {string[]} texts */
function longestFirst(texts) {
  return texts.toSorted((a, b) => b.length - a.length);
}

/** @param {string} phrase @param {string[]} lines */
function isFound(phrase, lines) {
  const { search } = makeSearch(phrase, false);
  return search !== null && lines.some((line) => search.test(line));
}

/**
 * The first line of the message, without the fields behind it.
 * @param {string} line
 */
function firstLine(line) {
  const text = readJson(line)?.message ?? seenText(line);
  return text.split("\n").find((part) => part.trim()) ?? "";
}

/**
 * The longest run of words of a line without numbers and ids in it.
 * @param {string} text
 */
export function commonPart(text) {
  const runs = text.split(/\S*\d\S*/).map((run) => run.trim());
  const longest = longestFirst(runs)[0];
  return (longest.length >= SHORTEST ? longest : text.trim()).slice(0, LONGEST).trim();
}
