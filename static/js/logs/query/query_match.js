// A query at work on entries as they come, as the server decides of those that it has: each term holds
// for one of an entry's lines, and one with - for none. Pure.

import { makeSearch } from "../text_search.js";
import { fieldsOf } from "./fields.js";
import { levelsOf } from "./language.js";
import { compare, quantity, quantityOfField } from "./quantities.js";

/** @typedef {import("../entry.js").Row} Row */
/** @typedef {import("../levels.js").Level} Level */
/** @typedef {import("./fields.js").Field} Field */
/** @typedef {import("./language.js").Term} Term */
/** @typedef {import("./quantities.js").Quantity} Quantity */

/**
 * Whether an entry is wanted.
 * @param {readonly Term[]} terms
 * @returns {((rows: readonly Row[], level: Level | null) => boolean) | null} null: every one is
 */
export function queryMatch(terms) {
  if (!terms.length) return null;
  const levels = levelsOf(terms);
  const tests = terms
    .filter((term) => term.kind !== "level")
    .map((term) => ({ negated: term.negated, holds: test(term) }));
  return (rows, level) =>
    (!levels || levels.includes(level ?? "none")) &&
    tests.every(({ negated, holds }) => rows.some((row) => holds(row)) !== negated);
}

/** @param {Term} term @returns {(row: Row) => boolean} */
function test(term) {
  if (term.kind === "field") return (row) => fieldHolds(term, fieldsOfRow(row));
  const { search } = makeSearch(term.text, term.kind === "regex");
  return (row) => search?.test(row[4]) ?? false;
}

/** Read once, however often they are asked for. @type {WeakMap<Row, Field[]>} */
const known = new WeakMap();

/** @param {Row} row */
export function fieldsOfRow(row) {
  let fields = known.get(row);
  if (!fields) known.set(row, (fields = fieldsOf(row[4])));
  return fields;
}

/**
 * Whether one of the fields is as the term says; whether it is negated is not looked at.
 * @param {Term} term
 * @param {readonly Field[]} fields
 */
export function fieldHolds(term, fields) {
  const name = term.name.toLowerCase();
  const { op, pieces } = term;
  if (op === "there") {
    return fields.some(([one]) => {
      const small = one.toLowerCase();
      return small === name || small.startsWith(`${name}.`);
    });
  }
  return fields.some(
    ([one, value]) =>
      one.toLowerCase() === name &&
      (op === "=" ? fits(pieces, value.toLowerCase()) : compares(term, one, value)),
  );
}

/**
 * Whether a text is these pieces, with anything between them.
 * @param {readonly string[]} pieces
 * @param {string} text
 */
function fits(pieces, text) {
  const [first, last] = [pieces[0], pieces[pieces.length - 1]];
  if (pieces.length === 1) return text === first;
  if (text.length < first.length + last.length) return false;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}

/** @param {Term} term @param {string} name @param {string} value */
function compares({ op, low, high }, name, value) {
  if (op === "..") {
    return (!low || is(">=", name, value, low)) && (!high || is("<=", name, value, high));
  }
  return low !== null && is(op, name, value, low);
}

/** @param {string} op @param {string} name @param {string} value @param {Quantity} limit */
function is(op, name, value, limit) {
  const found = limit.kind ? quantityOfField(name, value) : quantity(value);
  const order = found && compare(found, limit);
  if (order === null) return false;
  if (op === ">") return order > 0;
  if (op === ">=") return order >= 0;
  return op === "<" ? order < 0 : order <= 0;
}
