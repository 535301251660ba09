// Texts and times in the reader's language.

import assert from "node:assert/strict";
import { test } from "node:test";

import { fill, formatRelative, toDate } from "../../../static/js/lib/i18n.js";

test("texts are filled by name, times are read with nanoseconds and told apart", () => {
  assert.equal(fill("{n} of {all}", { n: 1, all: "x" }), "1 of x");
  assert.equal(fill("{unknown}", {}), "{unknown}");
  const time = "2026-01-01T00:00:00.123456789Z";
  assert.equal(toDate(time).getTime(), Date.UTC(2026, 0, 1, 0, 0, 0, 123));
  assert.equal(formatRelative(time, Date.UTC(2026, 0, 1, 0, 0, 5)), "just now");
  assert.match(formatRelative(time, Date.UTC(2026, 0, 1, 3, 0, 5)), /3/);
});
