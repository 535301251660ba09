import assert from "node:assert/strict";
import { test } from "node:test";
import { LineQueue, QUEUE_AT_MOST, RecentLines } from "../../../static/js/logs/line_queue.js";
import { lastSeq } from "../../../static/js/logs/entry.js";
import { ENTRIES_AT_MOST, LogModel } from "../../../static/js/logs/log_model.js";

/** @typedef {import("../../../static/js/logs/log_model.js").Row} Row */
/** @typedef {import("../../../static/js/logs/log_model.js").LogEvent} LogEvent */

const time = (/** @type {number} */ n) =>
  `${new Date(1.7e12 + n).toISOString().slice(0, 23)}000000Z`;

/**
 * @param {number} from
 * @param {number} to both included
 * @param {(seq: number) => string} [text]
 * @param {(seq: number) => string} [container]
 * @returns {Row[]}
 */
function rows(from, to, text = (seq) => `line ${seq}`, container = () => "aaaaaaaaaaaa") {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => [
    from + i,
    time(from + i),
    container(from + i),
    "stdout",
    text(from + i),
  ]);
}

/**
 * What the server says of lines: a trace is an entry from each line that is no frame on.
 * @param {LogModel} model
 * @param {Row[]} lines
 */
function told(model, lines) {
  /** @type {Map<string, import("../../../static/js/logs/extents.js").Extent>} */
  const open = new Map();
  for (const [seq, , container, , text] of lines) {
    const frame = /^(?:\t|Caused)/.test(text);
    const extent = open.get(container);
    if (!frame)
      open.set(container, [
        seq,
        seq,
        text.startsWith("INFO") ? "info" : "error",
        container,
        "stdout",
      ]);
    else if (extent) extent[1] = seq;
    const known = open.get(container);
    if (known && known[1] > known[0]) model.extents.add([[...known]]);
  }
  return lines;
}

/** Every seq in the window, in order of its entries' lines. @param {LogModel} model */
function seqs(model) {
  return model.entries
    .flatMap((e) => (e.row ? [e.row, ...(e.more ?? [])] : []))
    .map((row) => row[0])
    .sort((a, b) => a - b);
}

/** @param {LogModel} model */
function whole(model) {
  assert.deepEqual(
    seqs(model),
    rows(model.lo, model.hi).map((row) => row[0]),
  );
  const keys = model.entries.map((e) => e.seq);
  assert.deepEqual(
    keys,
    [...keys].sort((a, b) => a - b),
    "entries are in order",
  );
}

/** @param {number} seed */
function random(seed) {
  return () => ((seed = (seed * 1103515245 + 12345) & 0x7fffffff), seed / 0x7fffffff);
}

const TRACE = [
  "java.lang.Error: x",
  "\tat a.B.c(D.java:1)",
  "\tat a.B.d(D.java:2)",
  "Caused by: x",
  "INFO after",
];
const traced = (/** @type {number} */ seq) => TRACE[seq % 5];
// Two containers write their traces at once, line by line.
const mixed = (/** @type {number} */ seq) => TRACE[(seq >> 1) % 5];
const two = (/** @type {number} */ seq) => (seq % 2 ? "aaaaaaaaaaaa" : "bbbbbbbbbbbb");

for (const [name, text, container] of /** @type {const} */ ([
  ["plain lines", undefined, undefined],
  ["traces", traced, undefined],
  ["traces of two containers at once", mixed, two],
])) {
  test(`${name}: no line is missing or doubled however the window moves`, () => {
    for (let seed = 1; seed <= 6; seed++) {
      const next = random(seed);
      const model = new LogModel();
      let lo = 50_000;
      let hi = lo - 1;
      model.reset(lo);
      for (let i = 0; i < 60; i++) {
        const n = 1 + Math.floor(next() * 3_000);
        if (next() < 0.5) {
          const lines = rows(model.hi + 1, model.hi + n, text, container);
          model.append(told(model, lines), model.hi + n);
        } else {
          const from = Math.max(1, model.lo - n);
          const lines = rows(from, model.lo - 1, text, container);
          model.prepend(told(model, lines), from, from === 1);
        }
        model.trim(Math.floor(next() * model.entries.length));
        [lo, hi] = [model.lo, model.hi];
        assert.ok(model.entries.length <= ENTRIES_AT_MOST + 5_000);
      }
      assert.ok(hi > lo);
      whole(model);
    }
  });
}

test("a trace that a page of history ends in is one entry with the rest of it", () => {
  for (let cut = 101; cut <= 112; cut++) {
    const model = new LogModel();
    model.reset(cut);
    told(model, rows(100, 140, traced));
    model.append(rows(cut, 140, traced), 140);
    model.prepend(rows(100, cut - 1, traced), 100, true);
    whole(model);
    const sizes = model.entries.map((e) => 1 + (e.more?.length ?? 0));
    assert.deepEqual(sizes.slice(0, 8), [4, 1, 4, 1, 4, 1, 4, 1], `cut at ${cut}`);
  }
});

test("the window stays bounded and drops what is farthest from the reader", () => {
  const model = new LogModel();
  model.reset(1);
  model.append(rows(1, 40_000), 40_000);
  assert.equal(model.trim(40_000), "start");
  assert.equal(model.entries.length, ENTRIES_AT_MOST);
  assert.equal(model.hi, 40_000);
  model.prepend(rows(1, model.lo - 1), 1, true);
  assert.equal(model.trim(10), "end");
  assert.equal(model.lo, 1);
  assert.equal(model.entries.length, ENTRIES_AT_MOST);
  whole(model);
});

test("a window of huge lines holds fewer of them", () => {
  const model = new LogModel();
  model.reset(1);
  const huge = "x".repeat(1024 * 1024);
  for (let seq = 1; seq <= 300; seq++) {
    model.append(
      rows(seq, seq, () => huge),
      seq,
    );
    model.trim(model.entries.length);
  }
  assert.ok(model.entries.length <= 202, String(model.entries.length));
  whole(model);
});

test("events stand where their time is, once, and come back with the lines around them", () => {
  /** @type {LogEvent[]} */
  const events = [150, 150, 20, 500].map((at, i) => ({
    id: i + 1,
    app: "web",
    time: time(at),
    kind: "start",
    container: "",
    data: {},
  }));
  events.sort((a, b) => (a.time < b.time ? -1 : 1));
  const model = new LogModel();
  model.reset(100);
  model.append(rows(100, 200), 200);
  model.placeEvents(events, false);
  model.placeEvents(events, false);
  const places = () => model.entries.flatMap((e, i) => (e.event ? [[i, e.event.id]] : []));
  assert.deepEqual(
    places(),
    [
      [51, 1],
      [52, 2],
    ],
    "not the one before the window, nor the one after",
  );
  model.placeEvents(events, true);
  assert.deepEqual(
    places().map(([, id]) => id),
    [1, 2, 4],
  );
  model.prepend(rows(1, 99), 1, true);
  model.placeEvents(events, true);
  assert.deepEqual(places()[0], [20, 3]);
  assert.equal(model.indexOf(151), 152 + 1 - 0);
  model.dropEvents();
  assert.deepEqual(places(), []);
});

test("an event that comes before the last lines that precede it stands after them", () => {
  /** @type {LogEvent} */
  const died = { id: 1, app: "web", time: time(150), kind: "die", container: "", data: {} };
  const model = new LogModel();
  model.reset(100);
  model.append(rows(100, 120), 120);
  model.placeEvents([died], true);
  assert.equal(model.entries.at(-1)?.event, died);
  model.append(rows(121, 200), 200);
  model.placeEvents([died], true);
  assert.equal(
    model.entries.findIndex((e) => e.event),
    51,
  );
});

test("a start stands before the first lines of its container, though its word comes later", () => {
  const container = "aaaaaaaaaaaa";
  /** @type {(id: number, kind: string, at: number) => LogEvent} */
  const event = (id, kind, at) => ({ id, app: "web", time: time(at), kind, container, data: {} });
  const model = new LogModel();
  model.reset(1);
  model.append(rows(1, 40), 40);
  model.placeEvents([event(1, "die", 20), event(2, "start", 30)], true);
  const places = model.entries.flatMap((e, i) => (e.event ? [[i, e.event.kind]] : []));
  assert.deepEqual(places, [
    [20, "die"],
    [21, "start"],
  ]);
});

test("a gap is filled with what was missing, and what is still missing stays a gap", () => {
  const model = new LogModel();
  model.reset(1);
  model.append(rows(1, 10), 10);
  model.appendGap({ from: 11, to: 30, reason: "slow" });
  model.appendGap({ from: 31, to: 40, reason: "slow" });
  model.append(rows(41, 50), 50);
  assert.equal(model.entries.filter((e) => e.gap).length, 1, "gaps that touch are one");
  const gap = model.entries[10];
  model.fillGap(gap, rows(11, 25), 25);
  const rest = model.entries.find((e) => e.gap);
  assert.deepEqual([rest?.gap?.from, rest?.gap?.to], [26, 40]);
  if (rest) model.fillGap(rest, rows(26, 45), 45);
  whole(model);
  assert.equal(lastSeq(model.entries[model.entries.length - 1]), 50);
});

test("a filter keeps entries that pass, whole", () => {
  for (const folding of [true, false]) {
    const model = new LogModel();
    model.folding = folding;
    model.reset(100);
    model.append(told(model, rows(100, 119, traced)), 119);
    model.keep(
      (lines, level) => level === "error" && lines.some((row) => row[4].includes("at a.B.d")),
    );
    assert.deepEqual(
      seqs(model),
      [100, 101, 102, 103, 105, 106, 107, 108, 110, 111, 112, 113, 115, 116, 117, 118],
    );
    assert.equal(model.entries.length, folding ? 4 : 16);
    assert.equal(model.hi, 119, "what is known stays known");
  }
});

test("an entry grows: what stood alone is taken in, its level rises, it stays open", () => {
  const model = new LogModel();
  model.reset(1);
  const lines = rows(1, 4, (seq) => ["x", "y", "java.lang.Error: z", "\tat a"][seq - 1]);
  model.append(lines.slice(0, 3), 3);
  assert.equal(model.entries.length, 3);
  model.entries[1].open = true;
  model.extents.add([[2, 4, "error", "aaaaaaaaaaaa", "stdout"]]);
  model.append(lines.slice(3), 4);
  assert.deepEqual(
    model.entries.map((e) => [e.seq, e.level, e.more?.length ?? 0, e.open]),
    [
      [1, null, 0, false],
      [2, "error", 2, true],
    ],
  );
});

test("a page may begin in the middle of an entry, whose beginning comes later", () => {
  const model = new LogModel();
  const lines = rows(1, 6, (seq) => (seq === 1 ? "ERROR x" : "\tat a"));
  model.extents.add([[1, 6, "error", "aaaaaaaaaaaa", "stdout"]]);
  model.reset(4);
  model.append(lines.slice(3), 6);
  assert.deepEqual(
    [model.entries.length, model.entries[0].level, model.entries[0].seq],
    [1, "error", 4],
  );
  model.prepend(lines.slice(0, 3), 1, true);
  assert.deepEqual(
    [model.entries.length, model.entries[0].seq, model.entries[0].more?.length],
    [1, 1, 5],
  );
});

test("an entry that comes to pass a filter is put where it belongs, and one that does not goes", () => {
  const model = new LogModel();
  model.reset(1);
  const lines = rows(1, 5, (seq) => `line ${seq}`, two);
  model.append([lines[0], lines[3]], 4);
  model.extents.add([[2, 4, "error", "bbbbbbbbbbbb", "stdout"]]);
  model.put([2, 4, "error", "bbbbbbbbbbbb", "stdout"], [lines[1], lines[3]]);
  assert.deepEqual(
    model.entries.map((e) => e.seq),
    [1, 2],
  );
  assert.equal(model.lines, 3);
  model.put([2, 4, "error", "bbbbbbbbbbbb", "stdout"], []);
  assert.deepEqual(
    model.entries.map((e) => e.seq),
    [1],
  );
  assert.equal(model.lines, 1);
});

test("a line is found by its seq, also when it is folded into a trace", () => {
  const model = new LogModel();
  model.reset(100);
  model.append(told(model, rows(100, 119, traced)), 119);
  assert.equal(model.indexOf(100), 0);
  assert.equal(model.indexOf(102), 0);
  assert.equal(model.indexOf(104), 1);
  assert.equal(model.indexOf(99), -1);
  assert.equal(model.indexOf(120), -1);
});

test("a page that cannot keep up drops the older half of what waits, as one gap", () => {
  const inbox = new LineQueue();
  for (let seq = 1; seq <= QUEUE_AT_MOST + 500; seq += 500) inbox.push(rows(seq, seq + 499));
  const gap = inbox.take(100);
  assert.ok(gap && !Array.isArray(gap));
  assert.equal(gap.from, 1);
  const next = inbox.take(100);
  assert.ok(Array.isArray(next));
  assert.equal(next[0][0], gap.to + 1);
  assert.equal(next.length, 100);
  assert.ok(inbox.count < QUEUE_AT_MOST / 2);
});

test("the newest lines are kept, and from where they are whole", () => {
  const recent = new RecentLines();
  for (let seq = 1; seq <= 20_000; seq += 100) recent.push(rows(seq, seq + 99));
  assert.equal(recent.last, 20_000);
  assert.equal(recent.rows[0][0], recent.from);
  assert.equal(recent.rows.length, recent.last - recent.from + 1);
  recent.skip(20_500);
  assert.equal(recent.from, 20_501);
  recent.push(rows(20_501, 20_501));
  assert.equal(recent.from, 20_501);
});
