import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { levelOf } from "../../../static/js/logs/levels.js";

/** @type {{ text: string, level: string | null }[]} */
const vectors = JSON.parse(
  readFileSync(new URL("../../data/levels.json", import.meta.url), "utf8"),
);

for (const { text, level } of vectors) {
  test(`level of ${JSON.stringify(text.slice(0, 60))}`, () => {
    assert.equal(levelOf(text), level);
  });
}
