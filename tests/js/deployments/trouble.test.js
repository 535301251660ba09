// What is in trouble, and since which deployment.

import assert from "node:assert/strict";
import test from "node:test";

import { findTrouble } from "../../../static/js/deployments/trouble.js";

/** @param {string} name @param {boolean} trouble */
const app = (name, trouble) => /** @type {any} */ ({ name, trouble, instances: [{}] });

/** @param {number} id @param {string} name @param {string} state */
const deployment = (id, name, state) => /** @type {any} */ ({ id, app: name, state });

/** @param {import("../../../static/js/deployments/trouble.js").Trouble[]} found */
const said = (found) => found.map(({ app: name, ill, since }) => [name, ill !== null, since?.id]);

test("an app that is ill is so since the deployment that serves", () => {
  const told = [
    deployment(9, "web", "failed"),
    deployment(8, "web", "serving"),
    deployment(7, "web", "serving"),
  ];
  assert.deepEqual(said(findTrouble([app("web", true)], told)), [["web", true, 8]]);
});

test("one that is well but whose last deployment failed comes after those that are ill", () => {
  const told = [
    deployment(5, "api", "cancelled"),
    deployment(4, "api", "failed"),
    deployment(3, "db", "running"),
    deployment(2, "shop", "serving"),
    deployment(1, "shop", "failed"),
  ];
  const apps = [app("api", false), app("db", true), app("shop", false)];
  assert.deepEqual(said(findTrouble(apps, told)), [
    ["db", true, undefined],
    ["api", false, 4],
  ]);
});

test("an app that never served is not forgotten, and one that was cancelled is no trouble", () => {
  const told = [deployment(3, "new", "failed"), deployment(2, "other", "cancelled")];
  assert.deepEqual(said(findTrouble([], told)), [["new", false, 3]]);
  assert.deepEqual(findTrouble([app("a", false)], []), []);
});
