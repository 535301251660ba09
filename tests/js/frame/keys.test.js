// Names of keys and keys one after the other.

import assert from "node:assert/strict";
import { test } from "node:test";

import { capNames, nameOf, ownsKey, Sequence } from "../../../static/js/frame/keys.js";

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

test("a key belongs to what has the focus where that does something with it", () => {
  globalThis.Element ??= class {};
  /** A stand-in that is what these selectors say, as `closest` is asked. */
  const is = (...names) =>
    Object.assign(Object.create(Element.prototype), {
      closest: (selectors) =>
        selectors.split(", ").some((one) => names.includes(one)) ? {} : null,
    });
  const checkBox = is("input");
  assert.equal(ownsKey(checkBox, "space"), true);
  assert.equal(ownsKey(checkBox, "Enter"), true);
  assert.equal(ownsKey(checkBox, "ArrowDown"), false);
  assert.equal(ownsKey(is("input", "input[type=range]"), "Home"), true);
  assert.equal(ownsKey(is("[role=separator]"), "ArrowLeft"), true);
  assert.equal(ownsKey(is("label"), "space"), true);
  assert.equal(ownsKey(is("article"), "Enter"), false);
  assert.equal(ownsKey(is("button"), "j"), false);
  assert.equal(ownsKey(null, "space"), false);
});
