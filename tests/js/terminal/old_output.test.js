// What is old is neither answered nor copied: what is drawn again, and what was printed meanwhile.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { setUpPage, socket } from "../scripted_socket.js";
import { attached, begun, keys } from "./scripted_terminal.js";

let ground;
beforeEach(() => (ground = setUpPage()));
afterEach(() => ground.done());

test("questions in old output are not answered, those in new output by one page only", () => {
  const { connection, draw } = begun();
  socket().output("old \x1b[c");
  assert.equal(connection.mayAnswer, false);
  draw();
  ground.tick(400);
  assert.equal(connection.mayAnswer, true);
  const other = { id: 2, name: "bob", mode: "type", keyboard: true, columns: 80, rows: 24 };
  socket().say({ op: "people", people: [{ ...other }, { ...other, id: 1, keyboard: false }] });
  assert.equal(connection.mayAnswer, false);
  connection.close();
});

test("old output ends where the server says", () => {
  const { connection, draw } = begun({ end: 4 });
  socket().output("old ");
  assert.equal(connection.mayAnswer, false);
  draw();
  assert.equal(connection.mayAnswer, true);
  connection.close();
});

test("of a new terminal nothing is old: what its program asks first is answered", () => {
  const { connection } = begun({ end: 0 });
  socket().output("new \x1b[c");
  assert.equal(connection.mayAnswer, true);
  assert.equal(connection.mayCopy, true);
  connection.close();
});

test("typing does not make old output new", () => {
  const { connection, draw } = begun({ end: 4 });
  socket().output("old ");
  connection.type(keys("x"));
  assert.equal(connection.mayAnswer, false);
  assert.equal(connection.mayCopy, false);
  draw();
  assert.equal(connection.mayAnswer, true);
  connection.close();
});

test("what was printed while the page was away is not copied, what it asks is answered", () => {
  const { connection, draw } = begun({ end: 0 });
  socket().output("here");
  draw();
  assert.equal(connection.mayCopy, true);
  socket().drop();
  ground.tick(2000);
  socket().accept();
  socket().say(attached({ offset: 4, end: 9, reset: false }));
  socket().output("while");
  assert.equal(connection.mayAnswer, true);
  assert.equal(connection.mayCopy, false);
  draw();
  assert.equal(connection.mayCopy, true);
  connection.close();
});

test("neither of them reaches who is not at the keyboard, nor a screen that is begun anew", () => {
  const { connection, draw } = begun({ mode: "own", end: 0 });
  socket().say({ op: "reset", offset: 90, end: 95, restore: "", skipped: 90 });
  socket().output("again");
  assert.deepEqual([connection.mayAnswer, connection.mayCopy], [false, false]);
  draw();
  assert.deepEqual([connection.mayAnswer, connection.mayCopy], [true, true]);
  socket().say({ op: "mode", mode: "watch" });
  assert.deepEqual([connection.mayAnswer, connection.mayCopy], [false, false]);
  connection.close();
});
