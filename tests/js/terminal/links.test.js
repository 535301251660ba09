// Where a link leads is seen before it is opened, in letters that do not lie.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { saysWhereTo, targetOf } from "../../../static/js/terminal/links.js";

test("a target has its host in plain sight, whatever is written before or after it", () => {
  assert.deepEqual(targetOf("https://bank.example@other.example/a"), {
    host: "other.example",
    address: "https://bank.example@other.example/a",
  });
  assert.equal(targetOf("https://b\u0430nk.example/").host, "xn--bnk-6cd.example");
  assert.equal(
    targetOf("https://a.example/\u202egpj.exe").address,
    "https://a.example/%E2%80%AEgpj.exe",
  );
  assert.ok(targetOf(`https://a.example/${"x".repeat(9000)}`).address.length < 3000);
});

test("what does not lead to the web has no host, and shows what is hidden in it", () => {
  for (const address of ["javascript:alert(1)", "file:///etc/passwd", "a\u202eb", "", "http://"]) {
    assert.equal(targetOf(address).host, "", address);
  }
  assert.equal(targetOf("a\u202eb\u0007").address, "a\\u{202e}b\\u{7}");
});

test("an address that stands there as it is says where it leads, unless it is made to deceive", () => {
  for (const honest of ["https://a.example", "HTTP://A.example:80/x", "http://[::1]:8080/?q=1#x"]) {
    assert.equal(saysWhereTo(honest), true, honest);
  }
  for (const lying of [
    "https://bank.example@other.example/",
    "https://bank.example:443@other.example/",
    "https://b\u0430nk.example/",
    "https://a.example/\u202e/x",
    "https://a\u00ad.example/",
    "https:\\\\a.example\\x",
    "https://%61.example/",
  ]) {
    assert.equal(saysWhereTo(lying), false, lying);
  }
});

/** A page, as much of it as opening a link needs. */
let opened = [];
let taps = false;
beforeEach(() => {
  opened = [];
  globalThis.matchMedia = /** @type {any} */ (() => ({ matches: taps }));
  globalThis.window = /** @type {any} */ ({ open: (...all) => opened.push(all) });
});
afterEach(() => {
  delete (/** @type {any} */ (globalThis).matchMedia);
  delete (/** @type {any} */ (globalThis).window);
});

test("a link is opened with the key held, and without it by a finger where it says where to", async () => {
  const { openLink } = await import("../../../static/js/terminal/links.js");
  const event = (keys = {}) => /** @type {any} */ ({ ctrlKey: false, metaKey: false, ...keys });
  await openLink(event(), "https://a.example/", false);
  assert.deepEqual(opened, []);
  await openLink(event({ ctrlKey: true }), "https://a.example/", false);
  await openLink(event({ ctrlKey: true }), "javascript:alert(1)", false);
  assert.deepEqual(opened, [["https://a.example/", "_blank", "noopener,noreferrer"]]);
  taps = true;
  await openLink(event(), "https://a.example/b", true);
  assert.equal(opened.length, 2);
});
