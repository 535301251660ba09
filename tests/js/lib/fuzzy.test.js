// Finding by letters.

import assert from "node:assert/strict";
import { test } from "node:test";

import { fuzzy } from "../../../static/js/lib/fuzzy.js";

test("jumping finds letters in order, whole runs and starts of words first", () => {
  assert.deepEqual(fuzzy("web", "shop.web")?.at, [5, 6, 7]);
  assert.deepEqual(fuzzy("sw", "shop.web")?.at, [0, 5]);
  assert.equal(fuzzy("wbs", "shop.web"), null);
  const score = (text) => fuzzy("web", text)?.score ?? -Infinity;
  assert.ok(score("web") > score("cobweb"));
  assert.ok(score("shop.web") > score("window-edge-box"));
});
