// The deployments that the page knows: what came late brings nothing back, and old ones are let go.

import assert from "node:assert/strict";
import test from "node:test";

globalThis.requestAnimationFrame = (run) => (run(0), 0);
const { currentStep, deployments, hasEnded } =
  await import("../../../static/js/live/deployments.js");

/** @param {number} id @param {string} state @param {string} [app] */
const one = (id, state, app = "web") => /** @type {any} */ ({ id, app, state, steps: [] });

test("an answer that is older than a change does not bring back what has ended", () => {
  deployments.take([one(1, "running")]);
  deployments.take([one(1, "failed")]);
  deployments.take([one(1, "running"), one(2, "queued")]);
  assert.equal(deployments.all.get(1)?.state, "failed");
  assert.deepEqual([...deployments.all.keys()], [2, 1]);
});

test("of an app the one that runs is under way, else the one whose turn comes first", () => {
  deployments.take([one(10, "queued", "shop"), one(11, "queued", "shop")]);
  assert.equal(deployments.underWay("shop")?.id, 10);
  deployments.take([one(9, "running", "shop")]);
  assert.equal(deployments.underWay("shop")?.id, 9);
  assert.equal(deployments.underWay("nobody"), null);
});

test("those that ended long ago are let go, those that have not are kept", () => {
  deployments.take(Array.from({ length: 300 }, (_, n) => one(1000 + n, "serving")));
  assert.ok(deployments.all.size < 120);
  assert.equal(deployments.underWay("shop")?.id, 9);
});

test("the current step is the first that is not over", () => {
  const steps = [{ state: "done" }, { state: "waiting" }, { state: "waiting" }];
  assert.equal(currentStep(/** @type {any} */ ({ steps })), steps[1]);
  assert.equal(currentStep(/** @type {any} */ ({ steps: [steps[0]] })), null);
  assert.ok(hasEnded(one(1, "cancelled")) && !hasEnded(one(1, "queued")));
});
