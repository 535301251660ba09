// What a line's text looks like to a reader: control characters as symbols, addresses as links,
// what a terminal would have overwritten left out. Pure.

import { safeHref } from "./ansi.js";

export const SHORT = 2_000; // characters of a row that is one screen line high
export const LONG = 10_240; // characters of a row that is opened or wrapped, until "show all"

// C0 but for tab, DEL, C1; and what changes the direction of text, which can make a line read as
// something else than it is.
// eslint-disable-next-line no-control-regex
const ODD =
  /[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff]/g;

/** @type {Record<string, string>} */
const BIDI = {
  "\u200e": "LRM",
  "\u200f": "RLM",
  "\u061c": "ALM",
  "\u202a": "LRE",
  "\u202b": "RLE",
  "\u202c": "PDF",
  "\u202d": "LRO",
  "\u202e": "RLO",
  "\u2066": "LRI",
  "\u2067": "RLI",
  "\u2068": "FSI",
  "\u2069": "PDI",
  "\u2028": "LS",
  "\u2029": "PS",
  "\ufeff": "BOM",
};

/**
 * @param {string} char
 * @returns {string} what stands for it: ␀, ␛, ⟨9B⟩, ⟨RLO⟩
 */
function symbol(char) {
  const code = char.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return "\u2421";
  return `\u27e8${BIDI[char] ?? code.toString(16).toUpperCase()}\u27e9`;
}

/**
 * A piece of text as it is shown. `odd`: stands for a character that has no shape of its own.
 * @typedef {{ text: string, odd: boolean, href: string | null }} Piece
 */

/**
 * @param {string} text
 * @returns {string} the same with every control character replaced by its symbol
 */
export function visible(text) {
  return text.replace(ODD, symbol);
}

// An address ends where white space, quotes, brackets or full-width punctuation begin.
const ADDRESS = /https?:\/\/[^\s<>"'`\u3000-\u303f\uff00-\uff65\\{}|^]+/gi;

/**
 * @param {string} text
 * @returns {Piece[]} the text cut where a symbol or a link begins or ends
 */
export function pieces(text) {
  /** @type {Piece[]} */
  const out = [];
  let from = 0;
  if (text.includes("://")) {
    for (const found of text.matchAll(ADDRESS)) {
      const address = trimAddress(found[0]);
      const href = safeHref(address);
      if (!href) continue;
      symbols(text.slice(from, found.index), out);
      out.push({ text: visible(address), odd: false, href });
      from = found.index + address.length;
    }
  }
  symbols(text.slice(from), out);
  return out;
}

/**
 * @param {string} text
 * @param {Piece[]} out
 */
function symbols(text, out) {
  let from = 0;
  for (const found of text.matchAll(ODD)) {
    if (found.index > from)
      out.push({ text: text.slice(from, found.index), odd: false, href: null });
    out.push({ text: symbol(found[0]), odd: true, href: null });
    from = found.index + 1;
  }
  if (from < text.length) out.push({ text: text.slice(from), odd: false, href: null });
}

/**
 * Punctuation after an address belongs to the sentence, and so does a bracket it did not open.
 * @param {string} address
 */
function trimAddress(address) {
  for (;;) {
    const last = address[address.length - 1];
    const closes = last === ")" ? "(" : last === "]" ? "[" : "";
    const open = closes && count(address, closes) >= count(address, last);
    if (!/[.,;:!?)\]*…]/.test(last) || open) return address;
    address = address.slice(0, -1);
  }
}

/**
 * @param {string} text
 * @param {string} char
 */
function count(text, char) {
  return text.split(char).length - 1;
}

/**
 * What a terminal would show at the end: a progress bar writes over itself after each carriage
 * return. The whole of it is seen when the row is opened.
 * @param {string} text
 * @returns {string}
 */
export function lastOverwrite(text) {
  if (!text.includes("\r")) return text;
  const parts = text.split("\r");
  for (let i = parts.length - 1; i >= 0; i--) if (parts[i].trim()) return parts[i];
  return "";
}

/**
 * A cut that does not part the two halves of a character.
 * @param {string} text
 * @param {number} length
 */
export function cut(text, length) {
  if (text.length <= length) return text;
  const half = (text.charCodeAt(length - 1) & 0xfc00) === 0xd800;
  return text.slice(0, half ? length - 1 : length);
}
