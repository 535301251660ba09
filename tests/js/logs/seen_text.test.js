import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { makeSearch } from "../../../static/js/logs/filter.js";
import { plainText, readJson, seenRuns, seenText } from "../../../static/js/logs/seen_text.js";

/** @type {{ text: string, plain: string, seen: string }[]} */
const VECTORS = JSON.parse(readFileSync(new URL("../../data/seen.json", import.meta.url), "utf8"));

test("what is seen of a line is what the server says", () => {
  for (const { text, plain, seen } of VECTORS) {
    assert.equal(seenText(text), seen, JSON.stringify(text));
    assert.equal(plainText(text), plain, JSON.stringify(text));
  }
});

test("what rows are drawn of is the text that is searched", () => {
  for (const { text, seen } of VECTORS) {
    const json = readJson(text);
    const drawn = json
      ? [json.message, ...json.fields.map(([path, value]) => `${path}=${value}`)]
          .filter((part) => part !== null)
          .join(" ")
      : seenRuns(text)
          .map((run) => run.text)
          .join("");
    assert.equal(drawn, seen, JSON.stringify(text));
  }
});

test("colours stay with the text they were given, the last state of a progress bar with its own", () => {
  assert.deepEqual(seenRuns("\x1b[31m10 %\r\x1b[32m20 %\x1b[0m done"), [
    { text: "20 %", style: { fg: 2 }, href: null },
    { text: " done", style: null, href: null },
  ]);
  // A mark that belongs to a letter of another colour: the letter is one, and has none.
  assert.deepEqual(seenRuns("cafe\x1b[1m\u0301"), [{ text: "caf\u00e9", style: null, href: null }]);
});

test("a line is found by what is seen of it and by how it was written", () => {
  /** @param {string} query @param {string} line @param {boolean} [regex] */
  const finds = (query, line, regex = false) => makeSearch(query, regex).search?.test(line);
  const line = '{"level":"info","msg":"done","status":503,"note":"\\u5e93\\u5b58 cafe\\u0301"}';
  for (const query of [
    "status=503",
    '"status":503',
    "\u5e93\u5b58",
    "\\u5e93",
    "CAF\u00c9",
    "cafe\u0301",
  ])
    assert.ok(finds(query, line), query);
  assert.ok(finds("^done", line, true));
  assert.ok(finds("done$", "19 plots done\r", true));
  assert.ok(!finds("status=504", line));
});
