// Traffic as series, and how dark a place of the map is.

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.location ??= { protocol: "http:", host: "localhost" };
globalThis.document ??= {
  hidden: false,
  addEventListener() {},
  createElement: () => ({}),
  documentElement: null,
};
globalThis.addEventListener ??= () => {};
globalThis.matchMedia ??= () => ({ addEventListener() {} });
globalThis.MutationObserver ??= class {
  observe() {}
};
const { seriesOf } = await import("../../../static/js/metrics/traffic_source.js");
const { darkness } = await import("../../../static/js/metrics/heat_map.js");

test("counts become rates, and what was not read yet is a gap in all of them", () => {
  const series = seriesOf({
    width: 10,
    read: 130,
    columns: [
      [100, 50, 5, 0.01, 0.1, 0.5],
      [110, 0, 0, null, null, null],
      [120, null, null, null, null, null],
    ],
  });
  const of = (name, quantile) =>
    series
      .find((one) => one.name === name && one.labels.quantile === quantile)
      .points.map((point) => point[2]);
  assert.deepEqual(of("http.requests"), [5, 0, null]);
  assert.deepEqual(of("http.errors"), [0.5, 0, null]);
  assert.deepEqual(of("http.latency", "0.95"), [0.1, null, null]);
});

test("a column that is not full yet is no dip", () => {
  const columns = [
    [100, 50, 5, 0.01, 0.1, 0.5],
    [110, 20, 0, 0.01, 0.1, 0.5],
    [120, 3, 0, 0.01, 0.1, 0.5],
  ];
  const of = (read) => seriesOf({ width: 10, read, columns })[0].points.map((point) => point[2]);
  assert.deepEqual(of(114).slice(0, 2), [5, 5]);
  assert.equal(of(120.5)[2], null); // half a second tells nothing
});

test("one slow answer among thousands is seen", () => {
  assert.equal(darkness(0, 9_000), 0);
  assert.ok(darkness(1, 9_000) > 0.15);
  assert.equal(darkness(9_000, 9_000), 1);
});
