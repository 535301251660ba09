// What the live socket rests on: channels without a socket, waiting, keys, finding, names.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Backoff } from "../../../static/js/live/reconnecting_socket.js";
import { Channels } from "../../../static/js/live/channels.js";

/** A server that only keeps what it was sent. */
function made() {
  const sent = [];
  const channels = new Channels((message) => sent.push(message) > 0);
  return { sent, channels };
}

const row = (seq) => [
  seq,
  "2026-01-01T00:00:00.000000000Z",
  "0123456789ab",
  "stdout",
  `line ${seq}`,
];

test("after a lost connection a channel goes on after the last line it has seen", () => {
  const { sent, channels } = made();
  const seen = [];
  channels.add("log/web", { tail: 200 }, { lines: (rows) => seen.push(...rows.map((r) => r[0])) });
  channels.receive({ op: "subscribed", channel: "log/web", first: 1, next: 8 });
  channels.receive({ op: "lines", channel: "log/web", lines: [row(6), row(7)] });
  channels.lost();
  channels.resume();
  assert.deepEqual(sent, [
    { op: "subscribe", channel: "log/web", tail: 200 },
    { op: "subscribe", channel: "log/web", after: 7 },
  ]);
  assert.deepEqual(seen, [6, 7]);
});

test("several messages that come as one are taken one by one", () => {
  const { channels } = made();
  const seen = [];
  for (const app of ["web", "db"]) {
    const channel = `log/${app}`;
    channels.add(channel, {}, { lines: (rows) => seen.push([app, ...rows.map((r) => r[0])]) });
    channels.receive({ op: "subscribed", channel, first: 1, next: 8 });
  }
  const messages = ["db", "web", "gone", "db"].map((app, i) => {
    return { op: "lines", channel: `log/${app}`, lines: [row(8 + i)] };
  });
  channels.receive({ op: "batch", messages });
  assert.deepEqual(seen, [
    ["db", 8],
    ["web", 9],
    ["db", 11],
  ]);
});

test("a channel that the store ended is asked for again, later each time, from where it was", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { sent, channels } = made();
  const told = [];
  const failure = { op: "error", channel: "log/web", code: "storage-failed", message: "no" };
  const web = channels.add("log/web", {}, { error: (message) => told.push(message.code) });
  channels.receive({ op: "subscribed", channel: "log/web", first: 1, next: 8 });
  channels.receive({ op: "lines", channel: "log/web", lines: [row(8)] });
  channels.receive(failure);
  mock.timers.tick(1_000);
  channels.receive(failure);
  mock.timers.tick(1_000);
  assert.deepEqual(sent.slice(1), [{ op: "subscribe", channel: "log/web", after: 8 }]);
  mock.timers.tick(1_000);
  assert.equal(sent.length, 3);
  assert.deepEqual(told, ["storage-failed", "storage-failed"]);
  channels.receive({ op: "error", channel: "log/web", code: "no-such-app", message: "no" });
  channels.receive(failure);
  web.close();
  mock.timers.tick(60_000);
  assert.deepEqual(sent.slice(3), [{ op: "unsubscribe", channel: "log/web" }]);
  mock.timers.reset();
});

test("a channel that was lost before its first line asks for its tail again", () => {
  const { sent, channels } = made();
  channels.add("log/web", { tail: 200 }, {});
  channels.receive({ op: "subscribed", channel: "log/web", first: 1, next: 8 });
  channels.resume();
  assert.deepEqual(sent[1], { op: "subscribe", channel: "log/web", tail: 200 });
});

test("an empty log that was lost goes on at its start, so that nothing in between is missed", () => {
  const { sent, channels } = made();
  channels.add("log/web", { tail: 200 }, {});
  channels.receive({ op: "subscribed", channel: "log/web", first: 1, next: 1 });
  channels.resume();
  assert.deepEqual(sent[1], { op: "subscribe", channel: "log/web", after: 0 });
});

test("what a gap says will not come is not asked for again", () => {
  const { sent, channels } = made();
  channels.add("log/web", { after: 3 }, {});
  channels.receive({ op: "subscribed", channel: "log/web", first: 1, next: 90 });
  channels.receive({ op: "gap", channel: "log/web", from: 4, to: 50, reason: "slow" });
  channels.resume();
  assert.deepEqual(sent[1], { op: "subscribe", channel: "log/web", after: 50 });
});

test("filters stay when a channel is subscribed again", () => {
  const { sent, channels } = made();
  channels.add("log/web", { after: 3, container: "0123456789ab", stream: "stderr" }, {});
  channels.resume();
  assert.deepEqual(sent[1], {
    op: "subscribe",
    channel: "log/web",
    after: 3,
    container: "0123456789ab",
    stream: "stderr",
  });
});

test("messages of a closed subscription do not reach the next one on the same channel", () => {
  const { channels } = made();
  const seen = [];
  const handlers = { lines: (rows) => seen.push(...rows.map((r) => r[0])) };
  const first = channels.add("log/web", { tail: 1 }, handlers);
  first.close();
  channels.add("log/web", { tail: 1, stream: "stderr" }, handlers);
  channels.receive({ op: "subscribed", channel: "log/web", first: 1, next: 9 });
  channels.receive({ op: "lines", channel: "log/web", lines: [row(8)] });
  assert.deepEqual(seen, []);
  channels.receive({ op: "subscribed", channel: "log/web", first: 1, next: 9 });
  channels.receive({ op: "lines", channel: "log/web", lines: [row(5)] });
  assert.deepEqual(seen, [5]);
});

test("a channel cannot be followed twice at once", () => {
  const { channels } = made();
  channels.add("app/*", {}, {});
  assert.throws(() => channels.add("app/*", {}, {}), /followed already/);
});

test("a channel that is added while there is no socket is asked for once there is one", () => {
  const sent = [];
  let open = false;
  const channels = new Channels((message) => open && sent.push(message) > 0);
  channels.add("app/*", {}, {});
  assert.deepEqual(sent, []);
  open = true;
  channels.resume();
  assert.deepEqual(sent, [{ op: "subscribe", channel: "app/*" }]);
});

test("a handler that fails takes nothing from the others", () => {
  const { channels } = made();
  const reported = [];
  globalThis.reportError = (error) => reported.push(error);
  const seen = [];
  channels.add("log/a", { after: 0 }, { lines: () => assert.fail("broken part") });
  channels.add("log/b", { after: 0 }, { lines: (rows) => seen.push(rows.length) });
  for (const channel of ["log/a", "log/b"]) {
    channels.receive({ op: "subscribed", channel, first: 1, next: 1 });
    channels.receive({ op: "lines", channel, lines: [row(1)] });
  }
  assert.deepEqual(seen, [1]);
  assert.equal(reported.length, 1);
});

test("waiting doubles up to its limit, is spread by chance, and starts over", () => {
  const longest = new Backoff({ random: () => 1 });
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6, 7].map(() => longest.next()),
    [500, 1000, 2000, 4000, 8000, 15000, 15000],
  );
  const least = new Backoff({ random: () => 0 });
  assert.equal(least.next(), 250);
  longest.reset();
  assert.equal(longest.next(), 500);
});
