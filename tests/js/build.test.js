// What is served: the same from the same sources, whole, and asked for at once. A module that is
// only found by reading another one costs a round trip before the first line is seen.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { brotliDecompressSync, gunzipSync } from "node:zlib";

const root = new URL("../../", import.meta.url).pathname;
const folders = [1, 2].map(() => mkdtempSync(join(tmpdir(), "build-")));
/** @type {{ pages: Record<string, { script: string, imports: string[], style: string }>, files: Record<string, string>, made: string[] }} */
let manifest;

const read = (/** @type {string} */ name, folder = folders[0]) => readFileSync(join(folder, name));

before(async () => {
  // The second folder holds the build before, and one before that.
  const made = { pages: {}, files: {}, made: ["before-AAAAAAAA.js"] };
  writeFileSync(join(folders[1], "manifest.json"), JSON.stringify(made));
  writeFileSync(join(folders[1], "before-AAAAAAAA.js"), "//");
  writeFileSync(join(folders[1], "earlier-AAAAAAAA.js"), "//");
  const build = (/** @type {string} */ folder) =>
    promisify(execFile)("node", ["scripts/build.mjs", folder], { cwd: root });
  await Promise.all(folders.map(build));
  manifest = JSON.parse(read("manifest.json").toString());
});

after(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

test("the same sources make the same bytes", () => {
  for (const name of readdirSync(folders[0])) {
    assert.ok(read(name).equals(read(name, folders[1])), name);
  }
});

test("the files of the build before stay for pages that are open, older ones go", () => {
  const there = readdirSync(folders[1]);
  assert.ok(there.includes("before-AAAAAAAA.js"));
  assert.ok(!there.includes("earlier-AAAAAAAA.js"));
});

test("every page of the sources is built", () => {
  const pages = readdirSync(join(root, "static/js"), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith("_page.js"))
    .map((name) => name.slice(0, -".js".length));
  assert.ok(pages.length >= 10);
  assert.deepEqual(Object.keys(manifest.pages).sort(), pages.sort());
});

/**
 * Every file that a script imports, itself too.
 * @param {string} name
 * @param {Set<string>} found
 */
function closure(name, found = new Set()) {
  if (found.has(name)) return found;
  found.add(name);
  const imports = /\b(?:import|export)\b[^;"()]*?"\.\/([^"]+)"/g;
  for (const [, other] of read(name).toString().matchAll(imports)) closure(other, found);
  return found;
}

test("a page asks for every file that its script is made of, and for no other", () => {
  for (const [page, { script, imports }] of Object.entries(manifest.pages)) {
    assert.deepEqual([script, ...imports].sort(), [...closure(script)].sort(), page);
  }
});

test("what a page shares with others is in few files", () => {
  for (const [page, { imports }] of Object.entries(manifest.pages)) {
    assert.ok(imports.length <= 6, `${page}: ${imports}`);
  }
  assert.deepEqual(manifest.pages["sign_in/sign_in_page"].imports, []);
});

test("xterm.js comes with the pages of terminals, and with no other before it is asked for", () => {
  const has = (/** @type {string} */ page) =>
    [...closure(manifest.pages[page].script)].some((name) =>
      read(name).includes("xterm-helper-textarea"),
    );
  const with_it = Object.keys(manifest.pages).filter(has);
  assert.deepEqual(with_it.sort(), [
    "recordings/replay_page",
    "terminal/session_page",
    "terminal/terminal_page",
  ]);
});

test("what is packed is what is not packed, and smaller", () => {
  const unpack = { gz: gunzipSync, br: brotliDecompressSync };
  const names = readdirSync(folders[0]);
  for (const [end, plain] of Object.entries(unpack)) {
    const packed = names.filter((name) => name.endsWith(`.${end}`));
    assert.ok(packed.length > 20);
    for (const name of packed) {
      const whole = read(name.slice(0, -end.length - 1));
      assert.ok(plain(read(name)).equals(whole), name);
      assert.ok(read(name).length < whole.length, name);
    }
  }
});

test("a script says where its map is, and the map holds its sources", () => {
  for (const { script } of Object.values(manifest.pages)) {
    const [, map] = /\/\/# sourceMappingURL=(\S+)\s*$/.exec(read(script).toString()) ?? [];
    assert.ok(map, script);
    assert.ok(JSON.parse(read(map).toString()).sourcesContent.length, script);
  }
});

test("nothing is asked for from elsewhere and nothing is evaluated", () => {
  for (const name of manifest.made.filter((one) => /\.(js|css)$/.test(one))) {
    const text = read(name).toString();
    assert.doesNotMatch(text, /@import|url\(["']?https?:|\beval\(|new Function\(/, name);
  }
});

test("what draws charts is asked for by pages with charts alone", () => {
  const charted = Object.keys(manifest.pages).filter((page) =>
    [...closure(manifest.pages[page].script)].some((name) => read(name).includes("u-over")),
  );
  assert.deepEqual(charted.sort(), ["metrics/metrics_page", "metrics/traffic_page"]);
});
