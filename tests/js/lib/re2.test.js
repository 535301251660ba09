// Expressions find what the server's RE2 finds, and take no time that grows out of proportion.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { NotRe2, Re2 } from "../../../static/js/lib/re2.js";

const { texts, expressions } = JSON.parse(
  readFileSync(new URL("../../data/expressions.json", import.meta.url), "utf8"),
);

/** @param {string} source */
function compiled(source) {
  try {
    return new Re2(source);
  } catch (error) {
    if (error instanceof NotRe2) return null;
    throw error;
  }
}

test("what RE2 takes and where it matches first, as a table says that the server is held to as well", () => {
  assert.ok(expressions.length > 150);
  for (const [source, spans] of expressions) {
    const expression = compiled(source);
    assert.equal(expression === null, spans === null, source);
    if (!expression) continue;
    for (const [index, text] of texts.entries()) {
      const span = spans[index];
      assert.equal(expression.test(text), span !== null, `${source} in ${text}`);
      if (span && span[1] > span[0]) {
        assert.deepEqual(expression.ranges(text, 1), [span], `${source} in ${text}`);
      }
    }
  }
});

test("an expression that would take for ever elsewhere takes a look at each character", () => {
  const text = `${"a".repeat(1_000_000)}!`;
  for (const source of ["(a+)+$", "(a|aa)+$", "(a*)*b", "(.*)*\\d", "\\b(a+)+\\b$"]) {
    assert.equal(new Re2(source).test(text), false);
  }
  new Re2("(a+)+b|!").ranges(text, 200);
});

test("an expression that has too many states, or is too large, is bounded", () => {
  assert.equal(new Re2("[01]*1[01]{14}x").test("01".repeat(20_000)), false);
  assert.throws(() => new Re2("(\\pL{500}){2}(\\pN{500}){2}".repeat(40)), NotRe2);
});

test("all matches of a text, with characters beyond the first plane", () => {
  assert.deepEqual(new Re2("é|😀+").ranges("É 😀😀 x é", 10), [
    [0, 1],
    [2, 6],
    [9, 10],
  ]);
  assert.deepEqual(new Re2("x*").ranges("axxbx", 10), [
    [1, 3],
    [4, 5],
  ]);
  assert.equal(new Re2("a").ranges("a".repeat(500), 200).length, 200);
});
