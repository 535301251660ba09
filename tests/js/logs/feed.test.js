// What fills the window of a log: what is on its way when the reader wants something else.

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document ??= {
  querySelector: () => null,
  getElementById: () => null,
  addEventListener: () => {},
  hidden: false,
};
globalThis.localStorage ??= { getItem: () => null, setItem: () => {} };
globalThis.addEventListener ??= () => {};
globalThis.location ??= { protocol: "http:", host: "here", href: "http://here/", search: "" };
const { Feed } = await import("../../../static/js/logs/feed.js");
const { NO_FILTER } = await import("../../../static/js/logs/filter.js");

const row = (/** @type {number} */ seq) => [
  seq,
  `2026-11-29T10:00:00.${String(seq).padStart(9, "0")}Z`,
  "0123456789ab",
  "stdout",
  seq % 2 ? `odd ${seq}` : `even ${seq}`,
  null,
];

/** A log of a thousand lines of which pages come when a test says so. */
function log() {
  const waits = [];
  /** @type {any} */
  let handlers;
  const page = (/** @type {number} */ lo, /** @type {number} */ hi) => ({
    rows: Array.from({ length: hi - lo + 1 }, (_, n) => row(lo + n)),
    lo,
    hi,
    first: 1,
    next: 1_001,
  });
  const later = (/** @type {unknown} */ value) => new Promise((go) => waits.push(() => go(value)));
  const merged = {
    apps: [],
    bounds: null,
    extents: null,
    follow: (/** @type {any} */ given) => (handlers = given),
    before: (/** @type {number} */ seq) => later(page(Math.max(1, seq - 100), seq - 1)),
    after: (/** @type {number} */ seq) => later(page(seq + 1, Math.min(1_000, seq + 100))),
    events: async () => [],
  };
  /** @type {any} */
  const source = { path: "", channel: "", app: "", also: {}, merged };
  const feed = new Feed(source, NO_FILTER, { traces: true, events: false }, () => 0);
  feed.open(null);
  handlers.subscribed({ first: 1, next: 1_001 });
  handlers.lines(
    Array.from({ length: 100 }, (_, n) => row(901 + n)),
    {},
  );
  feed.takeIn(Infinity);
  const answer = async () => {
    for (const go of waits.splice(0)) go();
    await new Promise((go) => setTimeout(go));
  };
  const texts = () => feed.model.entries.map((entry) => entry.row?.[4] ?? "");
  return { feed, answer, texts };
}

const EVEN = { ...NO_FILTER, q: "even", hide: true };

test("older lines that were asked for without the filter do not come in", async () => {
  const { feed, answer, texts } = log();
  void feed.loadOlder();
  feed.setFilter(EVEN, null);
  await answer();
  assert.equal(texts().length, 50);
  assert.ok(texts().every((text) => text.startsWith("even")));
  assert.equal(feed.loading, "");
});

test("a line that is being opened is opened with the filter", async () => {
  const { feed, answer } = log();
  void feed.openAt(300);
  feed.setFilter(EVEN, 300);
  assert.equal(feed.loading, "open");
  await answer();
  assert.equal(feed.loading, "");
  assert.ok(feed.holds(300));
});

test("what is being opened can be dropped: what is loaded stays", async () => {
  const { feed, answer, texts } = log();
  const opened = feed.openAt(300);
  feed.dropOpening();
  await answer();
  assert.equal(await opened, false);
  assert.equal(texts().at(-1), "even 1000");
});

test("who listens is told of each line that comes live, and of those that do not", () => {
  const { feed } = log();
  /** @type {(number | null)[]} */
  const told = [];
  feed.onLive = (rows) => told.push(rows ? rows.length : null);
  feed.queue.push(/** @type {any} */ ([row(1_001), row(1_002)]));
  feed.queue.pushGap({ from: 1_003, to: 1_010, reason: "slow" });
  feed.takeIn(Infinity);
  assert.deepEqual(told, [2, null]);
});
