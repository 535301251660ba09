// A file is saved as it is called: what its name looks like is no part of the header.

import assert from "node:assert/strict";
import { test } from "node:test";

import { nameIn } from "../../../static/js/lib/content_disposition.js";

for (const [header, name] of [
  ['attachment; filename="a.csv"', "a.csv"],
  ['attachment; filename="sales;q3.csv"', "sales;q3.csv"],
  [`attachment; filename="note; filename*=UTF-8''run.sh"`, "note; filename*=UTF-8''run.sh"],
  [`attachment; filename="_.txt"; filename*=UTF-8''%E4%B8%AD%3B%22.txt`, '中;".txt'],
  [`attachment; filename="_.txt"; filename*=UTF-8''%FF.txt`, "_.txt"],
  [`attachment; FileName=plain.txt; filename="second.txt"`, "plain.txt"],
  ['attachment; filename="a\\"b\\\\c"', 'a"b\\c'],
  ["attachment", ""],
  ['attachment; filename="open', ""],
  [null, ""],
]) {
  test(`${header}`, () => assert.equal(nameIn(header), name));
}
