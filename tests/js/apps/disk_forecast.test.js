// How long a disk lasts, where that can be said.

import assert from "node:assert/strict";
import { test } from "node:test";

import { daysUntilFull } from "../../../static/js/apps/disk_forecast.js";

const GB = 1e9;
/** A day of one measurement each 10 min. */
const day = (bytes, count = 144) =>
  Array.from({ length: count }, (_, n) => [600 * n, bytes(n / 144)]);

test("a disk that fills by 10 GB a day and has 50 left is full in 5 days", () => {
  const days = daysUntilFull(
    day((at) => (40 + 10 * at) * GB),
    100 * GB,
  );
  assert.ok(Math.abs(days - 5) < 0.1, String(days));
});

test("gaps in what is known do no harm", () => {
  const used = day((at) => (at > 0.3 && at < 0.5 ? null : (40 + 10 * at) * GB));
  assert.ok(Math.abs(daysUntilFull(used, 100 * GB) - 5) < 0.1);
});

test("nothing is said of a disk that does not fill, or is emptied again and again", () => {
  assert.equal(
    daysUntilFull(
      day(() => 40 * GB),
      100 * GB,
    ),
    null,
  );
  assert.equal(
    daysUntilFull(
      day((at) => (40 - at) * GB),
      100 * GB,
    ),
    null,
  );
  assert.equal(
    daysUntilFull(
      day((at) => (40 + 20 * ((3 * at) % 1) + at) * GB),
      100 * GB,
    ),
    null,
  );
});

test("nothing is said after an hour, nor of what is a year ahead, nor of a full one", () => {
  assert.equal(
    daysUntilFull(
      day((at) => (40 + 10 * at) * GB, 7),
      100 * GB,
    ),
    null,
  );
  assert.equal(
    daysUntilFull(
      day((at) => (40 + 0.1 * at) * GB),
      100 * GB,
    ),
    null,
  );
  assert.equal(
    daysUntilFull(
      day((at) => (91 + 10 * at) * GB),
      100 * GB,
    ),
    null,
  );
});
