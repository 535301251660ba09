import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { patternOf, timeless } from "../../../static/js/logs/patterns.js";
import { parse } from "../../../static/js/logs/query/language.js";
import {
  changeOf,
  holesOf,
  isNew,
  spanOf,
  sparkOf,
  termOf,
} from "../../../static/js/logs/pattern_rows.js";

/** @type {[string, string][]} */
const VECTORS = JSON.parse(
  readFileSync(new URL("../../data/patterns.json", import.meta.url), "utf8"),
);

test("a line has the pattern that the server gives it", () => {
  for (const [line, pattern] of VECTORS) assert.equal(patternOf(line), pattern, line);
});

test("lines that are the same but for their times are the same", () => {
  const same = [
    ["2026-11-30T02:48:13Z down", "2026-11-30T02:49:00Z down"],
    [
      '{"time":"2026-11-30T02:48:13Z","msg":"down"}',
      '{"time":"2026-11-30T03:00:00Z","msg":"down"}',
    ],
    ['{"ts":1764470893.1,"msg":"down"}', '{"ts":1764470894.7,"msg":"down"}'],
    ["\x1b[31mdown\x1b[0m", "down"],
  ];
  for (const [a, b] of same) assert.equal(timeless(a), timeless(b));
  assert.notEqual(timeless("order 1"), timeless("order 2"));
  assert.notEqual(timeless('{"msg":"a","n":1}'), timeless('{"msg":"a","n":2}'));
});

test("each range is compared with the same one a day earlier", () => {
  const now = new Date("2026-11-30T14:30:00Z");
  assert.deepEqual(Object.fromEntries(spanOf("day", now)), {
    since: "2026-11-29T14:30:00.000Z",
    until: "2026-11-30T14:30:00.000Z",
    against: "2026-11-28T14:30:00.000Z",
    against_until: "2026-11-29T14:30:00.000Z",
  });
  const today = spanOf("today", now);
  const hours =
    (Date.parse(today.get("until") ?? "") - Date.parse(today.get("since") ?? "")) / 3.6e6;
  assert.ok(hours > 0 && hours <= 24);
  assert.equal(
    Date.parse(today.get("against_until") ?? "") - Date.parse(today.get("against") ?? ""),
    hours * 3.6e6,
  );
  assert.equal(spanOf("deployment", now).toString(), "since=deployment");
});

/** @param {Partial<import("../../../static/js/types/api.js").Pattern>} fields */
const pattern = (fields) => ({
  pattern: "x",
  level: null,
  count: 1,
  before: 1,
  first: "",
  last: "",
  seq: 1,
  hours: /** @type {[number, number][]} */ ([]),
  expression: "x",
  ...fields,
});

/** @param {number} hours @param {number} before */
const all = (hours, before) => {
  const span = (/** @type {number} */ from, /** @type {number} */ to) => ({
    since: new Date(from * 3.6e6).toISOString(),
    until: new Date(to * 3.6e6).toISOString(),
    looked: 1,
    of: 1,
  });
  return {
    now: span(1000, 1000 + hours),
    before: span(1000 - before, 1000),
    sampled: false,
    deployed: null,
    patterns: [],
    more: 0,
    others: /** @type {[number, number]} */ ([0, 0]),
  };
};

test("a change is told by how often, whatever the lengths of both times", () => {
  const kind = (/** @type {number} */ count, /** @type {number} */ before, hours = 24) =>
    changeOf(pattern({ count, before }), all(hours, 24), "day").kind;
  assert.equal(kind(5, 0), "new");
  assert.equal(kind(0, 5), "gone");
  assert.equal(kind(100, 100), "same");
  assert.equal(kind(300, 100), "more");
  assert.equal(kind(30, 100), "less");
  assert.equal(kind(50, 100, 12), "same");
  assert.equal(changeOf(pattern({ count: 300, before: 100 }), all(24, 24), "day").words, "↑ ×3.0");
});

test("of several apps new since deployments is what is new in one of them", () => {
  const of = (/** @type {[string, number, number][]} */ ...apps) => ({
    ...pattern({
      count: apps.reduce((sum, one) => sum + one[1], 0),
      before: apps.reduce((sum, one) => sum + one[2], 0),
    }),
    app: apps[0][0],
    apps: apps.map(([name, count, before]) => ({ name, count, before })),
  });
  const known = of(["web", 5, 2], ["shop", 1, 1]);
  const inOne = of(["web", 5, 2], ["shop", 1, 0]);
  const gone = of(["web", 0, 2], ["shop", 0, 0]);
  const told = (/** @type {ReturnType<typeof of>} */ one) =>
    changeOf(one, all(24, 24), "deployment");
  assert.deepEqual(
    [known, inOne, gone].map((one) => isNew(one, "deployment")),
    [false, true, false],
  );
  assert.equal(isNew(inOne, "day"), false, "as one log it came before");
  assert.deepEqual(told(inOne), { kind: "new", words: "new in shop" });
  assert.equal(told(known).kind, "same");
  assert.equal(told(gone).kind, "gone");
  assert.equal(told(of(["web", 1, 0], ["shop", 1, 0])).words, "new");
});

test("a course has a bar for each hour in which something came", () => {
  const hours = /** @type {[number, number][]} */ ([
    [1000 * 3600, 2],
    [1003 * 3600, 4],
  ]);
  assert.equal(sparkOf(pattern({ hours }), all(23, 24)).match(/M/g)?.length, 2);
  assert.equal(sparkOf(pattern({}), all(23, 24)), "");
  assert.match(sparkOf(pattern({ hours }), all(1000, 24)), /^M0\.00 16v/);
});

test("placeholders are told from what is written", () => {
  assert.deepEqual(holesOf("a <n> b 5xx"), ["a ", "<n>", " b ", "5xx", ""]);
  assert.deepEqual(holesOf("<T> is none"), ["<T> is none"]);
});

test("a pattern is a term of the filter, and all else as well", () => {
  for (const expression of [
    "^\\s*GET /users/[-+0-9.,eE]+ done\\s*$",
    "a \\[b\\] c/d",
    "^x=.* y=",
  ]) {
    for (const sign of /** @type {const} */ (["", "-"])) {
      const [term, ...more] = parse(termOf(expression, sign));
      assert.deepEqual([term.kind, term.text, term.negated], ["regex", expression, sign === "-"]);
      assert.deepEqual(more, []);
    }
  }
});
