// What every page's module owes to frame/boot.js.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const JS = new URL("../../../static/js/", import.meta.url);

test("a page's module is there as soon as it has run: it waits for no answer on its way", () => {
  const pages = readdirSync(JS, { recursive: true }).filter((name) => name.endsWith("_page.js"));
  assert.ok(pages.length > 10);
  for (const name of pages) {
    const text = readFileSync(new URL(name, JS), "utf8").replaceAll(/^import[\s\S]*?;$/gm, "");
    // The body of a function that is not async knows no await; nor does that of a script.
    assert.doesNotThrow(() => new Function(text), `${name} waits outside of a function`);
  }
});
