// A folder packed in the page.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import {
  droppedFolder,
  packed,
  Unreadable,
  unreadableIn,
} from "../../../static/js/deployments/folder.js";
import { isIgnored, rulesOf } from "../../../static/js/deployments/ignored.js";
import { tarOf } from "../../../static/js/deployments/tar.js";

test("tar reads what was packed: long, Chinese and executable names, empty files", async () => {
  const long = `${"folder/".repeat(30)}file.txt`;
  const files = { "a.txt": "one\n", "文件夹/说明.md": "二\n", empty: "", [long]: "x".repeat(1024) };
  const entries = Object.entries(files).map(([path, text]) => {
    const body = new TextEncoder().encode(text);
    return { path, size: body.length, body, executable: path === "a.txt" };
  });
  const at = mkdtempSync(join(tmpdir(), "tar-"));
  try {
    const packed = await new Blob(tarOf(entries)).arrayBuffer();
    writeFileSync(join(at, "x.tar"), Buffer.from(packed));
    execFileSync("tar", ["-xf", "x.tar"], { cwd: at });
    for (const [path, text] of Object.entries(files)) {
      assert.equal(readFileSync(join(at, path), "utf8"), text);
    }
    assert.ok(statSync(join(at, "a.txt")).mode & 0o100);
    assert.ok(!(statSync(join(at, "empty")).mode & 0o100));
  } finally {
    rmSync(at, { recursive: true });
  }
});

test("a .dockerignore leaves out what Docker would", () => {
  const rules = rulesOf(
    "# comment\nnode_modules\n*.log\n!keep.log\n**/cache\n/build/\ntemp?\nsrc/[ab].txt\n.git\ndocs/**\n!docs/README.md\n",
  );
  const ignored = [
    ...["node_modules/a/b.js", "x.log", "cache", "a/b/cache/file", "build/out", "temp1"],
    ...["src/a.txt", ".git/config", "docs/a/b.md"],
  ];
  const kept = [
    ...["a/node_modules/b.js", "keep.log", "sub/x.log", "a/build/out", "temp12", "src/c.txt"],
    ...["docs/README.md", "main.py", "node_modules2"],
  ];
  assert.deepEqual(
    ignored.filter((path) => !isIgnored(path, rules)),
    [],
  );
  assert.deepEqual(
    kept.filter((path) => isIgnored(path, rules)),
    [],
  );
});

test("signs of expressions in a .dockerignore are letters", () => {
  const rules = rulesOf("a.b\n(x)\na+b\n\\*\n");
  assert.ok(!isIgnored("aXb", rules));
  assert.ok(isIgnored("(x)", rules));
  assert.ok(isIgnored("a+b", rules));
  assert.ok(isIgnored("*", rules));
  assert.ok(!isIgnored("other", rules));
});

/** Entries as a browser gives them, of a tree of texts; null is what may not be read. */
function entryOf(name, its) {
  if (typeof its === "string" || its === undefined) {
    const file = (give, fail) =>
      its === undefined ? fail(new Error("no")) : give(new File([its], name));
    return { name, isFile: true, isDirectory: false, file };
  }
  const all = Object.entries(its ?? {}).map(([one, of]) => entryOf(one, of));
  const createReader = () => ({
    readEntries: (give, fail) => (its === null ? fail(new Error("no")) : give(all.splice(0, 100))),
  });
  return { name, isFile: false, isDirectory: true, createReader };
}

const dropped = (...entries) =>
  droppedFolder(
    entries.map((entry) => ({ webkitGetAsEntry: () => entry })),
    ["package.json"],
  );

test("a dropped folder is taken with what is below it, a hundred entries at a time", async () => {
  const many = Object.fromEntries(Array.from({ length: 250 }, (_, n) => [`f${n}`, "x"]));
  const shop = { Dockerfile: "FROM x", ".git": { config: "x" }, sub: { ".git": null, deep: many } };
  const folder = await dropped(entryOf("shop", { ...shop, "package.json": "{}" }));
  assert.equal(folder.name, "shop");
  assert.equal(folder.files.length, 252);
  assert.equal(folder.bytes, 258);
  assert.deepEqual(folder.texts, { Dockerfile: "FROM x", "package.json": "{}" });
  const several = await dropped(entryOf("a.txt", "a"), entryOf("b", { "c.txt": "c" }));
  assert.deepEqual(
    [several.name, several.files.map(({ path }) => path)],
    ["", ["a.txt", "b/c.txt"]],
  );
});

test("what .dockerignore names is not read, and may be what nobody may read", async () => {
  const shop = {
    ".dockerignore": "data\nmodules\n*.sock\nci\n",
    data: null,
    modules: { a: "a", b: "b" },
    "x.sock": undefined,
    ci: { Dockerfile: "FROM y", other: undefined },
    kept: "k",
  };
  const folder = await dropped(entryOf("shop", shop));
  const paths = folder.files.map(({ path }) => path);
  assert.deepEqual(paths, [".dockerignore", "ci/Dockerfile", "kept"]);
  assert.equal(folder.left, 4);
  const excepted = { ...shop, data: { a: "a" }, "x.sock": "", ci: {} };
  excepted[".dockerignore"] += "!data/a\n";
  const found = await dropped(entryOf("shop", excepted));
  assert.deepEqual(
    found.files.map(({ path }) => path),
    [".dockerignore", "data/a", "kept"],
  );
});

test("what cannot be read is named", async () => {
  for (const [shop, path] of [
    [{ sub: { key: undefined } }, "sub/key"],
    [{ sub: { data: null } }, "sub/data"],
  ]) {
    await assert.rejects(dropped(entryOf("shop", shop)), (e) => {
      assert.ok(e instanceof Unreadable);
      assert.equal(e.path, path);
      return true;
    });
  }
  const folder = await dropped(entryOf("shop", { a: "a", b: "b" }));
  const archive = packed(folder);
  assert.equal(await unreadableIn(archive), "");
  folder.files[1].file.slice = () => ({ arrayBuffer: () => Promise.reject(new Error("gone")) });
  assert.equal(await unreadableIn(archive), "b");
});
