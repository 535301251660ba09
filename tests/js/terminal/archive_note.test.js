// The note at the end of a folder's archive is found, and nothing else is taken for one.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

import { noteIn } from "../../../static/js/terminal/archive_note.js";

/** What the server makes. @param {string} said */
function note(said) {
  const code = `import sys; from cloudbang.terminals.archive_note import note;
sys.stdout.buffer.write(bytes(1536) + note(sys.argv[1], 0))`;
  return new Uint8Array(execFileSync(".venv/bin/python", ["-c", code, said]));
}

test("what is missing and what changed is told", () => {
  const missing = note("tar: ./d/密: Cannot open: Permission denied\n\ntar: ./e: no");
  assert.deepEqual(noteIn(missing), {
    kind: "missing",
    said: "tar: ./d/密: Cannot open: Permission denied\ntar: ./e: no",
  });
  const changed = note("tar: ./d/a: file changed as we read it");
  assert.equal(noteIn(changed)?.kind, "changed");
});

test("a file of that name that is not the last is none", () => {
  const made = note("tar: ./d/a: Cannot open: no");
  const longer = new Uint8Array(made.length + 512);
  longer.set(made);
  assert.equal(noteIn(longer), null);
  assert.equal(noteIn(made.subarray(0, 1024)), null);
  assert.equal(noteIn(new Uint8Array(10240)), null);
  assert.equal(noteIn(new Uint8Array(0)), null);
});
