// Form and YAML are two views of one thing.

import assert from "node:assert/strict";
import { test } from "node:test";

import { SpecModel } from "../../../static/js/deployments/spec_model.js";

const WRITTEN = `# Our shop
image: nginx:1.27 # pinned
ulimits:
  - name: nofile
    soft: 1024
env:
  A: b
`;

test("an edit of a field leaves comments, and what no form knows, as they were written", () => {
  const model = new SpecModel();
  model.setText(WRITTEN);
  model.set(["env", "C"], "d");
  model.set(["port"], 80);
  assert.equal(model.text, `${WRITTEN}  C: d\nport: 80\n`);
  model.set(["env", "C"], undefined);
  model.set(["port"], undefined);
  assert.equal(model.text, WRITTEN);
});

test("what is taken away takes along what is empty then, but for what says something empty", () => {
  const model = new SpecModel({ image: "x", env: { A: "b" }, route: { host: "a.b" } });
  model.set(["env", "A"], undefined);
  model.set(["route", "host"], undefined);
  assert.deepEqual(model.toJSON(), { image: "x", route: {} });
});

test("an object is made where a field within it is set", () => {
  const model = new SpecModel();
  model.set(["health", "http"], "/up");
  model.set(["volumes"], [{ name: "a", path: "/a" }]);
  assert.deepEqual(model.toJSON(), {
    health: { http: "/up" },
    volumes: [{ name: "a", path: "/a" }],
  });
  model.setText("health: yes please\n");
  model.set(["health", "tcp"], true);
  assert.deepEqual(model.toJSON(), { health: { tcp: true } });
});

test("a text that is none yet keeps the values of the last good one, and says its line", () => {
  const model = new SpecModel({ image: "x" });
  model.setText("image: y\nenv: [1\n");
  assert.equal(model.get("image"), "x");
  assert.ok(model.error && model.error.line >= 2, JSON.stringify(model.error));
  assert.equal(model.text, "image: y\nenv: [1\n");
  model.setText("- a\n");
  assert.equal(model.error?.message, "not-an-object");
  model.setText("");
  assert.equal(model.error, null);
  assert.deepEqual(model.toJSON(), {});
  model.set(["image"], "z");
  assert.equal(model.text, "image: z\n");
});

test("secrets' values stand in no text, and are sent", () => {
  const model = new SpecModel({ image: "x" });
  model.set(["secrets", "KEY"], null);
  model.written.set("KEY", "s3cret");
  model.written.set("GONE", "other");
  assert.ok(!model.text.includes("s3cret"));
  assert.deepEqual(model.toJSON(), { image: "x", secrets: { KEY: "s3cret" } });
  model.replace({ image: "y" });
  assert.deepEqual(model.toJSON(), { image: "y" });
});

test("a name without a value is there, and can be taken away", () => {
  const model = new SpecModel({ secrets: { A: null, B: null } });
  model.set(["secrets", "A"], undefined);
  assert.deepEqual(model.toSpec(), { secrets: { B: null } });
  model.set(["secrets", "AB"], null);
  model.set(["secrets", "AB"], null);
  assert.deepEqual(model.toSpec(), { secrets: { B: null, AB: null } });
  model.set(["secrets", "AB"], undefined);
  model.set(["secrets", "B"], undefined);
  assert.deepEqual(model.toSpec(), {});
});

test("each change is announced once, and none where nothing changed", () => {
  const model = new SpecModel({ image: "x" });
  let changes = 0;
  model.addEventListener("change", () => changes++);
  model.set(["image"], "x");
  model.set(["port"], undefined);
  assert.equal(changes, 0);
  model.set(["image"], "y");
  model.setText("image: z\n");
  assert.equal(changes, 2);
});
