// How a deployment stands, in words that hold whatever becomes of it.

import assert from "node:assert/strict";
import test from "node:test";

import {
  aftermath,
  duration,
  isServing,
  share,
  standing,
  took,
} from "../../../static/js/deployments/words.js";

/** @typedef {import("../../../static/js/live/deployments.js").Deployment} Deployment */
/** @typedef {import("../../../static/js/live/deployments.js").Step} Step */

const T = "2026-07-01T12:00:00.000000000Z";
const at = (/** @type {number} */ s) => Date.parse("2026-07-01T12:00:00Z") + s * 1000;

/** @param {string} name @param {Step["state"]} state @returns {Step} */
const step = (name, state) => ({
  name,
  state,
  started: state === "waiting" ? null : T,
  finished: state === "waiting" || state === "running" ? null : "2026-07-01T12:00:04Z",
});

/** @param {Partial<Deployment>} its @returns {Deployment} */
const deployment = (its) => ({
  id: 7,
  app: "web",
  number: 3,
  release: 5,
  previous: 4,
  state: "running",
  class: null,
  sentence: null,
  exit_code: null,
  by: "ann",
  created: T,
  finished: null,
  cancelled_by: null,
  can_cancel: true,
  stop_first: false,
  settled: false,
  steps: [step("pull", "done"), step("start", "running"), step("health", "waiting")],
  ...its,
});

test("one that is under way says at which step of how many", () => {
  assert.equal(standing(deployment({})), "Step 2 of 3: starting the new release.");
  assert.match(standing(deployment({ state: "queued" })), /^Waits/);
  assert.match(standing(deployment({ cancelled_by: "bob" })), /^bob cancelled it/);
});

test("one that serves already, and is watched, says so", () => {
  const steps = [{ ...step("health", "running"), progress: { serving: true, watching: 9 } }];
  assert.ok(isServing(deployment({ steps })));
  assert.match(standing(deployment({ steps })), /^Release 5 serves/);
});

test("a failure is said in the server's sentence, and what serves all the same", () => {
  const sentence = "it exited with 3 after 2 s. Its last lines say why.";
  const failed = deployment({ state: "failed", sentence, settled: true });
  assert.equal(standing(failed), "It exited with 3 after 2 s. Its last lines say why.");
  assert.equal(aftermath(failed), "Release 4 goes on serving.");
  assert.match(aftermath({ ...failed, settled: false }), /being removed/);
  assert.match(aftermath({ ...failed, previous: null }), /^Nothing served before/);
});

test("where the old one was stopped first it is said that it was started again", () => {
  const steps = [step("stop", "done"), step("start", "failed")];
  const failed = deployment({ state: "failed", stop_first: true, steps, settled: true });
  assert.match(aftermath(failed), /was started again/);
  assert.match(aftermath({ ...failed, settled: false }), /is being started again/);
  const earlier = { ...failed, steps: [step("pull", "failed"), step("stop", "waiting")] };
  assert.equal(aftermath(earlier), "Release 4 goes on serving.");
});

test("what one that went well says needs no aftermath", () => {
  assert.equal(aftermath(deployment({ state: "serving" })), "");
});

test("durations count from the beginning, and never below nothing", () => {
  assert.equal(took(step("pull", "done"), at(100)), 4);
  assert.equal(took(step("start", "running"), at(2.5)), 2.5);
  assert.equal(took(step("start", "running"), at(-5)), 0);
  assert.equal(took(step("stop", "waiting"), at(2)), null);
  assert.deepEqual([0.01, 0.26, 4, 61.2].map(duration), ["0 s", "0.3 s", "4 s", "1 min 1 s"]);
});

test("how far it is grows with time, and is all only at the end", () => {
  const one = deployment({});
  const usual = { pull: 4, start: 10, health: 2 };
  const shares = [0, 5, 50, 5000].map((s) => share(one, usual, at(s)));
  assert.deepEqual([...shares].sort(), shares);
  assert.ok(shares[0] >= 0.25 && shares[3] < 0.9);
  assert.equal(share(deployment({ state: "failed" }), usual, at(0)), 1);
});
