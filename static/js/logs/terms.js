// The terms of a filter, those that are switched off as well, as an address has them. Pure.

import { parse, QueryError } from "./query/language.js";

/** @typedef {{ text: string, off: boolean }} FilterTerm */

/**
 * `query`: those that count; `off`: each that is switched off, behind its place among all of them. What
 * cannot be read is switched off.
 * @param {URLSearchParams} params
 * @returns {FilterTerm[]}
 */
export function readTerms(params) {
  const query = (params.get("query") ?? "").normalize("NFC");
  const off = params.getAll("off").filter(Boolean).map(placed);
  /** @type {FilterTerm[]} */
  let terms = [];
  try {
    terms = parse(query).map(({ at, end }) => ({ text: query.slice(at, end), off: false }));
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    off.unshift({ at: 0, text: query });
  }
  for (const { at, text } of off) terms.splice(at, 0, { text, off: true });
  return terms;
}

/**
 * @param {readonly FilterTerm[]} terms
 * @param {URLSearchParams} params
 */
export function writeTerms(terms, params) {
  const query = queryOf(terms);
  if (query) params.set("query", query);
  for (const [at, { text, off }] of terms.entries()) if (off) params.append("off", `${at}.${text}`);
}

/** @param {string} text */
function placed(text) {
  const found = /^(\d{1,2})\.(.+)$/s.exec(text);
  return found ? { at: Number(found[1]), text: found[2] } : { at: Infinity, text };
}

/** The query of those that count. @param {readonly FilterTerm[]} terms */
export function queryOf(terms) {
  return terms
    .filter(({ off }) => !off)
    .map(({ text }) => text)
    .join(" ");
}

/** What those that count are, read. @param {readonly FilterTerm[]} terms */
export function readQuery(terms) {
  try {
    return parse(queryOf(terms));
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    return [];
  }
}
