// Values of a configuration, as a person would write them.

import assert from "node:assert/strict";
import test from "node:test";

import { written } from "../../../static/js/lib/written_value.js";

test("limits, commands, ports and volumes are written as they are given", () => {
  assert.equal(written("memory", 256 * 1024 * 1024), "256m");
  assert.equal(written("memory", 2 * 1024 ** 3), "2g");
  assert.equal(written("memory", 1000), "1000");
  assert.equal(written("command", ["nginx", "-g", "daemon off;"]), "nginx -g 'daemon off;'");
  assert.equal(written("ports", [{ published: 5432, target: 5432 }]), "5432 → 5432");
  assert.equal(written("route", {}), "yes");
  assert.equal(
    written("volumes", [{ name: "data", path: "/var/lib/x", read_only: true }]),
    "data → /var/lib/x · read only",
  );
});

test("what is not given is nothing, and an object is told by its names", () => {
  assert.equal(written("env", null), "");
  assert.equal(written("health", { http: "/up", within: 30 }), "http: /up\nwithin: 30");
  assert.equal(written("init", true), "yes");
});
