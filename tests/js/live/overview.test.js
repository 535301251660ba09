// How all apps do now, and the small pictures that go on by themselves.

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.location ??= { protocol: "http:", host: "localhost" };
globalThis.document ??= { hidden: false, addEventListener() {} };
globalThis.addEventListener ??= () => {};
const { Overview, unpack } = await import("../../../static/js/live/overview.js");

const packed = (...values) => {
  const bytes = Buffer.alloc(2 * values.length);
  values.forEach((value, n) => bytes.writeInt16LE(value, 2 * n));
  return bytes.toString("base64");
};
const begin = (values) => ({
  time: 1000,
  columns: ["cpu", "memory"],
  apps: { web: [0.5, 4096] },
  sparks: {
    web: [
      [0.01, packed(...new Array(29).fill(10), 50)],
      [4096, packed(...new Array(30).fill(1))],
    ],
  },
  node: [
    ["cpu", {}, 1.5],
    ["disk.used", { path: "/data" }, 7],
  ],
  node_sparks: [
    [0.1, packed(...new Array(30).fill(15))],
    [1, packed(...new Array(30).fill(-1))],
  ],
  trouble: null,
  ...values,
});
const latest = (time, apps = {}) => ({ time, apps, node: [["cpu", {}, 1]], trouble: null });

test("what is packed is whole numbers of a scale, and -1 was not measured", () => {
  assert.deepEqual(unpack([0.5, packed(0, 3, -1, 32_767)]), [0, 1.5, null, 16_383.5]);
});

test("values are the last that were said; the picture goes on each 10 s with their mean", () => {
  const overview = new Overview();
  overview.begin(begin());
  const web = overview.apps.get("web");
  assert.equal(web.cpu.now, 0.5);
  assert.equal(web.cpu.spark.at(-1), 0.5);
  overview.take(latest(1001, { web: [1, 4096] }));
  overview.take(latest(1002)); // unchanged: it is not named
  overview.take(latest(1003, { web: [4, 4096] }));
  assert.deepEqual([web.cpu.now, web.cpu.spark.length, web.cpu.spark.at(-1)], [4, 30, 0.5]);
  overview.take(latest(1010));
  assert.deepEqual([web.cpu.spark.length, web.cpu.spark.at(-1)], [30, 2]);
});

test("an app that does not run any more is gone, and a new one begins with nothing", () => {
  const overview = new Overview();
  overview.begin(begin());
  overview.take(latest(1001, { web: null, cron: [null, 8192] }));
  assert.deepEqual([...overview.apps.keys()], ["cron"]);
  assert.deepEqual(overview.apps.get("cron").cpu.spark, new Array(30).fill(null));
  assert.equal(overview.node.get("disk.used /data"), 7);
});

test("a minute without a word is a gap in the picture, not a line over it", () => {
  const overview = new Overview();
  overview.begin(begin());
  overview.take(latest(1001));
  overview.take(latest(1062));
  const { spark } = overview.apps.get("web").cpu;
  assert.deepEqual(spark.slice(-6), [0.5, null, null, null, null, null]);
});
