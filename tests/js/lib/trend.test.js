// Five minutes of a number as a small line.

import assert from "node:assert/strict";
import { test } from "node:test";

import { trendPath } from "../../../static/js/lib/trend.js";

test("where it was not measured there is no line, and a single value is a dot", () => {
  assert.equal(trendPath([1, 1, null, 2]), "M0.0 8.0L19.3 8.0M58.0 1.0h.1");
  assert.equal(trendPath([null, null]), "");
});

test("next to nothing is not drawn large", () => {
  assert.equal(trendPath([0, 0.001], 1), "M0.0 15.0L58.0 15.0");
});
