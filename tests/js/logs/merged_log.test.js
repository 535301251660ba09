import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_FILTER } from "../../../static/js/logs/filter.js";
import { numberOf, Numbers, timeOf } from "../../../static/js/logs/line_numbers.js";
import { appOf, MergedLog, seqInApp } from "../../../static/js/logs/merged_log.js";

/** @param {number} n */
const at = (n) => `2026-11-29T10:00:${String(n).padStart(2, "0")}.000000000Z`;

test("a time has a number that stands for it", () => {
  const time = "2026-11-29T10:00:01.123456789Z";
  assert.equal(timeOf(numberOf(time)), "2026-11-29T10:00:01.123456000Z");
  assert.ok(numberOf(at(1)) < numberOf(at(2)));
  assert.ok(Number.isSafeInteger(numberOf("9999-12-31T00:00:00.000000000Z")));
  assert.equal(numberOf("0000-garbage"), 1);
});

test("numbers grow with the order, are kept, and stay between their neighbours", () => {
  const numbers = new Numbers();
  const many = Array.from({ length: 100 }, (_, seq) => ({ time: at(1), app: "a", seq }));
  const given = numbers.give(many, 0, Infinity);
  assert.ok(given.every((one, i) => i === 0 || one > given[i - 1]));
  assert.deepEqual(numbers.give(many, 0, Infinity), given);
  const older = numbers.give([{ time: at(5), app: "b", seq: 1 }], 0, given[0]);
  assert.ok(older[0] < given[0]);
  assert.equal(numbers.placeOf(given[3])?.seq, 3);
});

/**
 * A server with lines of two apps: every second one of each.
 * @param {number} count
 */
function serverOf(count) {
  const all = Array.from({ length: count * 2 }, (_, i) => ({
    time: at(Math.floor(i / 2)),
    app: i % 2,
    seq: Math.floor(i / 2) + 1,
  }));
  /** @param {string} cursor */
  const placeOf = (cursor) => {
    const [time, seq, app] = cursor.split("_");
    const number = app === "" ? -1 : app === "~" ? 2 : ["a", "b"].indexOf(app);
    return { time, app: number, seq: Number(seq) };
  };
  /** @param {{time: string, app: number, seq: number}} x @param {{time: string, app: number, seq: number}} y */
  const before = (x, y) =>
    x.time !== y.time ? x.time < y.time : x.app !== y.app ? x.app < y.app : x.seq < y.seq;
  /** @param {{time: string, app: number, seq: number}} one */
  const cursor = (one) => `${one.time}_${one.seq}_${"ab"[one.app]}`;
  return async (/** @type {string} */ _, /** @type {string} */ path) => {
    const params = new URL(path, "http://x").searchParams;
    const limit = Number(params.get("limit"));
    const [low, high] = [params.get("after"), params.get("before")];
    let found = all.filter(
      (one) => (!low || before(placeOf(low), one)) && (!high || before(one, placeOf(high))),
    );
    const whole = found.length < limit;
    found = low ? found.slice(0, limit) : found.slice(-limit);
    return {
      apps: ["a", "b"].map((name) => ({ name, first: 1, next: count + 1 })),
      lines: found.map((one) => [one.seq, one.time, "0".repeat(12), "stdout", "x", one.app]),
      before: found.length && (low || !whole) ? cursor(found[0]) : null,
      after: found.length && (high || !whole) ? cursor(found[found.length - 1]) : null,
      levels: found.map((one) => (one.seq % 2 ? "error" : null)),
      entries: [],
      failed: [],
    };
  };
}

test("pages back to the first line and forward again have each line once", async () => {
  const log = new MergedLog([], serverOf(20));
  /** @type {import("../../../static/js/logs/log_model.js").Row[]} */
  let rows = [];
  let lo = Number.MAX_SAFE_INTEGER;
  while (lo > 1) {
    const page = await log.before(lo, NO_FILTER, 7);
    rows = [...page.rows, ...rows];
    lo = page.lo;
  }
  assert.equal(rows.length, 40);
  assert.ok(rows.every((row, i) => i === 0 || row[0] > rows[i - 1][0]));
  assert.deepEqual(
    rows.slice(0, 3).map((row) => [appOf(row), seqInApp(row)]),
    [
      ["a", 1],
      ["b", 1],
      ["a", 2],
    ],
  );
  let hi = rows[0][0];
  const again = [rows[0]];
  for (;;) {
    const page = await log.after(hi, NO_FILTER, 7);
    again.push(...page.rows);
    if (page.hi === hi) break;
    hi = page.hi;
  }
  assert.deepEqual(again, rows);
});

test("around a moment nothing is skipped between what is before and what is after", async () => {
  const log = new MergedLog([], serverOf(20));
  const moment = await log.seqAt(at(7));
  const before = await log.before(moment, NO_FILTER, 3);
  const after = await log.after(moment - 1, NO_FILTER, 3);
  assert.deepEqual(
    [...before.rows, ...after.rows].map((row) => [appOf(row), seqInApp(row)]),
    [
      ["b", 6],
      ["a", 7],
      ["b", 7],
      ["a", 8],
      ["b", 8],
      ["a", 9],
    ],
  );
});

test("pages of whole entries skip and double nothing, though an entry reaches over their edge", async () => {
  // A failure of three lines that is found at its second, and a line of another app within it.
  const all = /** @type {[number, string, string, string, string, number][]} */ ([
    [1, at(1), "0".repeat(12), "stdout", "ERROR refused", 0],
    [1, at(2), "0".repeat(12), "stdout", "ERROR needle", 1],
    [2, at(3), "0".repeat(12), "stdout", "  needle", 0],
    [3, at(4), "0".repeat(12), "stdout", "  at x", 0],
  ]);
  const apps = ["a", "b"].map((name) => ({ name, first: 1, next: 4 }));
  const entry = [0, 1, 3, "error", "0".repeat(12), "stdout"];
  const failure = [all[0], all[2], all[3]];
  const answers = new Map([
    ["before=" + `${at(9)}_0_`, { lines: failure, entries: [entry], before: `${at(3)}_2_a` }],
    ["before=" + `${at(3)}_2_a`, { lines: [all[1]], entries: [], before: null }],
    ["after=" + `${at(2)}_1_b`, { lines: failure, entries: [entry], after: null }],
  ]);
  const log = new MergedLog([], async (_, path) => {
    const params = new URL(path, "http://x").searchParams;
    const side = params.has("before") ? "before" : "after";
    const found = answers.get(`${side}=${params.get(side)}`);
    assert.ok(found, `${side}=${params.get(side)}`);
    return { apps, levels: found.lines.map(() => null), after: null, failed: [], ...found };
  });
  const filter = { ...NO_FILTER, q: "needle", hide: true };
  const newer = await log.before(numberOf(at(9)), filter, 3);
  assert.deepEqual(newer.rows.map(seqInApp), [1, 2, 3]);
  const older = await log.before(newer.lo, filter, 3);
  assert.deepEqual(older.rows.map(appOf), ["b"]);
  assert.ok(older.rows[0][0] > newer.rows[0][0] && older.rows[0][0] < newer.rows[1][0]);
  assert.equal(older.lo, 1);
  const again = await log.after(older.rows[0][0], filter, 3);
  assert.deepEqual(again.rows, newer.rows);
});
