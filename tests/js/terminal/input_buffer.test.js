// What is typed and pasted reaches the server in order, once, and in pieces it can take.

import assert from "node:assert/strict";
import { test } from "node:test";

import { InputBuffer } from "../../../static/js/terminal/input_buffer.js";

const bytes = (text) => new TextEncoder().encode(text);
const text = (pieces) => new TextDecoder().decode(Buffer.concat(pieces));

/** All that goes now. */
function drain(input) {
  const pieces = [];
  for (let piece; (piece = input.next());) pieces.push(piece);
  return pieces;
}

/** All that goes when the server confirms whatever it gets. */
function drainConfirmed(input, from = 0) {
  const pieces = [];
  let offset = from;
  for (let some; (some = drain(input)).length;) {
    pieces.push(...some);
    offset += some.reduce((sum, piece) => sum + piece.length, 0);
    input.confirm(offset);
  }
  return pieces;
}

test("keys that were pressed before there was a connection go as one message", () => {
  const input = new InputBuffer();
  for (const key of "ls\r") input.type(bytes(key));
  assert.equal(input.unconfirmed, 3);
  input.attached(0);
  assert.deepEqual(
    drain(input).map((piece) => text([piece])),
    ["ls\r"],
  );
  assert.equal(input.next(), null);
  input.confirm(3);
  assert.equal(input.unconfirmed, 0);
});

test("after a loss exactly what the server does not have goes again", () => {
  const input = new InputBuffer();
  input.attached(100);
  for (const key of ["echo ", "hello", "\r"]) {
    input.type(bytes(key));
    drain(input);
  }
  input.confirm(102);
  input.type(bytes("while away"));
  input.attached(107);
  assert.equal(text(drain(input)), "llo\rwhile away");
  input.attached(121);
  assert.equal(drain(input).length, 0);
});

test("a server that counts anew is sent what it never confirmed", () => {
  const input = new InputBuffer();
  input.attached(50);
  input.type(bytes("abc"));
  drain(input);
  input.attached(0);
  assert.equal(text(drain(input)), "abc");
});

test("no more than 1 MiB is on its way, in pieces of 256 KiB at most", () => {
  const input = new InputBuffer();
  input.attached(0);
  input.paste("x".repeat(5_000_000), false);
  const first = drain(input);
  assert.equal(
    first.reduce((sum, piece) => sum + piece.length, 0),
    1024 * 1024,
  );
  assert.ok(first.every((piece) => piece.length <= 256 * 1024));
  assert.equal(input.next(), null);
  input.confirm(1024);
  assert.equal(
    drain(input).reduce((sum, piece) => sum + piece.length, 0),
    1024,
  );
  const { at, total } = input.pasting;
  assert.ok(at < total && at > 1_000_000);
});

test("a paste arrives whole, cut only between characters, with Enter for each line end", () => {
  for (const part of ["中文 ", "👨‍👩‍👧", "line\r\n", "a\n", "é"]) {
    const pasted = part.repeat(300_000);
    const input = new InputBuffer();
    input.attached(0);
    input.paste(pasted, true);
    const pieces = drainConfirmed(input);
    for (const piece of pieces) {
      new TextDecoder("utf-8", { fatal: true }).decode(piece);
      assert.ok(piece.length <= 256 * 1024);
    }
    assert.equal(text(pieces), `\x1b[200~${pasted.replace(/\r?\n/g, "\r")}\x1b[201~`);
    assert.equal(input.pasting, null);
  }
});

test("what is pasted cannot end its own brackets", () => {
  const input = new InputBuffer();
  input.attached(0);
  input.paste("a\x1b[201~rm -rf /\n", true);
  assert.equal(text(drain(input)), "\x1b[200~a\u241b[201~rm -rf /\r\x1b[201~");
});

test("control characters do not get through a paste, but for tabs and line ends", () => {
  const all = Array.from({ length: 0xa1 }, (_, code) => String.fromCharCode(code)).join("");
  for (const bracketed of [true, false]) {
    const input = new InputBuffer();
    input.attached(0);
    input.paste(`${all}\r\n好`, bracketed);
    const inside = text(drain(input)).replaceAll(/\x1b\[20[01]~/g, "");
    assert.doesNotMatch(inside, /[\x00-\x08\x0a-\x0c\x0e-\x1f\x7f-\x9f]/);
    assert.ok(inside.startsWith("\u2400\u2401\u2402\u2403"));
    assert.ok(inside.includes("\t\r\u240b"));
    assert.ok(inside.includes("\u241b"));
    assert.ok(inside.endsWith("\u00a0\r好"));
  }
});

test("a paste that is cancelled closes its brackets, and keys go after it", () => {
  const input = new InputBuffer();
  input.attached(0);
  input.paste("x".repeat(3_000_000), true);
  const first = drain(input);
  input.cancelPaste();
  assert.equal(input.pasting, null, "nobody is told that it goes on");
  input.type(bytes("\x03"));
  input.confirm(1024 * 1024);
  const rest = text(drainConfirmed(input, 1024 * 1024));
  assert.equal(text(first).length, 1024 * 1024);
  assert.equal(rest, "\x1b[201~\x03");
});

test("a paste that had not begun leaves no trace when it is cancelled", () => {
  const input = new InputBuffer();
  input.paste("secret", true);
  input.cancelPaste();
  input.attached(0);
  assert.equal(drain(input).length, 0);
  assert.equal(input.pasting, null);
});

test("keys typed after a paste come after it", () => {
  const input = new InputBuffer();
  input.type(bytes("a"));
  input.paste("b".repeat(2_000_000), false);
  input.type(bytes("c"));
  input.attached(0);
  const all = text(drainConfirmed(input));
  assert.equal(all, `a${"b".repeat(2_000_000)}c`);
  assert.equal(input.unconfirmed, 0);
});

test("while the server is away a megabyte of keys waits, then keys are refused", () => {
  const input = new InputBuffer();
  assert.equal(input.type(new Uint8Array(1024 * 1024)), true);
  assert.equal(input.type(bytes("x")), false);
  input.attached(0);
  drain(input);
  assert.equal(input.type(bytes("x")), true);
});
