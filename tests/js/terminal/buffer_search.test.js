// What is found in a terminal, and in how many steps: as many as there are rows, however long a line.

import assert from "node:assert/strict";
import { test } from "node:test";

import { linesFromBelow } from "../../../static/js/terminal/buffer_lines.js";
import { matcherOf } from "../../../static/js/terminal/text_matcher.js";

const WIDE = /[\u1100-\uffdc]/;

/**
 * Rows of `columns` cells, as a terminal breaks texts into them; an array is the cells of one row.
 *
 * @param {string[]} texts
 * @param {number} columns
 */
function rowsOf(texts, columns) {
  const all = [];
  for (const text of texts) {
    /** @type {{chars: string, width: number}[][]} */
    let rows = [[]];
    for (const chars of text.match(/\P{M}\p{M}*/gu) ?? []) {
      const width = WIDE.test(chars) ? 2 : 1;
      if (rows.at(-1).length + width > columns) rows.push([]);
      rows.at(-1).push({ chars, width });
      if (width === 2) rows.at(-1).push({ chars: "", width: 0 });
    }
    rows.forEach((cells, i) => {
      const gap = { chars: "", width: 1 };
      const cell = (x) => cells[x] ?? gap;
      const full = Array.from({ length: columns }, (_, x) => cell(x));
      const shown = (some) => some.map(({ chars, width }) => (width ? chars || " " : "")).join("");
      all.push({
        isWrapped: i > 0,
        length: columns,
        translateToString: (trim) => shown(trim ? cells : full),
        getCell: (x) => ({ getChars: () => full[x].chars, getWidth: () => full[x].width }),
      });
    });
  }
  return all;
}

/** @param {string[]} texts @param {string} query @param {object} how @param {number} columns */
function found(texts, query, how = {}, columns = 10) {
  const rows = rowsOf(texts, columns);
  let asked = 0;
  const row = (y) => ((asked += 1), rows[y]);
  const places = [];
  let steps = 0;
  for (const line of linesFromBelow({ count: rows.length, columns, row })) {
    steps += 1;
    if (!line) continue;
    for (const range of matcherOf(query, how)(line.text)) {
      steps += 1;
      if (range) places.push(line.place(...range));
    }
  }
  return { places, asked, steps, rows: rows.length };
}

test("the newest comes first, over the ends of rows, in cells", () => {
  assert.deepEqual(found(["needle", "", "12345678needle", "no"], "NEEDLE").places, [
    { row: 2, column: 8, length: 6 },
    { row: 0, column: 0, length: 6 },
  ]);
  assert.deepEqual(found(["aXbX"], "X", { caseSensitive: true }).places, [
    { row: 0, column: 3, length: 1 },
    { row: 0, column: 1, length: 1 },
  ]);
  assert.deepEqual(found(["aXbX"], "x", { caseSensitive: true }).places, []);
});

test("wide characters take two cells, also where one had no room at the end of a row", () => {
  assert.deepEqual(found(["a中文字b"], "文字").places, [{ row: 0, column: 3, length: 4 }]);
  assert.deepEqual(found(["123456789中文"], "9中文").places, [{ row: 0, column: 8, length: 6 }]);
  assert.deepEqual(found(["123456789中文"], "中").places, [{ row: 1, column: 0, length: 2 }]);
});

test("a letter with its accent is found however either of them is written", () => {
  for (const printed of ["cafe\u0301!", "caf\u00e9!"]) {
    for (const asked of ["cafe\u0301", "caf\u00e9"]) {
      assert.deepEqual(found([printed], asked).places, [{ row: 0, column: 0, length: 4 }]);
    }
  }
});

test("an expression, from the end, with what stands around it", () => {
  const columns = (query, text) =>
    found([text], query, { regex: true }, 80).places.map(({ column, length }) => [column, length]);
  assert.deepEqual(columns("\\bab+", "ab cab abb"), [
    [7, 3],
    [0, 2],
  ]);
  assert.deepEqual(columns("^a|a$", "aba"), [
    [2, 1],
    [0, 1],
  ]);
  assert.throws(() => matcherOf("(", { regex: true }));
});

test("a line of most of a megabyte is looked through in as many steps as it has rows", () => {
  const long = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo0".repeat(20_000);
  const texts = ["needle above", long, "needle"];
  const { places, asked, steps, rows } = found(texts, "needle", {}, 80);
  assert.deepEqual(
    places.map(({ row }) => row),
    [rows - 1, 0],
  );
  assert.ok(asked <= 2 * rows, `${asked} looks at ${rows} rows`);
  assert.ok(steps < rows);
  // An expression that everything matches, one at which others go back and forth, and one edge of a
  // window: nothing begins there that does not begin in the line.
  assert.ok(found([long], ".*", { regex: true }, 80).places.length);
  assert.deepEqual(found([long], "(Q+U*)+$x", { regex: true }, 80).places, []);
  assert.deepEqual(found([long], "^U|Q$", { regex: true }, 80).places, []);
  const [{ row, column }] = found([`${long}!`], "[0x]!", { regex: true }, 80).places;
  assert.equal(row * 80 + column, long.length - 1);
});
