// What is typed and pasted reaches the server in order, once, and in pieces it can take.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Outgoing } from "../../../static/js/terminal/input_buffer.js";

const bytes = (text) => new TextEncoder().encode(text);
const text = (pieces) => new TextDecoder().decode(Buffer.concat(pieces));

/** All that goes now. */
function drain(outgoing) {
  const pieces = [];
  for (let piece; (piece = outgoing.next());) pieces.push(piece);
  return pieces;
}

/** All that goes when the server confirms whatever it gets. */
function drainConfirmed(outgoing, from = 0) {
  const pieces = [];
  let offset = from;
  for (let some; (some = drain(outgoing)).length;) {
    pieces.push(...some);
    offset += some.reduce((sum, piece) => sum + piece.length, 0);
    outgoing.confirm(offset);
  }
  return pieces;
}

test("keys that were pressed before there was a connection go as one message", () => {
  const outgoing = new Outgoing();
  for (const key of "ls\r") outgoing.type(bytes(key));
  assert.equal(outgoing.unconfirmed, 3);
  outgoing.attached(0);
  assert.deepEqual(
    drain(outgoing).map((piece) => text([piece])),
    ["ls\r"],
  );
  assert.equal(outgoing.next(), null);
  outgoing.confirm(3);
  assert.equal(outgoing.unconfirmed, 0);
});

test("after a loss exactly what the server does not have goes again", () => {
  const outgoing = new Outgoing();
  outgoing.attached(100);
  for (const key of ["echo ", "hello", "\r"]) {
    outgoing.type(bytes(key));
    drain(outgoing);
  }
  outgoing.confirm(102);
  outgoing.type(bytes("while away"));
  outgoing.attached(107);
  assert.equal(text(drain(outgoing)), "llo\rwhile away");
  outgoing.attached(121);
  assert.equal(drain(outgoing).length, 0);
});

test("a server that counts anew is sent what it never confirmed", () => {
  const outgoing = new Outgoing();
  outgoing.attached(50);
  outgoing.type(bytes("abc"));
  drain(outgoing);
  outgoing.attached(0);
  assert.equal(text(drain(outgoing)), "abc");
});

test("no more than 1 MiB is on its way, in pieces of 256 KiB at most", () => {
  const outgoing = new Outgoing();
  outgoing.attached(0);
  outgoing.paste("x".repeat(5_000_000), false);
  const first = drain(outgoing);
  assert.equal(
    first.reduce((sum, piece) => sum + piece.length, 0),
    1024 * 1024,
  );
  assert.ok(first.every((piece) => piece.length <= 256 * 1024));
  assert.equal(outgoing.next(), null);
  outgoing.confirm(1024);
  assert.equal(
    drain(outgoing).reduce((sum, piece) => sum + piece.length, 0),
    1024,
  );
  const { at, total } = outgoing.pasting;
  assert.ok(at < total && at > 1_000_000);
});

test("a paste arrives whole, cut only between characters, with Enter for each line end", () => {
  for (const part of ["中文 ", "👨‍👩‍👧", "line\r\n", "a\n", "é"]) {
    const pasted = part.repeat(300_000);
    const outgoing = new Outgoing();
    outgoing.attached(0);
    outgoing.paste(pasted, true);
    const pieces = drainConfirmed(outgoing);
    for (const piece of pieces) {
      new TextDecoder("utf-8", { fatal: true }).decode(piece);
      assert.ok(piece.length <= 256 * 1024);
    }
    assert.equal(text(pieces), `\x1b[200~${pasted.replace(/\r?\n/g, "\r")}\x1b[201~`);
    assert.equal(outgoing.pasting, null);
  }
});

test("what is pasted cannot end its own brackets", () => {
  const outgoing = new Outgoing();
  outgoing.attached(0);
  outgoing.paste("a\x1b[201~rm -rf /\n", true);
  assert.equal(text(drain(outgoing)), "\x1b[200~a\u241b[201~rm -rf /\r\x1b[201~");
});

test("a paste that is cancelled closes its brackets, and keys go after it", () => {
  const outgoing = new Outgoing();
  outgoing.attached(0);
  outgoing.paste("x".repeat(3_000_000), true);
  const first = drain(outgoing);
  outgoing.cancelPaste();
  assert.equal(outgoing.pasting, null, "nobody is told that it goes on");
  outgoing.type(bytes("\x03"));
  outgoing.confirm(1024 * 1024);
  const rest = text(drainConfirmed(outgoing, 1024 * 1024));
  assert.equal(text(first).length, 1024 * 1024);
  assert.equal(rest, "\x1b[201~\x03");
});

test("a paste that had not begun leaves no trace when it is cancelled", () => {
  const outgoing = new Outgoing();
  outgoing.paste("secret", true);
  outgoing.cancelPaste();
  outgoing.attached(0);
  assert.equal(drain(outgoing).length, 0);
  assert.equal(outgoing.pasting, null);
});

test("keys typed after a paste come after it", () => {
  const outgoing = new Outgoing();
  outgoing.type(bytes("a"));
  outgoing.paste("b".repeat(2_000_000), false);
  outgoing.type(bytes("c"));
  outgoing.attached(0);
  const all = text(drainConfirmed(outgoing));
  assert.equal(all, `a${"b".repeat(2_000_000)}c`);
  assert.equal(outgoing.unconfirmed, 0);
});

test("while the server is away a megabyte of keys waits, then keys are refused", () => {
  const outgoing = new Outgoing();
  assert.equal(outgoing.type(new Uint8Array(1024 * 1024)), true);
  assert.equal(outgoing.type(bytes("x")), false);
  outgoing.attached(0);
  drain(outgoing);
  assert.equal(outgoing.type(bytes("x")), true);
});
