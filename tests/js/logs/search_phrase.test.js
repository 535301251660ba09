import assert from "node:assert/strict";
import { test } from "node:test";
import { makeSearch } from "../../../static/js/logs/filter.js";
import { commonPart, searchPhrase } from "../../../static/js/logs/search_phrase.js";

const TRACE = ["Traceback (most recent call last):", '  File "a.py", line 3', "KeyError: 'stock'"];

test("of JSON the message, of a trace what failed, without what differs each time", () => {
  const json = '{"level":"info","msg":"\\u5e93\\u5b58 of order 17 is low","order":17}';
  assert.equal(searchPhrase([json], null, ""), "库存 of order");
  assert.equal(searchPhrase(TRACE, TRACE[2], ""), "KeyError: 'stock'");
  assert.equal(
    searchPhrase(["2026-02-01 09:00:00 INFO mail sent to 4 people"], null, ""),
    "INFO mail sent to",
  );
});

test("what is selected, as far as it is in the line", () => {
  const json = '{"msg":"first line\\nsecond line of it","status":503}';
  assert.equal(searchPhrase([json], null, "status=503"), "status=503");
  assert.equal(searchPhrase([json], null, "line ↵ second line of"), "second line of");
  assert.equal(searchPhrase([json], null, " second "), "second");
  // What stands in other columns is in no line.
  assert.equal(searchPhrase([json], null, "09:00:00.123 info"), "first line");
});

test("whatever the line, what is looked for finds it", () => {
  for (const line of [
    "17 18 19",
    "a",
    "\x1b[31mERROR\x1b[0m 7",
    '{"n":1}',
    '{"msg":"\\n\\n"}',
    "cafe\u0301 17",
    "10 %\r20 %\r30 %",
    `${"x".repeat(199)} ${"y".repeat(100)}`,
  ]) {
    const phrase = searchPhrase([line], null, "");
    assert.ok(makeSearch(phrase, false).search?.test(line), JSON.stringify([line, phrase]));
  }
  assert.equal(commonPart("1 2 3"), "1 2 3");
});
