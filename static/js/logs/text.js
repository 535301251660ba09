// What a line's text looks like to a reader: control characters by name, addresses as links, colours
// and matches. Drawn as text, never as HTML.

import { readable, safeHref } from "../lib/ansi.js";
import { h } from "../lib/dom.js";

/** @typedef {import("../lib/ansi.js").Run} Run */
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
 * @param {string} text
 * @returns {string} the same with every control character replaced by its name: ⟨NUL⟩
 */
export function visible(text) {
  return text.replace(ODD, (char) => `\u27e8${nameOf(char)}\u27e9`);
}

// An address ends where white space, quotes, brackets or full-width punctuation begin.
const ADDRESS = /https?:\/\/[^\s<>"'`\u3000-\u303f\uff00-\uff65\\{}|^]+/gi;

/** @typedef {{ from: number, to: number, href: string }} Link */

/**
 * @param {string} text
 * @returns {Link[]} the addresses in it that a browser fetches
 */
export function addresses(text) {
  if (!text.includes("://")) return [];
  return [...text.matchAll(ADDRESS)].flatMap((found) => {
    const address = trimAddress(found[0]);
    const href = safeHref(address);
    return href ? [{ from: found.index, to: found.index + address.length, href }] : [];
  });
}

/**
 * @param {string} text
 * @returns {{ text: string, odd: boolean }[]} cut where a character has no shape of its own: `odd`,
 *   with its name instead
 */
export function pieces(text) {
  /** @type {{ text: string, odd: boolean }[]} */
  const out = [];
  let from = 0;
  for (const found of text.matchAll(ODD)) {
    if (found.index > from) out.push({ text: text.slice(from, found.index), odd: false });
    out.push({ text: nameOf(found[0]), odd: true });
    from = found.index + 1;
  }
  if (from < text.length) out.push({ text: text.slice(from), odd: false });
  return out;
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
 * A run of text in its place. `at`: offset in the text that ranges are of, -1 for what is not of it.
 * `part`: the class of an element of its own.
 * @typedef {Run & { at: number, part?: string }} PlacedRun
 */

/**
 * @param {Run[]} runs one after the other
 * @returns {PlacedRun[]}
 */
export function placed(runs) {
  let at = 0;
  return runs.map((run) => {
    const from = at;
    at += run.text.length;
    return { ...run, at: from };
  });
}

/**
 * @param {Run[]} runs
 * @param {number} from
 * @param {number} to offsets into their joined text
 * @returns {Run[]} what of them is between
 */
export function clip(runs, from, to) {
  return placed(runs).flatMap(({ at, text, style, href }) => {
    const part = text.slice(Math.max(0, from - at), Math.max(0, to - at));
    return part ? [{ text: part, style, href }] : [];
  });
}

/**
 * Cuts runs of text where ranges begin and end. `hit`: the index of the range it is in, -1 for none.
 * @template {{ text: string, at: number }} T
 * @param {T[]} runs in the order of their places
 * @param {readonly { from: number, to: number }[]} ranges in order, not overlapping
 * @returns {(T & { hit: number })[]}
 */
export function cutAtRanges(runs, ranges) {
  /** @type {(T & { hit: number })[]} */
  const out = [];
  let next = 0;
  for (const run of runs) {
    if (run.at < 0) {
      out.push({ ...run, hit: -1 });
      continue;
    }
    const end = run.at + run.text.length;
    for (let from = run.at; from < end;) {
      while (next < ranges.length && ranges[next].to <= from) next++;
      const range = ranges[next];
      const inside = range !== undefined && range.from <= from;
      const to = Math.min(end, range === undefined ? end : inside ? range.to : range.from);
      const text = run.text.slice(from - run.at, to - run.at);
      out.push({ ...run, text, at: from, hit: inside ? next : -1 });
      from = to;
    }
  }
  return out;
}

/**
 * Links of a text in runs: those that its escape sequences make, else the addresses in it, whole,
 * whatever colours and matches begin or end within.
 * @param {PlacedRun[]} runs
 * @returns {Link[]}
 */
export function linksOf(runs) {
  /** @type {Link[]} */
  const made = [];
  for (const { at, text, href } of runs) {
    if (href === null) continue;
    const last = made.at(-1);
    if (last?.href === href && last.to === at) last.to += text.length;
    else made.push({ from: at, to: at + text.length, href });
  }
  const found = addresses(runs.map((run) => run.text).join(""));
  const free = found.filter((one) => !made.some((two) => one.from < two.to && two.from < one.to));
  return [...made, ...free].sort((a, b) => a.from - b.from);
}

/**
 * Text with its colours, links, symbols and matches.
 * @param {HTMLElement} box
 * @param {PlacedRun[]} runs
 * @param {readonly (readonly number[])[]} ranges of matches, offsets into the text that the runs are of; the hue
 *   behind them of a mark
 * @param {Link[]} [links]
 */
export function drawRuns(box, runs, ranges, links = linksOf(runs)) {
  const marks = ranges.map(([from, to, hue = 0]) => ({ from, to, hue }));
  let open = -1;
  let inside = box;
  for (const { hit: linked, ...run } of cutAtRanges(runs, links)) {
    if (linked !== open) {
      open = linked;
      inside = linked < 0 ? box : anchor(links[linked].href);
      if (inside !== box) box.append(inside);
    }
    for (const { text, hit, style, part } of cutAtRanges([run], marks)) {
      const parent = hit >= 0 ? marked(marks[hit].hue) : style || part ? h("span", null) : inside;
      if (parent !== inside) inside.append(parent);
      if (part) parent.classList.add(part);
      if (style) applyStyle(parent, style);
      drawPieces(parent, text.replaceAll("\n", " ↵ "));
    }
  }
}

/** @param {number} hue 0: what is looked for */
function marked(hue) {
  return hue ? h("mark", { class: "marked", dataset: { hue: String(hue) } }) : h("mark", null);
}

/**
 * @param {HTMLElement} parent
 * @param {string} text
 */
function drawPieces(parent, text) {
  for (const piece of pieces(text)) {
    parent.append(piece.odd ? h("span", { class: "odd" }, piece.text) : piece.text);
  }
}

/** @param {string} href */
function anchor(href) {
  return h("a", {
    href,
    target: "_blank",
    rel: "noopener noreferrer",
    title: href,
    tabindex: "-1",
  });
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
