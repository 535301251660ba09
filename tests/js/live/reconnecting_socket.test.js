// A socket that may be dead is asked, and one that does not answer is opened again.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { ReconnectingSocket } from "../../../static/js/live/reconnecting_socket.js";
import { setUpPage, socket } from "../scripted_socket.js";

let ground;
beforeEach(() => (ground = setUpPage()));
afterEach(() => ground.done());

function open() {
  const made = new ReconnectingSocket("/websocket", "x");
  made.start();
  socket().accept();
  return made;
}

/** So many messages, so many ms apart. */
function hears(count, apart) {
  for (let n = 0; n < count; n += 1) {
    ground.tick(apart);
    socket().say({ op: "lines" });
  }
}

const asked = () => socket().sent.filter(({ op }) => op === "ping").length;

test("a busy channel that goes quiet is given up within a few seconds", () => {
  const made = open();
  hears(40, 100);
  ground.tick(3_000);
  assert.equal(asked(), 1);
  assert.equal(made.state, "live");
  ground.tick(4_000);
  assert.equal(made.state, "waiting");
});

test("a busy channel that has nothing more to say stays, and is asked once", () => {
  const made = open();
  hears(40, 100);
  ground.tick(3_000);
  socket().say({ op: "pong" });
  ground.tick(15_000);
  assert.equal(made.state, "live");
  assert.equal(asked(), 1);
});

test("a channel where something comes now and then is asked as seldom as ever", () => {
  const made = open();
  hears(10, 3_000);
  ground.tick(15_000);
  assert.equal(asked(), 0);
  ground.tick(7_000);
  assert.equal(asked(), 1);
  ground.tick(9_000);
  assert.equal(made.state, "live");
  ground.tick(3_000);
  assert.equal(made.state, "waiting");
});

test("what is said and gets no word in return is reason enough to ask", () => {
  const made = open();
  ground.tick(10_000);
  made.expectAnswer();
  ground.tick(2_000);
  assert.equal(asked(), 1);
  ground.tick(4_000);
  assert.equal(made.state, "waiting");
});

test("what is answered is no reason", () => {
  const made = open();
  ground.tick(10_000);
  made.expectAnswer();
  ground.tick(500);
  socket().say({ op: "input" });
  ground.tick(10_000);
  assert.equal(asked(), 0);
  assert.equal(made.state, "live");
});
