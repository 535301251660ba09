// What a line's text looks like to a reader: control characters by name, addresses as links, colours
// and matches, what a terminal would have overwritten left out. Drawn as text, never as HTML.

import { parseAnsi, readable, safeHref } from "../lib/ansi.js";
import { h } from "../lib/dom.js";

/** @typedef {import("./filter.js").Search} Search */
/** @typedef {import("../lib/ansi.js").Style} Style */

export const SHORT = 2_000; // characters of a row that is one screen line high
export const LONG = 10_240; // characters of a row that is opened or wrapped, until "show all"

// C0 but for tab, DEL, C1; and what changes the direction of text, which can make a line read as
// something else than it is.
// eslint-disable-next-line no-control-regex
const ODD =
  /[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff]/g;

// Names, not the pictures Unicode has for some of them: few fonts have those.
const C0 =
  "NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI " +
  "DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US";
/** @type {Map<string, string>} */
const NAMES = new Map([
  ...C0.split(" ").map(
    (name, code) => /** @type {[string, string]} */ ([String.fromCharCode(code), name]),
  ),
  ["\x7f", "DEL"],
  ["\u200e", "LRM"],
  ["\u200f", "RLM"],
  ["\u061c", "ALM"],
  ["\u202a", "LRE"],
  ["\u202b", "RLE"],
  ["\u202c", "PDF"],
  ["\u202d", "LRO"],
  ["\u202e", "RLO"],
  ["\u2066", "LRI"],
  ["\u2067", "RLI"],
  ["\u2068", "FSI"],
  ["\u2069", "PDI"],
  ["\u2028", "LS"],
  ["\u2029", "PS"],
  ["\ufeff", "BOM"],
]);

/**
 * @param {string} char
 * @returns {string} its name: NUL, ESC, RLO, x9B
 */
function nameOf(char) {
  return NAMES.get(char) ?? `x${char.charCodeAt(0).toString(16).toUpperCase()}`;
}

/**
 * A piece of text as it is shown. `odd`: stands for a character that has no shape of its own.
 * @typedef {{ text: string, odd: boolean, href: string | null }} Piece
 */

/**
 * @param {string} text
 * @returns {string} the same with every control character replaced by its name: ⟨NUL⟩
 */
export function visible(text) {
  return text.replace(ODD, (char) => `\u27e8${nameOf(char)}\u27e9`);
}

// An address ends where white space, quotes, brackets or full-width punctuation begin.
const ADDRESS = /https?:\/\/[^\s<>"'`\u3000-\u303f\uff00-\uff65\\{}|^]+/gi;

/**
 * @param {string} text
 * @returns {Piece[]} the text cut where a name or a link begins or ends
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
      named(text.slice(from, found.index), out);
      out.push({ text: visible(address), odd: false, href });
      from = found.index + address.length;
    }
  }
  named(text.slice(from), out);
  return out;
}

/**
 * @param {string} text
 * @param {Piece[]} out
 */
function named(text, out) {
  let from = 0;
  for (const found of text.matchAll(ODD)) {
    if (found.index > from)
      out.push({ text: text.slice(from, found.index), odd: false, href: null });
    out.push({ text: nameOf(found[0]), odd: true, href: null });
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

/**
 * Text with its colours, links, symbols and matches.
 * @param {HTMLElement} box
 * @param {string} text
 * @param {Search | null} search
 */
export function drawRuns(box, text, search) {
  const runs = parseAnsi(text);
  const ranges = search ? search.ranges(runs.map((run) => run.text).join("")) : [];
  for (const run of cutAtRanges(runs, ranges)) {
    const parent = run.hit ? h("mark", null) : run.style || run.href ? h("span", null) : box;
    if (parent !== box) box.append(parent);
    if (run.style) applyStyle(parent, run.style);
    if (run.href) parent.append(link(run.href, visible(run.text)));
    else drawPieces(parent, run.text);
  }
}

/**
 * @param {HTMLElement} parent
 * @param {string} text
 */
function drawPieces(parent, text) {
  for (const piece of pieces(text)) {
    if (piece.href) parent.append(link(piece.href, piece.text));
    else if (piece.odd) parent.append(h("span", { class: "odd" }, piece.text));
    else parent.append(piece.text);
  }
}

/**
 * @param {string} href
 * @param {string} text
 */
function link(href, text) {
  return h(
    "a",
    { href, target: "_blank", rel: "noopener noreferrer", title: href, tabindex: "-1" },
    text,
  );
}

/**
 * @param {HTMLElement} element
 * @param {Style} style
 */
function applyStyle(element, style) {
  const { classList } = element;
  for (const name of /** @type {const} */ ([
    "bold",
    "dim",
    "italic",
    "underline",
    "strike",
    "hidden",
  ])) {
    if (style[name]) classList.add(`a-${name}`);
  }
  // Inverse without colours swaps those of the page.
  let { fg, bg } = style;
  if (style.inverse) {
    [fg, bg] = [bg, fg];
    if (fg === undefined) classList.add("a-fg-page");
    if (bg === undefined) classList.add("a-bg-text");
  }
  if (typeof fg === "number") classList.add(`a-fg-${fg}`);
  else if (fg !== undefined) {
    classList.add("a-fg");
    const both = bg === undefined;
    element.style.setProperty("--fg-light", both ? readable(fg, false) : fg);
    element.style.setProperty("--fg-dark", both ? readable(fg, true) : fg);
  }
  if (typeof bg === "number") classList.add(`a-bg-${bg}`);
  else if (bg !== undefined) {
    classList.add("a-bg");
    element.style.setProperty("--bg", bg);
  }
}
