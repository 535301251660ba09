// What a page asks for is asked for at once: a module that is only found by reading another one
// costs a round trip before the first line is seen.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const root = new URL("../../", import.meta.url);
const read = (/** @type {string} */ path) => readFileSync(new URL(path, root), "utf8");

/**
 * Every module that a module imports, itself too.
 * @param {string} path
 * @param {Set<string>} found
 */
function closure(path, found) {
  if (found.has(path)) return;
  found.add(path);
  for (const [, to] of read(path).matchAll(/^(?:import|export)\b[^;]*?"(\.[^"]+)";/gms)) {
    closure(new URL(to, new URL(path, root)).href.slice(root.href.length), found);
  }
}

test("the log page preloads every module it is made of", () => {
  const templates = ["frame", "app", "logs"].map((name) =>
    read(`cloudbang/web/templates/${name}.html`),
  );
  /** @type {Set<string>} */
  const said = new Set();
  /** @type {Set<string>} */
  const needed = new Set();
  for (const text of templates) {
    for (const [, list, folder] of text.matchAll(
      /\{% for name in \(([^)]*)\)[^%]*%\}\s*<link rel="modulepreload" href="\{\{ static \}\}\/(js\/\S*?)\{\{/g,
    )) {
      for (const [, name] of list.matchAll(/"([^"]+)"/g)) said.add(`static/${folder}${name}.js`);
    }
    for (const [, path] of text.matchAll(
      /(?:modulepreload" href|type="module" src)="\{\{ static \}\}\/(js\/[^"{]+\.js)"/g,
    )) {
      said.add(`static/${path}`);
    }
    for (const [, path] of text.matchAll(/type="module" src="\{\{ static \}\}\/([^"]+)"/g)) {
      closure(`static/${path}`, needed);
    }
  }
  assert.ok(needed.size > 40);
  assert.deepEqual([...needed].filter((path) => !said.has(path)).sort(), []);
  assert.deepEqual([...said].filter((path) => !needed.has(path)).sort(), []);
});
