// What is not taken over of a file, as rows that are read.

import assert from "node:assert/strict";
import { test } from "node:test";

import { leftRows } from "../../../static/js/deployments/left.js";

test("what is said alike of several stands once", () => {
  const value = "it has no value";
  const found = ["web", "worker"].flatMap((service) =>
    ["A", "B", "C"].map((name) => ({ service, key: `environment.${name}`, why: value })),
  );
  found.push(
    { service: "web", key: "privileged", why: "Swarm" },
    { service: "db", key: "environment.A", why: value },
    { service: "", key: "networks.x", why: "one" },
  );
  assert.deepEqual(leftRows(found), [
    { services: ["web", "worker", "db"], keys: ["environment.A"], why: value },
    { services: ["web", "worker"], keys: ["environment.B", "environment.C"], why: value },
    { services: ["web"], keys: ["privileged"], why: "Swarm" },
    { services: [], keys: ["networks.x"], why: "one" },
  ]);
  assert.deepEqual(leftRows([]), []);
});
