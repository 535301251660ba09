// The rows of a terminal as the lines that were printed: rows that one line was broken into are one
// text again, and a place in it is a cell of the screen. Pure.

/** @typedef {import("./xterm.js").IBufferLine} Row */
/**
 * `row`, `column`: of its first cell. `length`: cells, over the ends of rows as well.
 *
 * @typedef {{row: number, column: number, length: number}} Place
 */

const ROWS_AT_ONCE = 256; // put together before somebody else may have a turn

/** One printed line. */
export class PrintedLine {
  /** Rows it was broken into, from `top` on. @type {Row[]} */
  #rows;
  /** Where in the text each begins. @type {number[]} */
  #starts;

  /**
   * @param {number} top
   * @param {string} text
   * @param {Row[]} rows
   * @param {number[]} starts
   * @param {number} columns
   */
  constructor(top, text, rows, starts, columns) {
    this.top = top;
    this.text = text;
    this.#rows = rows;
    this.#starts = starts;
    this.columns = columns;
  }

  /** @param {number} from @param {number} to offsets in the text @returns {Place} */
  place(from, to) {
    const [row, column] = this.#cell(from);
    const [last, end] = this.#cell(to - 1);
    const wide = this.#rows[last].getCell(end)?.getWidth() ?? 1;
    const length = (last - row) * this.columns + end + Math.max(1, wide) - column;
    return { row: this.top + row, column, length };
  }

  /** The row (of the line) and the column in which a character stands. @param {number} at */
  #cell(at) {
    let row = 0;
    for (let past = this.#starts.length; past - row > 1;) {
      const middle = (row + past) >> 1;
      if (this.#starts[middle] <= at) row = middle;
      else past = middle;
    }
    const line = this.#rows[row];
    let left = at - this.#starts[row];
    let column = 0;
    // A cell may have several characters, and the second cell of a wide one has none.
    for (; column < line.length - 1; column++) {
      const cell = line.getCell(column);
      if (!cell || cell.getWidth() === 0) continue;
      left -= cell.getChars().length || 1;
      if (left < 0) break;
    }
    return [row, column];
  }
}

/**
 * From the last to the first: what was printed last is what one looks for first. Gives null where
 * somebody else may have a turn; the rows may move meanwhile, `row` has to follow them.
 *
 * @param {{count: number, columns: number, row: (y: number) => Row | undefined}} rows
 * @returns {Generator<PrintedLine | null>}
 */
export function* linesFromBelow({ count, columns, row }) {
  for (let bottom = count - 1; bottom >= 0;) {
    /** From the last one up. @type {Row[]} */
    const rows = [];
    for (let y = bottom; ; y--) {
      const one = row(y);
      if (!one) break;
      rows.push(one);
      if (!one.isWrapped) break;
      if (rows.length % ROWS_AT_ONCE === 0) yield null;
    }
    if (!rows.length) return;
    rows.reverse();
    const parts = [];
    const starts = [];
    let length = 0;
    for (let i = 0; i < rows.length; i++) {
      const part = textOf(rows[i], rows[i + 1]);
      starts.push(length);
      parts.push(part);
      length += part.length;
      if (i % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) yield null;
    }
    const top = bottom - rows.length + 1;
    yield new PrintedLine(top, parts.join(""), rows, starts, columns);
    bottom = top - 1;
  }
}

/** @param {Row} row @param {Row | undefined} next of the same line */
function textOf(row, next) {
  if (!next) return row.translateToString(true);
  const text = row.translateToString(false);
  // A wide character that had no room in the last cell has left it empty.
  const gap = row.getCell(row.length - 1)?.getChars() === "" && next.getCell(0)?.getWidth() === 2;
  return gap ? text.slice(0, -1) : text;
}
