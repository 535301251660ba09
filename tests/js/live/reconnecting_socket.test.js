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
  document.visibilityState = "hidden";
  const made = open();
  hears(40, 100);
  ground.tick(3_000);
  socket().say({ op: "pong" });
  ground.tick(15_000);
  assert.equal(made.state, "live");
  assert.equal(asked(), 1);
});

test("a page that is looked at says within 4 s that nobody answers, where nothing comes", () => {
  let made;
  for (const apart of [0, 300, 900]) {
    made?.stop();
    made = open();
    ground.tick(apart);
    socket().say({ op: "lines" });
    const heard = Date.now();
    while (made.silentSince === null) ground.tick(100);
    assert.equal(made.silentSince, heard);
    assert.ok(Date.now() - heard <= 4_000);
    assert.equal(made.state, "live");
  }
  socket().say({ op: "pong" });
  assert.equal(made.silentSince, null);
  for (let second = 0; second < 9; second += 1) ground.tick(1_000);
  assert.notEqual(made.state, "live");
});

test("a page that is looked at asks each 3 s, and only while nothing comes", () => {
  const began = Date.now();
  const made = open();
  for (let answered = 0; answered < 10; answered += 1) {
    while (asked() === answered) ground.tick(50);
    ground.tick(50);
    socket().say({ op: "pong" });
  }
  assert.equal(Date.now() - began, 10 * 3_000 - 950);
  const before = asked();
  hears(100, 500);
  assert.equal(asked(), before);
  assert.equal(made.silentSince, null);
});

test("where answers always take long, that alone is not said", () => {
  const made = open();
  let said = 0;
  made.addEventListener("state", () => (said += made.silentSince === null ? 0 : 1));
  for (let round = 0; round < 20; round += 1) {
    while (made.silentSince === null && asked() <= round) ground.tick(100);
    ground.tick(1_400);
    socket().say({ op: "pong" });
  }
  assert.ok(said <= 1, `${said}`);
});

test("a channel where something comes now and then is asked as seldom as ever behind another tab", () => {
  document.visibilityState = "hidden";
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
  document.visibilityState = "hidden";
  const made = open();
  ground.tick(10_000);
  made.expectAnswer();
  ground.tick(2_000);
  assert.equal(asked(), 1);
  ground.tick(4_000);
  assert.equal(made.state, "waiting");
});

test("what is answered is no reason", () => {
  document.visibilityState = "hidden";
  const made = open();
  ground.tick(10_000);
  made.expectAnswer();
  ground.tick(500);
  socket().say({ op: "input" });
  ground.tick(10_000);
  assert.equal(asked(), 0);
  assert.equal(made.state, "live");
});
