// Series side by side: gaps stay gaps, and what is not due is none.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  columns,
  LiveSeries,
  nearest,
  newestOf,
  spaced,
  stacked,
  valueAt,
  withGaps,
} from "../../../static/js/metrics/columns.js";

const series = (width, ...points) => ({ name: "cpu", unit: "cores", labels: {}, width, points });
const at = (time, value) => [time, value, value, value];

test("what was not measured is null, and stays null beside others", () => {
  const { times, mean } = columns([
    series(10, at(0, 1), at(10, null), at(20, 3)),
    series(10, at(0, 4), at(10, 5), at(20, 6)),
  ]);
  assert.deepEqual(times, [0, 10, 20]);
  assert.deepEqual(mean, [
    [1, null, 3],
    [4, 5, 6],
  ]);
});

test("of what is measured each 5 s nothing is due in between, which is no gap", () => {
  const fast = Array.from({ length: 11 }, (_, n) => at(n, n));
  const { mean } = columns([series(1, ...fast), series(5, at(0, 7), at(5, 8), at(10, 9))]);
  assert.deepEqual(mean[1].slice(0, 6), [7, undefined, undefined, undefined, undefined, 8]);
  assert.equal(mean[1].includes(null), false);
});

test("where nothing came for longer than two widths there is a null, not a line", () => {
  assert.deepEqual(withGaps([at(0, 1), at(2, 2), at(3, 3), at(9, 4)], 1), [
    at(0, 1),
    at(2, 2),
    at(3, 3),
    at(4, null),
    at(9, 4),
  ]);
  assert.equal(columns([series(1, at(0, 1), at(60, 2))]).mean[0].length, 3);
});

test("what is sent once a minute is a line between its minutes, and a gap where one is missing", () => {
  const points = Array.from({ length: 60 }, (_, n) => at(n * 10, n % 6 ? null : n));
  points[30] = at(300, null); // the sixth minute
  const one = spaced(series(10, ...points));
  assert.deepEqual(
    one.points.map(([time]) => time),
    [0, 60, 120, 180, 240, 360, 420, 480, 540],
  );
  const { times, mean } = columns([one]);
  assert.deepEqual(
    times.filter((_, n) => mean[0][n] === null),
    [250],
  );
});

test("how often something comes may vary a little, as a timer's does", () => {
  const one = spaced(series(10, ...[0, 50, 120, 180, 230, 300].map((time) => at(time, 1))));
  assert.equal(columns([one]).mean[0].includes(null), false);
});

test("a gap in what comes with every point stays one, and of two points nobody knows", () => {
  const often = series(10, at(0, 1), at(10, 1), at(20, null), at(30, 1), at(40, 1));
  assert.equal(spaced(often), often);
  const two = series(10, at(0, 1), at(10, null), at(600, 1));
  assert.equal(spaced(two), two);
});

test("a stack has no sum where one of its parts was not measured", () => {
  assert.deepEqual(
    stacked([
      [1, 1, null, undefined],
      [2, null, 2, 2],
      [3, 3, 3, 3],
    ]),
    [
      [1, 1, null, undefined],
      [3, null, null, undefined],
      [6, null, null, undefined],
    ],
  );
});

test("live: history, then each second; what is too old goes, and what is new is taken in", () => {
  const live = new LiveSeries(10);
  const cpu = { name: "cpu", unit: "cores", labels: {}, step: 1, end: 100, values: [1, null, 3] };
  live.begin([cpu], 100);
  live.add(
    [
      ["cpu", {}, 4],
      ["orders", { shop: "a" }, 7],
    ],
    101,
    () => ({ unit: "1/s", step: 10 }),
  );
  live.add([["cpu", {}, 9]], 101, () => ({ unit: "", step: 1 })); // said twice: counted once
  assert.deepEqual(
    [...live.all.values()].map((one) => [one.name, one.unit, one.points.map((point) => point[2])]),
    [
      ["cpu", "cores", [1, null, 3, 4]],
      ["orders", "1/s", [7]],
    ],
  );
  live.add([["cpu", {}, 5]], 109, () => ({ unit: "", step: 1 }));
  assert.deepEqual(
    live.all.get("cpu").points.map((point) => point[0]),
    [100, 101, 109],
  );
  live.add([], 130, () => ({ unit: "", step: 1 }));
  assert.equal(live.all.size, 0);
});

test("the nearest moment, and the last value of what is measured seldom", () => {
  assert.equal(nearest([0, 10, 20], 14), 1);
  assert.equal(nearest([0, 10, 20], 16), 2);
  assert.equal(nearest([0, 10, 20], -5), 0);
  assert.equal(nearest([0, 10, 20], 99), 2);
  assert.equal(nearest([], 1), -1);
  const times = [0, 1, 2, 3, 4, 5, 6];
  const seldom = [7, undefined, undefined, undefined, undefined, null, undefined];
  assert.equal(valueAt(times, seldom, 3, 5), 7);
  assert.equal(valueAt(times, seldom, 6, 5), null);
  assert.equal(valueAt(times, seldom, 4, 2), null);
});

test("the newest value is one that may come late, and none of long ago", () => {
  const times = [0, 10, 20, 30];
  assert.equal(newestOf(times, [1, 2, null, undefined], 20), 2);
  assert.equal(newestOf(times, [1, 2, null, null], 15), null);
  assert.equal(newestOf(times, [1, 2, 3, 0], 15), 0);
  assert.equal(newestOf([], [], 15), null);
});
