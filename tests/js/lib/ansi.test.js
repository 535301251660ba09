import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  luminance,
  indexedColour,
  parseAnsi,
  plainText,
  readable,
  stripAnsi,
} from "../../../static/js/lib/ansi.js";

const plain = (/** @type {string} */ text) =>
  parseAnsi(text)
    .map((run) => run.text)
    .join("");

test("the sixteen colours, bold, and back to nothing", () => {
  assert.deepEqual(parseAnsi("\x1b[1;31mred\x1b[0m plain \x1b[92mgreen"), [
    { text: "red", style: { bold: true, fg: 1 }, href: null },
    { text: " plain ", style: null, href: null },
    { text: "green", style: { fg: 10 }, href: null },
  ]);
});

test("256 colours and true colour, in both spellings", () => {
  for (const [codes, fg] of /** @type {[string, number | string][]} */ ([
    ["38;5;9", 9],
    ["38;5;208", "#ff8700"],
    ["38;5;232", "#080808"],
    ["38;2;1;2;3", "#010203"],
    ["38:2::1:2:3", "#010203"],
    ["38:2:1:2:3", "#010203"],
    ["38:5:208", "#ff8700"],
    ["0;38;2;255;255;255", "#ffffff"],
  ])) {
    assert.deepEqual(
      parseAnsi(`\x1b[${codes}mx`),
      [{ text: "x", style: { fg }, href: null }],
      codes,
    );
  }
  assert.deepEqual(parseAnsi("\x1b[38;5;208;4mx")[0].style, { fg: "#ff8700", underline: true });
  assert.equal(indexedColour(16), "#000000");
});

test("codes that are rubbish change nothing and take no text with them", () => {
  for (const codes of ["38", "38;5", "38;2;1", "999", ";;;", "1;;", "38;5;999", "?25", "38;9;1"]) {
    assert.equal(plain(`a\x1b[${codes}mb`), "ab", codes);
  }
});

test("links only lead where a browser fetches", () => {
  const link = (/** @type {string} */ uri) =>
    parseAnsi(`\x1b]8;id=1;${uri}\x1b\\text\x1b]8;;\x07 after`);
  assert.equal(link("https://example.com/a?b;c")[0].href, "https://example.com/a?b;c");
  assert.equal(link("https://example.com")[1].href, null);
  for (const uri of [
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "//x",
    "https://",
    "ftp://x",
  ]) {
    assert.equal(link(uri)[0].href, null, uri);
    assert.equal(link(uri)[0].text, "text after".slice(0, link(uri)[0].text.length));
  }
});

test("everything else a terminal would obey is dropped", () => {
  for (const sequence of [
    "\x1b[2K",
    "\x1b[1G",
    "\x1b[?25l",
    "\x1b[10;20H",
    "\x1b]0;title\x07",
    "\x1b]2;title\x1b\\",
    "\x1bP1$r0m\x1b\\",
    "\x1b_apc\x1b\\",
    "\x1b(B",
    "\x1b7",
    "\x1bc",
    "\x1b=",
    "\x1b[!p",
    "\x1b[6n",
  ]) {
    assert.equal(plain(`a${sequence}b`), "ab", JSON.stringify(sequence));
    assert.equal(stripAnsi(`a${sequence}b`), "ab", JSON.stringify(sequence));
  }
  assert.equal(plain("end\x1b["), "end");
  assert.equal(plain("end\x1b[31"), "end");
});

test("any colour can be read on both grounds", () => {
  for (let i = 0; i < 256; i++) {
    const colour = i < 16 ? "#0a141e" : indexedColour(i);
    const on = (/** @type {boolean} */ dark) => {
      const shown = readable(colour, dark);
      const [r, g, b] = [1, 3, 5].map((at) => parseInt(shown.slice(at, at + 2), 16));
      const l = luminance(r, g, b) + 0.05;
      const ground = luminance(...(dark ? [17, 21, 26] : [255, 255, 255])) + 0.05;
      return Math.max(l, ground) / Math.min(l, ground);
    };
    assert.ok(on(true) >= 4.4, `${colour} on dark: ${on(true)}`);
    assert.ok(on(false) >= 4.4, `${colour} on light: ${on(false)}`);
  }
});

test("a flood of sequences costs time that is linear in its length", () => {
  const flood =
    "\x1b[31mx\x1b[0m".repeat(20_000) + "\x1b]8;;".repeat(5_000) + "\x1b[".repeat(50_000);
  const start = performance.now();
  parseAnsi(flood);
  stripAnsi(flood);
  assert.ok(performance.now() - start < 2_000);
});

test("a line in the list of apps is plain text, whatever the container wrote", () => {
  assert.equal(
    plainText("\x1b[1;31merror\x1b[0m: \x1b]8;;http://x\x07link\x1b]8;;\x07"),
    "error: link",
  );
  assert.equal(plainText("10 %\r50 %\r100 %"), "100 %");
  assert.equal(plainText("a\tb\x00\x08c"), "a  bc");
  assert.equal(plainText("<script>alert(1)</script>"), "<script>alert(1)</script>");
  assert.equal(plainText("x".repeat(1_000_000), 10), "xxxxxxxxxx");
  assert.equal(plainText("\x1b[".repeat(100_000)).length < 301, true);
});

/** @type {{ text: string, seen: string }[]} */
const vectors = JSON.parse(readFileSync(new URL("../../data/ansi.json", import.meta.url), "utf8"));

for (const { text, seen } of vectors) {
  test(`what is seen of ${JSON.stringify(text)}`, () => {
    assert.equal(stripAnsi(text), seen);
    assert.equal(plain(text), seen);
  });
}
