// How much over time: what the server counted, and what comes live.

import assert from "node:assert/strict";
import { test } from "node:test";

import { TimeCounts } from "../../../static/js/logs/time_counts.js";

const START = Date.parse("2026-11-29T10:00:00Z");
const at = (/** @type {number} */ seconds) =>
  new Date(START + seconds * 1_000).toISOString().replace("Z", "000000Z");
const counts = (/** @type {[number, { count: number }][]} */ bars) =>
  bars.map(([n, bar]) => [n, bar.count]);

test("what the server counted and what came live stand together", () => {
  const made = new TimeCounts();
  made.begin({ start: START, width: 1_000, bins: 3 });
  made.set([
    [0, 5, 1, null],
    [2, 1, null, null],
  ]);
  assert.deepEqual(made.bars(), {
    anew: true,
    bars: [
      [0, { count: 5, errors: 1, warnings: null }],
      [1, { count: 0, errors: null, warnings: null }],
      [2, { count: 1, errors: null, warnings: null }],
    ],
  });
  assert.equal(made.add(at(2), "error", START), true);
  made.add(at(4), "warning", START);
  made.add(at(4), null, START, 7);
  // What the server tells later of a bin is all that it has counted there.
  made.set([[2, 4, 0, 0]]);
  assert.deepEqual(made.bars(), {
    anew: false,
    bars: [
      [2, { count: 5, errors: 1, warnings: 0 }],
      [4, { count: 8, errors: 0, warnings: 1 }],
    ],
  });
  assert.equal(made.axis.bins, 5);
  assert.deepEqual(made.bars().bars, []);
});

test("as time goes on bars become wider, and nothing is lost", () => {
  const made = new TimeCounts();
  made.begin({ start: START, width: 1_000, bins: 1 });
  made.set([[0, 100, 0, 0]]);
  for (let second = 0; second < 400; second++) assert.ok(made.add(at(second), null, START));
  const { anew, bars } = made.bars();
  assert.ok(anew);
  assert.deepEqual(made.axis, { start: START, width: 5_000, bins: 80 });
  assert.deepEqual(counts(bars).slice(0, 2), [
    [0, 105],
    [1, 5],
  ]);
  assert.equal(
    bars.reduce((sum, [, { count }]) => sum + count, 0),
    500,
  );
});

test("times before it, ahead of every clock, or of none", () => {
  const made = new TimeCounts();
  made.begin({ start: START, width: 60_000, bins: 1 });
  assert.ok(made.add(at(-500), null, START));
  assert.ok(made.add("nonsense", null, START));
  assert.ok(made.add(at(86_400 * 365), null, START));
  assert.equal(made.axis.bins, 61); // an hour
  made.begin({ start: START, width: 1_000, bins: 1 });
  assert.equal(made.add(at(3_000), null, START + 3_000_000), false);
});
