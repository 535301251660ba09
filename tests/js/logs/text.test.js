import assert from "node:assert/strict";
import { test } from "node:test";
import { brief, readJson } from "../../../static/js/logs/json_tree.js";
import { makeSearch } from "../../../static/js/logs/filter.js";
import { cut, cutAtRanges, lastOverwrite, pieces, visible } from "../../../static/js/logs/text.js";

test("control characters and what turns the direction of text are named", () => {
  assert.equal(visible("a\x00b\x1bc\x7f\u202ed\u009b"), "a⟨NUL⟩b⟨ESC⟩c⟨DEL⟩⟨RLO⟩d⟨x9B⟩");
  assert.equal(visible("tab\tstays 中文 🎉 مرحبا"), "tab\tstays 中文 🎉 مرحبا");
  assert.deepEqual(
    pieces("a\x07b").map((piece) => [piece.text, piece.odd]),
    [
      ["a", false],
      ["BEL", true],
      ["b", false],
    ],
  );
});

test("addresses end where the sentence goes on", () => {
  const links = (/** @type {string} */ text) =>
    pieces(text)
      .filter((p) => p.href)
      .map((p) => p.text);
  assert.deepEqual(links("see https://a.b/c, (http://d.e/f) and https://g.h/i(j)."), [
    "https://a.b/c",
    "http://d.e/f",
    "https://g.h/i(j)",
  ]);
  assert.deepEqual(links('url="https://a.b/?x=1&y=2" 参见https://a.b/中。然后'), [
    "https://a.b/?x=1&y=2",
    "https://a.b/中",
  ]);
  assert.deepEqual(links("javascript:alert(1) ftp://x http:// https://"), []);
});

test("a progress bar shows what a terminal would show at the end", () => {
  assert.equal(lastOverwrite("10%\r50%\r100%"), "100%");
  assert.equal(lastOverwrite("50%\r"), "50%");
  assert.equal(lastOverwrite("\r\r"), "");
  assert.equal(lastOverwrite("plain"), "plain");
});

test("a cut does not part a character", () => {
  assert.equal(cut("a🎉b", 2), "a");
  assert.equal(cut("a🎉b", 3), "a🎉");
});

test("JSON lines: message first, what the row shows already left out", () => {
  const json = readJson('{"ts":1,"level":"info","msg":"hello","a":{"b":[1,2]},"n":null}');
  assert.equal(json?.message, "hello");
  assert.deepEqual(
    json?.fields.map(([key, value]) => [key, brief(value)]),
    [
      ["a", "{…}"],
      ["n", "null"],
    ],
  );
  assert.equal(readJson("{}")?.message, null);
  for (const text of [
    "",
    "{",
    "[1]",
    "{not json}",
    '{"a":1} trailing',
    "null",
    "1",
    '{"a":1'.repeat(3),
  ]) {
    assert.equal(readJson(text), null, text);
  }
});

test("plain search knows no case and no pattern; colours are not in its way", () => {
  const { search } = makeSearch("a.b(", false);
  assert.ok(search?.test("xA.B(y"));
  assert.ok(search?.test("a.\x1b[31mb\x1b[0m("));
  assert.ok(!search?.test("aXb("));
  assert.deepEqual(search?.ranges("a.b( A.B("), [
    [0, 4],
    [5, 9],
  ]);
});

test("regular expressions as RE2 writes them; what is none says so", () => {
  assert.ok(makeSearch("(?i)err\\d+", true).search?.test("ERR12"));
  assert.ok(makeSearch("(?P<code>5\\d\\d)", true).search?.test("code 503"));
  assert.ok(makeSearch("\\Aab\\z", true).search?.test("ab"));
  assert.ok(makeSearch("[\\-]", true).search?.test("-"));
  const bad = makeSearch("(", true);
  assert.equal(bad.search, null);
  assert.ok(bad.error);
  assert.deepEqual(makeSearch("", true), { search: null, error: null });
  assert.deepEqual(makeSearch("x*", true).search?.ranges("axxb"), [[1, 3]]);
});

test("runs are cut where matches begin and end, across runs", () => {
  const cutUp = cutAtRanges(
    [{ text: "abc" }, { text: "def" }],
    [
      [1, 2],
      [2, 4],
    ],
  );
  assert.deepEqual(
    cutUp.map(({ text, hit }) => [text, hit]),
    [
      ["a", false],
      ["b", true],
      ["c", true],
      ["d", true],
      ["ef", false],
    ],
  );
});
