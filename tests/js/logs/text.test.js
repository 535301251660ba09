import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAnsi } from "../../../static/js/lib/ansi.js";
import { makeSearch } from "../../../static/js/logs/filter.js";
import {
  addresses,
  cut,
  cutAtRanges,
  linksOf,
  pieces,
  placed,
  visible,
} from "../../../static/js/logs/text.js";

test("capitals are told from small letters where that is asked for", () => {
  for (const [query, regex] of /** @type {[string, boolean][]} */ ([
    ["Error", false],
    ["Err[o]r", true],
    ["Fehler Ä", false],
  ])) {
    const line = query.replace("[o]", "o");
    for (const capitals of [false, true]) {
      const { search } = makeSearch(query, regex, capitals);
      assert.ok(search?.test(`an ${line} here`), query);
      assert.equal(search?.test(`an ${line.toLowerCase()} here`), !capitals, query);
      assert.equal(search?.ranges(line.toUpperCase()).length, capitals ? 0 : 1, query);
    }
  }
});

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
    addresses(text).map(({ from, to }) => text.slice(from, to));
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

test("a cut does not part a character", () => {
  assert.equal(cut("a🎉b", 2), "a");
  assert.equal(cut("a🎉b", 3), "a🎉");
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

test("whatever is typed stands for itself", () => {
  for (const typed of ["\\", "C:\\temp", "\\u5e93", "a\\", "$1", "[", "(?i)", "-/", "\\E"]) {
    assert.ok(makeSearch(typed, false).search?.test(`x${typed}y`), typed);
    assert.ok(!makeSearch(typed, false).search?.test("x库y"), typed);
  }
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
    [
      { text: "abc", at: 0 },
      { text: "…", at: -1 },
      { text: "def", at: 3 },
    ],
    [
      { from: 1, to: 2 },
      { from: 2, to: 4 },
    ],
  );
  assert.deepEqual(
    cutUp.map(({ text, hit }) => [text, hit]),
    [
      ["a", -1],
      ["b", 0],
      ["c", 1],
      ["…", -1],
      ["d", 1],
      ["ef", -1],
    ],
  );
});

test("a link is whole, whatever colours and matches begin or end in it", () => {
  const runs = parseAnsi("see https://example.org/\x1b[1mfoo\x1b[0m/bar now");
  const [link, ...more] = linksOf(placed(runs));
  assert.deepEqual(more, []);
  assert.equal(link.href, "https://example.org/foo/bar");
  const made = linksOf(placed(parseAnsi("\x1b]8;;https://a.b/\x1b\\a \x1b[1mb\x1b]8;;\x1b\\ c")));
  assert.deepEqual(made, [{ from: 0, to: 3, href: "https://a.b/" }]);
});
