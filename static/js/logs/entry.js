// An entry of the log: a line with what belongs to it, an event, or a gap. Pure.

import { plainText, readJson } from "./seen_text.js";

/** @typedef {import("../live/channels.js").Row} Row */
/** @typedef {import("./levels.js").Level} Level */
/** @typedef {import("../types/api.js").Event} LogEvent */
/** @typedef {{ from: number, to: number, reason: string, loading?: boolean }} Gap */

/**
 * @typedef {object} Entry
 * @property {number} id of this entry on this page
 * @property {"line" | "marker" | "event" | "gap"} kind
 * @property {number} first seq at which it begins; its first lines need not be here. 0: it is one line
 * @property {number} seq of its first line that is here; for an event, just after the line before it
 * @property {string} time
 * @property {Row | null} row its first line
 * @property {Row[] | null} more the lines folded under it
 * @property {Level | null} level
 * @property {LogEvent | null} event
 * @property {Gap | null} gap
 * @property {boolean} hit what is searched for is in it
 * @property {boolean} open the reader has opened it
 * @property {number} height in px, 0 while unknown
 * @property {number} version grows when it must be drawn anew
 * @property {import("./repeats.js").Run | null} run the entries that it is one of
 * @property {boolean} folded it has no row: that of its run stands for it
 * @property {number} key what tells it from others, as repeats.js makes it, and `keyed` of what
 * @property {number} keyed
 */

let lastId = 0;

/**
 * A new entry; what is not given is empty.
 * @param {Partial<Entry>} fields
 * @returns {Entry}
 */
export function entry(fields) {
  return {
    id: ++lastId,
    kind: "line",
    first: 0,
    seq: 0,
    time: "",
    row: null,
    more: null,
    level: null,
    event: null,
    gap: null,
    hit: false,
    open: false,
    height: 0,
    version: 0,
    run: null,
    folded: false,
    key: 0,
    keyed: 0,
    ...fields,
  };
}

/**
 * @param {Entry} e
 * @returns {number} the seq of its last line
 */
export function lastSeq(e) {
  return e.gap ? e.gap.to : e.more ? e.more[e.more.length - 1][0] : e.seq;
}

/**
 * Characters of text it holds.
 * @param {Entry} e
 */
export function chars(e) {
  let n = e.row ? e.row[4].length : 0;
  if (e.more) for (const row of e.more) n += row[4].length;
  return n;
}

/**
 * Lines it holds: none for an event or a gap.
 * @param {Entry} e
 */
export function count(e) {
  return e.row ? 1 + (e.more?.length ?? 0) : 0;
}

/**
 * What is copied of an entry: its text as it is seen, JSON as it was written.
 * @param {Entry} entry
 */
export function textOf(entry) {
  if (!entry.row) return "";
  return [entry.row, ...(entry.more ?? [])].map((row) => plainText(row[4])).join("\n");
}

/** @type {WeakMap<Entry, { lines: number, row: Row }>} */
const joined = new WeakMap();
const OBJECT_LINES = 5_000;

/**
 * What an entry is drawn of: its first line; of an object of JSON that stands over several lines all of
 * them, as if they were one.
 * @param {Entry} entry
 * @returns {Row}
 */
export function wholeRow(entry) {
  const row = /** @type {Row} */ (entry.row);
  const lines = entry.more?.length ?? 0;
  if (!lines || lines > OBJECT_LINES || !/\{\s*$/.test(row[4])) return row;
  const known = joined.get(entry);
  if (known?.lines === lines) return known.row;
  const text = textOf(entry);
  const whole = readJson(text) ? row.with(4, text) : row;
  joined.set(entry, { lines, row: /** @type {Row} */ (/** @type {unknown} */ (whole)) });
  return /** @type {Row} */ (/** @type {unknown} */ (whole));
}

/**
 * The lines whose fields are an entry's: its first, and of such an object all.
 * @param {Entry} entry
 * @returns {Row[]}
 */
export function fieldRows(entry) {
  const { row, more } = entry;
  if (!row) return [];
  return wholeRow(entry) === row ? [row] : [row, ...(more ?? [])];
}

/** What is shown of it has changed. @param {Entry} e */
export function redraw(e) {
  e.version++;
}

/**
 * @param {Entry} e
 * @param {boolean} open
 */
export function setOpen(e, open) {
  e.open = open;
  e.height = 0;
  redraw(e);
}

/**
 * Whether the line with this seq is in this entry.
 * @param {Entry} entry
 * @param {number} seq
 */
export function holds(entry, seq) {
  return (
    entry.row !== null &&
    (entry.seq === seq || (entry.more?.some((row) => row[0] === seq) ?? false))
  );
}
