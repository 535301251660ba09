// Which lines belong together, as the server says it: an entry of several lines is all lines of one
// container and stream from its first to its last. It may grow, and is never taken back. Pure.

/** @typedef {import("../live/channels.js").Row} Row */
/** @typedef {import("../types/api.js").Extent} Extent */

const AT_MOST = 40_000; // entries of several lines; beyond, those farthest from the newest go

export class Extents {
  /** By container and stream, in the order of their first lines. @type {Map<string, Extent[]>} */
  #streams = new Map();
  #count = 0;

  /** @param {readonly Extent[]} extents */
  add(extents) {
    for (const extent of extents) this.#add(extent);
    if (this.#count > AT_MOST) this.#forget();
  }

  /** @param {Extent} extent */
  #add(extent) {
    const key = extent[3] + extent[4];
    let known = this.#streams.get(key);
    if (!known) this.#streams.set(key, (known = []));
    const at = after(known, extent[0]);
    const same = known[at - 1];
    if (same?.[0] === extent[0]) {
      // What is told later may have been read from further on: what is longer knows more.
      if (extent[1] >= same[1]) known[at - 1] = extent;
      return;
    }
    // Who read from its middle on took a part of it for the whole.
    let stop = at;
    while (stop < known.length && known[stop][1] <= extent[1]) stop++;
    const within = same !== undefined && same[1] >= extent[0];
    if (within) {
      if (extent[1] > same[1]) known[at - 1] = [same[0], extent[1], same[2], same[3], same[4]];
      return;
    }
    known.splice(at, stop - at, extent);
    this.#count += 1 - (stop - at);
  }

  /**
   * The entry of several lines that a line is in.
   * @param {Row} row
   * @returns {Extent | null}
   */
  of(row) {
    const known = this.#streams.get(row[2] + row[3]);
    if (!known) return null;
    const found = known[after(known, row[0]) - 1];
    return found && found[1] >= row[0] ? found : null;
  }

  #forget() {
    for (const [key, known] of this.#streams) {
      const rest = known.slice(Math.ceil(known.length / 2));
      this.#count -= known.length - rest.length;
      this.#streams.set(key, rest);
    }
  }

  /** The log starts over. */
  clear() {
    this.#streams.clear();
    this.#count = 0;
  }
}

/**
 * How many begin at this seq or before it.
 * @param {Extent[]} known
 * @param {number} seq
 */
function after(known, seq) {
  let low = 0;
  let high = known.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (known[middle][0] <= seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The entries of lines, each with its level, in the order of their first lines.
 * @param {Row[]} rows
 * @param {Extents} extents
 * @returns {[Row[], import("./levels.js").Level | null][]}
 */
export function entriesOf(rows, extents) {
  /** @type {[Row[], import("./levels.js").Level | null][]} */
  const found = [];
  /** @type {Map<import("../types/api.js").Extent, Row[]>} */
  const open = new Map();
  for (const row of rows) {
    const extent = extents.of(row);
    const its = extent && open.get(extent);
    if (its) its.push(row);
    else {
      const lines = [row];
      if (extent) open.set(extent, lines);
      found.push([lines, (extent ? extent[2] : row[5]) ?? null]);
    }
  }
  return found;
}

/**
 * Puts beside each line what the server says of it: its level becomes a part of the row.
 * @param {Row[]} rows
 * @param {readonly (import("./levels.js").Level | null)[] | undefined} levels
 */
export function withLevels(rows, levels) {
  if (levels) for (let i = 0; i < rows.length; i++) rows[i][5] = levels[i] ?? null;
  return rows;
}
