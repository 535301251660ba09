// What a chart shows of the series there are.

import assert from "node:assert/strict";
import { test } from "node:test";

import { isOwn, ownChart, SECTIONS } from "../../../static/js/metrics/catalogue.js";
import { heightOf, plotOf } from "../../../static/js/metrics/plot.js";

const charts = SECTIONS.flatMap((section) => section.charts);
const chart = (id) => charts.find((one) => one.id === id);
const series = (name, labels, ...values) => ({
  name,
  unit: "bytes",
  labels,
  width: 10,
  points: values.map((value, n) => [10 * n, value, value, value]),
});
const how = (each = false) => ({ each, nameOf: (container) => `web-${container}` });
const labels = ({ lines }) => lines.map((line) => line.label);

test("an app is one line, with its limit and its peak; its instances are not among them", () => {
  const its = [
    series("memory", {}, 1, 2),
    series("memory", { container: "a" }, 1, 1),
    series("memory.limit", {}, 8, 8),
  ];
  const plot = plotOf(chart("memory"), its, how());
  assert.deepEqual(labels(plot), ["in use", "limit"]);
  assert.deepEqual(plot.lines[1].kind, "limit");
  assert.deepEqual(labels(plotOf(chart("memory"), its, how(true))), ["web-a"]);
});

test("of what an app measures each minute itself the last value is said until the next is due", () => {
  const own = series("orders", {}, 1, null, null, 2, null, null, 3, null, null, 4);
  const [line] = plotOf(ownChart("orders", "1/s"), [own], how()).lines;
  assert.deepEqual(line.values, [1, 2, 3, 4]);
  assert.equal(line.reach, 55);
  const [cpu] = plotOf(
    chart("cpu"),
    [series("cpu", {}, 1, null, 2, null, 3, null, 4)],
    how(),
  ).lines;
  assert.deepEqual([cpu.values.length, cpu.reach], [7, 20]);
});

test("where there are no series of instances, the app's are shown", () => {
  assert.deepEqual(labels(plotOf(chart("cpu"), [series("cpu", {}, 1)], how(true))), ["in use"]);
});

test("what fills the memory lies on top of each other, and each part keeps its own number", () => {
  const its = [
    series("memory.anon", {}, 10, 10),
    series("memory.shared", {}, 1, null),
    series("memory.file", {}, 5, 5),
  ];
  const { lines } = plotOf(chart("memory-parts"), its, how());
  assert.deepEqual(
    lines.map((line) => line.values),
    [
      [10, 10],
      [11, null],
      [16, null],
    ],
  );
  assert.deepEqual(lines[2].own, [5, 5]);
});

test("of one's own metrics the eight largest series are shown, and how many more there are", () => {
  const its = Array.from({ length: 11 }, (_, n) => series("queue", { queue: `q${n}` }, n));
  const plot = plotOf(ownChart("queue", "1"), its, how());
  assert.equal(plot.lines.length, 8);
  assert.equal(plot.lines[0].label, "queue=q10");
  assert.equal(plot.left, 3);
  assert.equal(isOwn("queue"), true);
  assert.equal(isOwn("memory.peak"), false);
  assert.equal(isOwn("oom_kills"), false);
});

test("of one's own metrics each instance is a line by its name, summed or not", () => {
  const its = ["a", "b"].map((container) => series("queue", { container, to: "x" }, 1));
  for (const each of [false, true]) {
    assert.deepEqual(labels(plotOf(ownChart("queue", "1"), its, how(each))), [
      "web-a to=x",
      "web-b to=x",
    ]);
  }
});

test("a limit that is far above does not press the line flat; one that is near is seen", () => {
  const far = [series("cpu", {}, 0.1), series("cpu.limit", {}, 4)];
  const near = [series("cpu", {}, 2), series("cpu.limit", {}, 4)];
  const height = (its) => heightOf(plotOf(chart("cpu"), its, how()).lines).most;
  assert.ok(height(far) < 0.2);
  assert.ok(height(near) > 4);
});
