// Which two releases are compared before anybody has chosen.

import assert from "node:assert/strict";
import { test } from "node:test";

import { chooseReleases } from "../../../static/js/deployments/compared.js";

const NOBODY = { from: null, to: null };

test("what serves is compared with what served before, and never with itself", () => {
  const cases = [
    // numbers, serving, before, chosen
    [[3, 2, 1], 3, 2, [2, 3]],
    [[3, 2, 1], 3, 1, [1, 3]], // release 2 never served
    [[2, 1], 1, 2, [2, 1]], // somebody went back
    [[3, 2, 1], 1, null, [1, 3]], // what followed has failed: it is what is new
    [[2, 1], 1, null, [1, 2]],
    [[3, 2, 1], 2, null, [1, 2]],
    [[3, 2, 1], 3, 3, [2, 3]], // the same once more
    [[3, 2], 3, 1, [2, 3]], // the one before is not known any more
    [[3, 2, 1], null, null, [2, 3]],
    [[1], 1, null, [1, 1]],
  ];
  for (const [numbers, serving, before, [from, to]] of cases) {
    assert.deepEqual(chooseReleases(numbers, serving, before, NOBODY), { from, to });
  }
  assert.deepEqual(chooseReleases([], null, null, NOBODY), NOBODY);
});

test("what somebody chose is kept, as long as there is such a release", () => {
  const all = [3, 2, 1];
  assert.deepEqual(chooseReleases(all, 3, 2, { from: 1, to: null }), { from: 1, to: 3 });
  assert.deepEqual(chooseReleases(all, 3, 2, { from: null, to: 2 }), { from: 1, to: 2 });
  assert.deepEqual(chooseReleases(all, 3, 2, { from: 2, to: 2 }), { from: 2, to: 2 });
  assert.deepEqual(chooseReleases(all, 3, 2, { from: 9, to: 8 }), { from: 2, to: 3 });
});
