// What a page asks for is asked for at once: a module that is only found by reading another one
// costs a round trip before the first line is seen.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const root = new URL("../..", import.meta.url);
const read = (/** @type {string} */ path) => readFileSync(new URL(path, root), "utf8");

// What comes when the reader asks for it: a page is not to load it before.
const ON_DEMAND = ["panel_terminal", "upload_dialog", "download_dialog"].map(
  (name) => `static/js/terminal/${name}.js`,
);

/**
 * Every module that a module imports, itself too.
 * @param {string} path
 * @param {Set<string>} found
 */
function closure(path, found) {
  if (found.has(path) || ON_DEMAND.includes(path)) return;
  found.add(path);
  const imports = /^(?:import|export)\b[^;]*?"(\.[^"]+)";|\bimport\("(\.[^"]+)"\)/gms;
  for (const [, always, later] of read(path).matchAll(imports)) {
    const to = always ?? later;
    closure(new URL(to, new URL(path, root)).href.slice(root.href.length), found);
  }
}

/** What a page's template is made of. @type {Record<string, string[]>} */
const PAGES = {
  log: ["frame", "app", "logs"],
  terminal: ["frame", "app", "terminal", "terminal_parts"],
  "shared terminal": ["frame", "terminal_session", "terminal_parts"],
};

for (const [page, names] of Object.entries(PAGES)) {
  test(`the ${page} page preloads every module it is made of`, () => check(names));
}

/** @param {string[]} names */
function check(names) {
  const templates = names.map((name) => read(`cloudbang/web/pages/templates/${name}.html`));
  /** @type {Set<string>} */
  const said = new Set();
  /** @type {Set<string>} */
  const needed = new Set();
  for (const text of templates) {
    for (const [, list, folder] of text.matchAll(
      /\{% for name in \(([^)]*)\)[^%]*%\}\s*<link rel="modulepreload" href="\{\{ static \}\}\/((?:js|vendor)\/\S*?)\{\{/g,
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
}
