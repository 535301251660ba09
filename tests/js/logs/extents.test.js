// Which lines belong together, as it is told in parts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { entriesOf, Extents, withLevels } from "../../../static/js/logs/extents.js";

const A = "aaaaaaaaaaaa";

/** @typedef {import("../../../static/js/logs/extents.js").Row} Row */
/** @type {(seq: number, container?: string) => Row} */
const row = (seq, container = A) => [seq, "", container, "stdout", "x"];

test("what is told later of the same entry is longer, and what is shorter is not believed", () => {
  const extents = new Extents();
  extents.add([[5, 7, "error", A, "stdout"]]);
  extents.add([[5, 9, "error", A, "stdout"]]);
  extents.add([[5, 6, "error", A, "stdout"]]);
  assert.equal(extents.of(row(9))?.[0], 5);
  assert.equal(extents.of(row(10)), null);
  assert.equal(extents.of(row(4)), null);
  assert.equal(extents.of(row(7, "bbbbbbbbbbbb")), null);
});

test("who read from the middle of an entry on knew a part of it", () => {
  for (const order of [0, 1]) {
    const extents = new Extents();
    /** @type {import("../../../static/js/logs/extents.js").Extent[]} */
    const both = [
      [8, 12, "error", A, "stdout"],
      [5, 10, "warning", A, "stdout"],
    ];
    if (order) both.reverse();
    for (const one of both) extents.add([one]);
    assert.equal(extents.of(row(6))?.[0], 5);
    assert.ok(extents.of(row(12)));
  }
});

test("lines are put together with what others write between", () => {
  const extents = new Extents();
  extents.add([[1, 4, "error", A, "stdout"]]);
  const rows = [row(1), row(2, "bbbbbbbbbbbb"), row(3), row(4)];
  withLevels(rows, ["error", "info", null, null]);
  assert.deepEqual(
    entriesOf(rows, extents).map(([its, level]) => [its.map((one) => one[0]), level]),
    [
      [[1, 3, 4], "error"],
      [[2], "info"],
    ],
  );
});
