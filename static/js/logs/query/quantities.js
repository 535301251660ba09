// Numbers, durations and sizes as people and programs write them, as cloudbang/domain/query/quantities.py
// reads them. Pure.

import { NAMED, PART, PARTS, SIZES, TIMES, WHOLE } from "./query_tables.js";

/** @typedef {"" | "time" | "size"} Kind */
/** @typedef {{ kind: Kind, value: number, whole: bigint | null }} Quantity in nanoseconds or bytes */

const LONGEST = 40; // characters of a value that is one

/**
 * What a text says, if it is one.
 * @param {string} text
 * @returns {Quantity | null}
 */
export function quantity(text) {
  if (text.length > LONGEST) return null;
  const found = WHOLE.exec(text);
  if (!found) return ofParts(text);
  const [, sign, number, unit] = found;
  if (unit === undefined || unit === "%") {
    const whole = /^[0-9]+$/.test(number) ? BigInt(number) : null;
    return {
      kind: "",
      value: Number(sign + number),
      whole: whole !== null && sign === "-" ? -whole : whole,
    };
  }
  const known = unitOf(unit);
  return known && { kind: known.kind, value: Number(sign + number) * known.factor, whole: null };
}

/**
 * The same of the value of a field, for a comparison with something that has a unit.
 * @param {string} name
 * @param {string} text
 */
export function quantityOfField(name, text) {
  const found = quantity(text);
  const named = found && !found.kind ? NAMED.exec(name) : null;
  if (!found || !named) return found;
  const unit = unitOf((named[1] ?? named[2]).toLowerCase());
  return unit ? { kind: unit.kind, value: found.value * unit.factor, whole: null } : found;
}

/**
 * @param {Quantity} a
 * @param {Quantity} b
 * @returns {number | null} below zero, zero, above zero; null where they are of two kinds
 */
export function compare(a, b) {
  if (a.kind !== b.kind) return null;
  const [x, y] = a.whole !== null && b.whole !== null ? [a.whole, b.whole] : [a.value, b.value];
  return x > y ? 1 : x < y ? -1 : 0;
}

/**
 * @param {string} word
 * @returns {{ kind: Kind, factor: number } | null}
 */
function unitOf(word) {
  if (word === "M") return { kind: "size", factor: 1e6 }; // a small letter is a minute
  const small = word.toLowerCase();
  if (Object.hasOwn(TIMES, small)) return { kind: "time", factor: TIMES[small] };
  return Object.hasOwn(SIZES, small) ? { kind: "size", factor: SIZES[small] } : null;
}

/** @param {string} text @returns {Quantity | null} */
function ofParts(text) {
  if (!PARTS.test(text)) return null;
  let value = 0;
  for (const [, number, unit] of text.matchAll(PART)) {
    const known = unitOf(unit);
    if (known?.kind !== "time") return null;
    value += Number(number) * known.factor;
  }
  return { kind: "time", value, whole: null };
}
