// Names that begin alike are told apart where there is little room.

import assert from "node:assert/strict";
import { test } from "node:test";

import { shortName } from "../../../static/js/lib/cut_name.js";

test("of a long name the end is kept, and a little of its beginning", () => {
  assert.equal(shortName("shop-checkout-service-1", 14), "shop…service-1");
  assert.equal(shortName("shop-checkout-service-2", 14), "shop…service-2");
});

test("what fits is left as it is", () => {
  assert.equal(shortName("shop-web-1", 14), "shop-web-1");
  assert.equal(shortName("fourteen-chars", 14), "fourteen-chars");
});
