// cloudbang.tty.v1 as the page speaks it, with a server that is the test.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { setComesBack } from "../../../static/js/live/sign_in_redirect.js";
import { setUpPage, socket, sockets } from "../scripted_socket.js";
import { SIZE, TICKET, attached, begun, keys, made } from "./scripted_terminal.js";

let ground;
beforeEach(() => (ground = setUpPage()));
afterEach(() => ground.done());

test("a new terminal shows its ticket, its size and the name of its page", () => {
  const { connection } = made();
  assert.equal(socket().url, "wss://here/docker_console");
  assert.equal(socket().protocol, "cloudbang.tty.v1");
  socket().accept();
  const { session: _, ...ticket } = TICKET;
  assert.deepEqual(socket().sent, [{ ...ticket, ...SIZE, client: "tab" }]);
  assert.equal(connection.phase, "opening");
  socket().say(attached());
  assert.equal(connection.phase, "attached");
  connection.close();
});

test("a link that was shared shows its key", () => {
  const { connection } = made({ session: "5e55", key: "k" });
  socket().accept();
  assert.deepEqual(socket().sent[0], { session: "5e55", key: "k", client: "tab", ...SIZE });
  connection.close();
});

test("after a loss the output goes on at the next byte", () => {
  const { connection, screen, draw } = begun();
  socket().output("one ");
  draw();
  socket().drop();
  assert.equal(connection.phase, "away");
  ground.tick(2000);
  socket().accept();
  assert.deepEqual(socket().sent, [{ session: "5e55", after: 4, client: "tab", ...SIZE }]);
  socket().say(attached({ offset: 4, reset: false }));
  socket().output("two");
  assert.equal(screen.text, "one two");
  assert.equal(screen.resets.length, 1);
  connection.close();
});

test("what the page has already is not drawn twice", () => {
  const { connection, screen } = begun();
  socket().output("one ");
  socket().drop();
  ground.tick(2000);
  socket().accept();
  socket().say(attached({ offset: 1, reset: false }));
  socket().output("ne");
  socket().output(" two");
  assert.equal(screen.text, "one two");
  connection.close();
});

test("a screen that is too old is cleared and drawn anew", () => {
  const { connection, screen } = begun();
  socket().output("old");
  socket().drop();
  ground.tick(2000);
  socket().accept();
  socket().say(attached({ offset: 5000, reset: true, restore: "\x1b[?1049h" }));
  socket().output("new");
  assert.deepEqual(screen.resets.at(-1), ["\x1b[?1049h", 0]);
  assert.equal(screen.text, "new");
  connection.close();
});

test("what was drawn is told, often enough and not with every piece", () => {
  const { connection, draw } = begun();
  const acks = () =>
    socket()
      .sent.filter((one) => one.op === "ack")
      .map((one) => one.offset);
  for (let i = 0; i < 10; i++) socket().output("x".repeat(20));
  draw();
  assert.deepEqual(acks(), []);
  ground.tick(60);
  assert.deepEqual(acks(), [200]);
  socket().output("x".repeat(600));
  assert.deepEqual(acks(), [200]);
  draw();
  assert.deepEqual(acks(), [200, 800]);
  connection.close();
});

test("a watcher who fell behind goes on at a fresh screen; late drawing tells nothing", () => {
  const { connection, screen, draw } = begun({ mode: "watch" });
  socket().output("slow");
  socket().say({ op: "reset", offset: 9000, restore: "", skipped: 8996 });
  socket().output("fresh");
  assert.equal(screen.text, "fresh");
  assert.deepEqual(screen.resets.at(-1), ["", 8996]);
  draw();
  ground.tick(60);
  assert.deepEqual(
    socket().sent.filter((one) => one.op === "ack"),
    [{ op: "ack", offset: 9005 }],
  );
  connection.close();
});

test("keys typed while away are kept and go once it is back, each once", () => {
  const { connection } = begun();
  connection.type(keys("ec"));
  assert.equal(socket().sent.at(-1), "ec");
  socket().drop();
  connection.type(keys("ho\r"));
  assert.equal(connection.input.unconfirmed, 5);
  ground.tick(2000);
  socket().accept();
  socket().say(attached({ input: 1, reset: false }));
  assert.equal(socket().sent.slice(1).join(""), "cho\r");
  socket().say({ op: "input", offset: 5 });
  assert.equal(connection.input.unconfirmed, 0);
  connection.close();
});

test("a big paste waits for confirmations", () => {
  const { connection } = begun();
  connection.paste("x".repeat(2_500_000), false);
  const sent = () =>
    socket()
      .sent.filter((one) => typeof one === "string")
      .join("").length;
  assert.equal(sent(), 1024 * 1024);
  socket().say({ op: "input", offset: 1024 * 1024 });
  assert.equal(sent(), 2 * 1024 * 1024);
  connection.cancelPaste();
  socket().say({ op: "input", offset: 2 * 1024 * 1024 });
  assert.equal(sent(), 2 * 1024 * 1024);
  connection.close();
});

test("a ticket whose answer was lost is not used twice: its session is asked for first", () => {
  const { connection } = made();
  socket().accept();
  socket().drop();
  ground.tick(2000);
  socket().accept();
  assert.equal(socket().sent[0].session, "5e55");
  socket().say({ op: "error", code: "no-such-terminal", message: "no" });
  socket().drop(4403);
  assert.equal(connection.state, "waiting");
  ground.tick(4000);
  socket().accept();
  assert.equal(socket().sent[0].Md5, "x");
  socket().say(attached());
  assert.equal(connection.phase, "attached");
  connection.close();
});

test("a refusal is final and says why", () => {
  const { connection, screen } = made();
  socket().accept();
  socket().say({ op: "error", code: "too-many-terminals", message: "you have 128" });
  socket().drop(4403);
  assert.equal(connection.phase, "refused");
  assert.equal(connection.refusal.code, "too-many-terminals");
  assert.equal(screen.states.at(-1), "refused");
  ground.tick(60_000);
  assert.equal(sockets.length, 1);
});

test("an end is final and has its reason and code", () => {
  const { connection } = begun();
  socket().say({ op: "ended", reason: "exit", code: 130, message: "" });
  assert.equal(connection.phase, "ended");
  assert.deepEqual(connection.ended, { reason: "exit", code: 130, message: "" });
  ground.tick(60_000);
  assert.equal(sockets.length, 1);
  assert.equal(connection.type(keys("x")), false);
});

test("a page that was replaced by another one does not fight back", () => {
  const { connection } = begun();
  socket().drop(4409);
  assert.equal(connection.phase, "replaced");
  ground.tick(60_000);
  assert.equal(sockets.length, 1);
});

test("a server that stops is asked again, and then tells how it ended", () => {
  const { connection } = begun();
  socket().drop(1001);
  assert.equal(connection.phase, "away");
  ground.tick(2000);
  socket().accept();
  socket().say({ op: "ended", reason: "server-stopped", code: null, message: "" });
  assert.equal(connection.ended.reason, "server-stopped");
});

test("it is tried at once when the network is back", () => {
  const { connection } = begun();
  for (let i = 0; i < 6; i++) {
    socket().drop();
    ground.tick(16_000);
  }
  socket().drop();
  const before = sockets.length;
  assert.equal(connection.state, "waiting");
  ground.page.dispatchEvent(new Event("online"));
  assert.equal(sockets.length, before + 1);
  connection.close();
});

test("a socket that does not answer is given up", () => {
  const { connection } = begun();
  ground.tick(22_000);
  assert.deepEqual(socket().sent.at(-1), { op: "ping" });
  ground.tick(12_000);
  assert.equal(connection.phase, "away");
  connection.close();
});

test("who may only watch sends nothing", () => {
  const { connection } = begun({ mode: "watch" });
  const before = socket().sent.length;
  assert.equal(connection.type(keys("x")), false);
  assert.equal(connection.paste("x", false), false);
  assert.equal(socket().sent.length, before);
  socket().say({ op: "mode", mode: "type" });
  assert.equal(connection.type(keys("x")), true);
  connection.close();
});

test("a changed size is told once, and with the next beginning when there is no connection", () => {
  const { connection, screen } = begun();
  connection.resize(100, 30);
  connection.resize(100, 30);
  assert.deepEqual(socket().sent.slice(1), [{ op: "resize", columns: 100, rows: 30 }]);
  socket().say({ op: "size", columns: 90, rows: 30, by: [2] });
  assert.deepEqual(screen.sizes, [[90, 30, [2]]]);
  socket().drop();
  connection.resize(120, 40);
  ground.tick(2000);
  socket().accept();
  assert.deepEqual([socket().sent[0].columns, socket().sent[0].rows], [120, 40]);
  connection.close();
});

test("however many sockets hear that the session has ended, the page leaves once", () => {
  const gone = [];
  Object.assign(globalThis.location, {
    pathname: "/apps/a",
    assign: (to) => gone.push(to),
    reload: () => gone.push("again"),
  });
  for (const _ of [made(), made()]) socket().accept();
  const [one, two] = sockets;
  one.drop(4401);
  two.drop(4401);
  assert.deepEqual(gone, ["/sign-in?next=%2Fapps%2Fa"]);
  // Brought back by the browser as it was left, it begins anew.
  ground.page.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
  assert.deepEqual(gone.splice(0), ["/sign-in?next=%2Fapps%2Fa", "again"]);
  // A navigation that came to nothing is tried again; after a sign-out there is no way back.
  ground.tick(10_000);
  setComesBack(false);
  made();
  socket().drop(4401);
  setComesBack(true);
  assert.deepEqual(gone, ["/sign-in"]);
});

test("a key that nothing answers shows within seconds that the connection is dead", () => {
  const { connection } = begun();
  ground.tick(1_000);
  assert.equal(connection.type(keys("l")), true);
  ground.tick(2_000);
  assert.deepEqual(socket().sent.at(-1), { op: "ping" });
  ground.tick(4_000);
  assert.equal(connection.phase, "away");
  connection.close();
});

test("output that is drawn again is drawn in the sizes it was printed for", () => {
  const sizes = [
    [0, 80, 24],
    [3, 40, 10],
    [6, 100, 30],
  ];
  const { connection, screen, draw } = begun({ end: 8, sizes });
  socket().say({ op: "size", columns: 100, rows: 30, by: [1], offset: 8 });
  socket().output("onetwo");
  socket().output("by");
  socket().output("!");
  assert.equal(screen.text, "one[40x10]two[100x30]by[100x30]!");
  assert.deepEqual(screen.sizes, [[100, 30, [1]]]);
  draw();
  // A size that is told before the output that comes before it.
  socket().say({ op: "size", columns: 7, rows: 7, by: [1], offset: 12 });
  socket().output("live");
  assert.equal(screen.text, "one[40x10]two[100x30]by[100x30]!li".concat("v[7x7]e"));
  connection.close();
});

test("who comes back is told the sizes of what was printed meanwhile, and so is who fell behind", () => {
  const { connection, screen } = begun({ end: 0, sizes: [[0, 80, 24]] });
  socket().output("one");
  socket().drop();
  ground.tick(2000);
  socket().accept();
  const sizes = [
    [3, 80, 24],
    [5, 40, 10],
  ];
  socket().say(attached({ offset: 3, end: 7, reset: false, sizes }));
  socket().output("twos");
  assert.equal(screen.text, "one[80x24]tw[40x10]os");
  socket().say({
    op: "reset",
    offset: 100,
    end: 104,
    sizes: [[100, 9, 9]],
    restore: "",
    skipped: 93,
  });
  socket().output("more");
  assert.equal(screen.text, "more");
  connection.close();
});
