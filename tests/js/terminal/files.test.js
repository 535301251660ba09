// Files into a container: the window is kept, the order is kept, the end is told.

import assert from "node:assert/strict";
import { test } from "node:test";

import { formatBytes, formatDuration } from "../../../static/js/lib/i18n.js";
import {
  fileErrorWords,
  FileRefused,
  FileUpload,
} from "../../../static/js/terminal/file_upload.js";
import { commandWords, endWords } from "../../../static/js/terminal/session_info.js";

const CHUNK = 262_144;

/** @param {number} size */
function source(size) {
  const bytes = Uint8Array.from({ length: size }, (_, i) => i % 251);
  return { name: "a file.bin", size, bytes, read: async (from, to) => bytes.slice(from, to) };
}

/** A server that takes what comes. @param {number} size */
function begin(size) {
  const file = source(size);
  /** @type {any[]} */
  const sent = [];
  const put = new FileUpload(file, (message) => sent.push(message));
  put.begin("0123456789abcdef", "/app");
  const chunks = () => sent.filter((one) => typeof one !== "string");
  return { file, put, sent, chunks };
}
const settle = () => new Promise((resolve) => setTimeout(resolve));

test("a file is announced, then sent no further than the window", async () => {
  const { file, put, sent, chunks } = begin(CHUNK * 3 + 10);
  assert.deepEqual(JSON.parse(sent[0]), {
    op: "put",
    session: "0123456789abcdef",
    folder: "/app",
    name: "a file.bin",
    size: CHUNK * 3 + 10,
  });
  await settle();
  assert.equal(chunks().length, 0, "nothing before the server says go");
  put.receive({ op: "go", path: "/app/a file.bin", window: CHUNK * 2 });
  await settle();
  assert.equal(put.sent, CHUNK * 2);
  put.receive({ op: "got", offset: CHUNK });
  await settle();
  assert.equal(put.sent, CHUNK * 3);
  put.receive({ op: "got", offset: CHUNK * 3 });
  await settle();
  assert.equal(put.sent, file.size);
  assert.ok(chunks().every((one) => one.byteLength <= CHUNK));
  const all = Buffer.concat(chunks());
  assert.deepEqual(new Uint8Array(all), file.bytes);
  put.receive({ op: "done", path: "/app/a file.bin", size: file.size });
  assert.equal(await put.done, "/app/a file.bin");
  assert.equal(put.confirmed, file.size);
});

test("an empty file has nothing to send", async () => {
  const { put, chunks } = begin(0);
  put.receive({ op: "go", path: "/app/x", window: CHUNK });
  await settle();
  assert.equal(chunks().length, 0);
  put.receive({ op: "done", path: "/app/x", size: 0 });
  assert.equal(await put.done, "/app/x");
});

test("answers that come while a part is read do not send it twice", async () => {
  const { file, put, chunks } = begin(CHUNK * 8);
  put.receive({ op: "go", path: "/x", window: CHUNK });
  for (let i = 1; i <= 8; i++) {
    put.receive({ op: "got", offset: put.sent });
    put.receive({ op: "got", offset: put.sent });
    await settle();
  }
  assert.equal(Buffer.concat(chunks()).length, file.size);
});

test("a server that confirms more than was sent opens no window", async () => {
  const { put } = begin(CHUNK * 4);
  put.receive({ op: "go", path: "/x", window: CHUNK });
  await settle();
  put.receive({ op: "got", offset: CHUNK * 100 });
  await settle();
  assert.equal(put.confirmed, CHUNK);
  assert.equal(put.sent, CHUNK * 2);
});

test("a refusal, a lost socket and a file that was changed end it", async () => {
  const refused = begin(10).put;
  refused.receive({ op: "error", code: "too-large", message: "at most 1 GB" });
  await assert.rejects(refused.done, (e) => e instanceof FileRefused && e.code === "too-large");
  const lost = begin(10).put;
  lost.fail(new FileRefused("lost", ""));
  lost.receive({ op: "done", path: "/x" });
  await assert.rejects(lost.done, { code: "lost" });
  const changed = new FileUpload(
    { name: "x", size: 10, read: async () => new Uint8Array(3) },
    () => {},
  );
  changed.receive({ op: "go", path: "/x", window: 100 });
  await assert.rejects(changed.done, { code: "changed" });
  assert.equal(changed.sent, 0);
});

test("amounts in words", () => {
  assert.equal(formatBytes(0), "0 B");
  assert.equal(formatBytes(999), "999 B");
  assert.equal(formatBytes(12_345), "12.3 kB");
  assert.equal(formatBytes(999_960), "1 MB");
  assert.equal(formatDuration(0.2), "under a second");
  assert.equal(formatDuration(59.9), "59 s");
  assert.equal(formatDuration(60), "1 min");
  assert.equal(formatDuration(3725), "1 h 2 min");
  assert.equal(formatDuration(90_000), "1 day");
});

test("a command as it would be typed, an end as one would say it", () => {
  const terminal = {
    kind: "exec",
    command: ["sh", "-c", "echo 'hi'"],
    reason: "exit",
    exit_code: 3,
  };
  assert.equal(commandWords(terminal), `sh -c 'echo '\\''hi'\\'''`);
  assert.equal(commandWords({ ...terminal, command: [] }), "shell");
  assert.equal(endWords(terminal), "Its program ended, exit code 3");
  assert.equal(
    endWords({ ...terminal, reason: "idle", exit_code: null }),
    "Nobody used it for too long",
  );
});

test("what a socket says against a file, in words", () => {
  const large = "/app/x has 2000000 bytes, and at most 1000000 may be moved";
  assert.equal(
    fileErrorWords("file-too-large", large),
    "/app/x has 2 MB, and at most 1 MB may be moved.",
  );
  const refused = "/app/a: b: it is read-only";
  assert.equal(fileErrorWords("file-refused", refused), refused);
  assert.equal(fileErrorWords("bad-request", "no such op"), "No such op");
});
