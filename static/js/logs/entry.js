// An entry of the log: a line, a stack trace folded into its first line, an event, or a gap. Pure.

/** @typedef {import("../live/channels.js").Row} Row */
/** @typedef {import("./levels.js").Level} Level */
/** @typedef {{ id: number, app: string, time: string, kind: string, container: string, data: Record<string, unknown> }} LogEvent */
/** @typedef {{ from: number, to: number, reason: string, loading?: boolean }} Gap */

/**
 * @typedef {object} Entry
 * @property {number} id of this entry on this page
 * @property {"line" | "marker" | "event" | "gap"} kind
 * @property {number} seq of its first line; for an event, just after the line before it
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
