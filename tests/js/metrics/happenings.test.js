// What happened, gathered where markers would lie on each other.

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.location ??= { protocol: "http:", host: "localhost" };
globalThis.document ??= { hidden: false, addEventListener() {}, getElementById: () => null };
globalThis.addEventListener ??= () => {};
const { gathered } = await import("../../../static/js/metrics/happenings.js");

const happening = (id, moment, tone = "info") => ({
  event: { id },
  moment,
  tone,
  words: "",
  sign: "",
});

test("those that are close share a marker, which is as bad as the worst of them", () => {
  const markers = gathered(
    [happening(2, 104, "error"), happening(1, 100, "ok"), happening(3, 130, "warning")],
    5,
  );
  assert.deepEqual(
    markers.map(({ moment, last, tone, all }) => [
      moment,
      last,
      tone,
      all.map((one) => one.event.id),
    ]),
    [
      [100, 104, "error", [1, 2]],
      [130, 130, "warning", [3]],
    ],
  );
});

test("a row of them that goes on and on is several markers, each no wider than it looks", () => {
  const markers = gathered(
    Array.from({ length: 10 }, (_, n) => happening(n, 2 * n)),
    5,
  );
  assert.deepEqual(
    markers.map(({ moment }) => moment),
    [0, 6, 12, 18],
  );
});
