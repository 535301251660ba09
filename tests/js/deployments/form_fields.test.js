// Errors beside their fields.

import assert from "node:assert/strict";
import { test } from "node:test";

import { entryOf, withoutName } from "../../../static/js/deployments/form_fields.js";

test("an error does not name the field beside which it stands", () => {
  assert.equal(withoutName("Route.host: a! is no domain", "route.host"), "A! is no domain");
  assert.equal(withoutName("Route.host：a! 不是域名", "route.host"), "A! 不是域名");
  assert.equal(withoutName("Image is missing", "image"), "Image is missing");
  assert.equal(
    withoutName("Web.example.com leads to shop", "route.host"),
    "Web.example.com leads to shop",
  );
});

test("an error names the entry that it is about", () => {
  const pairs = [{ name: "A" }, { name: "b.c" }];
  assert.equal(entryOf("env.b.c", "env", pairs), 1);
  assert.equal(entryOf("env.B", "env", pairs), -1);
  assert.equal(entryOf("env", "env", pairs), -1);
  assert.equal(entryOf("", "env", pairs), -1);
  assert.equal(entryOf("volumes[1].path", "volumes", []), 1);
  assert.equal(entryOf("ports[0]", "ports", []), 0);
});
