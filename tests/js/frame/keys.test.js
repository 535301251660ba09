// Names of keys and keys one after the other.

import assert from "node:assert/strict";
import { test } from "node:test";

import { capNames, nameOf, Sequence } from "../../../static/js/frame/keys.js";

test("keys have names, keys of a sequence follow each other in time", () => {
  const press = (key, more = {}) =>
    nameOf({ key, ctrlKey: false, metaKey: false, altKey: false, ...more }, false);
  assert.equal(press(" "), "space");
  assert.equal(press("K", { ctrlKey: true }), "mod+k");
  assert.equal(press("k", { metaKey: true }), "");
  assert.equal(press("Shift"), "");
  const known = ["g l", "g a", "j"];
  const keys = new Sequence();
  assert.equal(keys.press("g", 0, known), "begun");
  assert.equal(keys.press("l", 500, known), "g l");
  assert.equal(keys.press("l", 600, known), "");
  assert.equal(keys.press("g", 1000, known), "begun");
  assert.equal(keys.press("a", 5000, known), "");
  assert.equal(keys.press("g", 6000, known), "begun");
  assert.equal(keys.press("j", 6100, known), "j");
});

test("a key stands on its cap as this machine names it", () => {
  assert.deepEqual(capNames("mod+enter", true), ["⌘", "⏎"]);
  assert.deepEqual(capNames("mod+enter", false), ["Ctrl", "⏎"]);
  assert.deepEqual(capNames("mod+k", true), ["⌘", "K"]);
  assert.deepEqual(capNames("N", false), ["⇧", "N"]);
});
