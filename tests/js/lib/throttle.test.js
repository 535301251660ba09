// The first at once, the newest in the end, and few between.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { throttle } from "../../../static/js/lib/throttle.js";

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

test("of many the first and, every so often, the last", () => {
  /** @type {number[]} */
  const called = [];
  const call = throttle(100, (/** @type {number} */ n) => called.push(n));
  for (let n = 0; n < 50; n++) call(n);
  assert.deepEqual(called, [0]);
  mock.timers.tick(100);
  assert.deepEqual(called, [0, 49]);
  call(50);
  assert.deepEqual(called, [0, 49]);
  mock.timers.tick(100);
  mock.timers.tick(1000);
  assert.deepEqual(called, [0, 49, 50]);
  call(51);
  assert.deepEqual(called, [0, 49, 50, 51]);
});

test("one that is not wanted any more is not made", () => {
  /** @type {string[]} */
  const called = [];
  const call = throttle(100, (/** @type {string} */ text) => called.push(text));
  call("a");
  call("b");
  call.cancel();
  mock.timers.tick(1000);
  assert.deepEqual(called, ["a"]);
  call("");
  assert.deepEqual(called, ["a", ""]);
});
