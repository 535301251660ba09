// Lines without escape sequences.

import assert from "node:assert/strict";
import { test } from "node:test";

import { plain } from "../../../static/js/lib/plain_text.js";

test("a line in the list of apps is plain text, whatever the container wrote", () => {
  assert.equal(
    plain("\x1b[1;31merror\x1b[0m: \x1b]8;;http://x\x07link\x1b]8;;\x07"),
    "error: link",
  );
  assert.equal(plain("10 %\r50 %\r100 %"), "100 %");
  assert.equal(plain("a\tb\x00\x08c"), "a  bc");
  assert.equal(plain("<script>alert(1)</script>"), "<script>alert(1)</script>");
  assert.equal(plain("x".repeat(1_000_000), 10), "xxxxxxxxxx");
  assert.equal(plain("\x1b[".repeat(100_000)).length < 301, true);
});
