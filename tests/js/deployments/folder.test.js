// A folder packed in the page.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

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
