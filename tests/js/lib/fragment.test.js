// What stands after the # of an address.

import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeFragment } from "../../../static/js/lib/fragment.js";

test("a fragment is decoded, and one that cannot be is taken as it is", () => {
  assert.equal(decodeFragment(""), "");
  assert.equal(decodeFragment("#a%20key"), "a key");
  assert.equal(decodeFragment("#%"), "%");
  assert.equal(decodeFragment("#%ff"), "%ff");
});
