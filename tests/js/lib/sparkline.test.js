// The points of a small line.

import assert from "node:assert/strict";
import { test } from "node:test";

import { points } from "../../../static/js/lib/sparkline.js";

test("a minute of rates ends at the right edge, its highest at the top", () => {
  assert.equal(points([0, 10], 59, 16), "58.0,15.0 59.0,1.0");
  assert.equal(points([0], 59, 16), "59.0,15.0");
});
