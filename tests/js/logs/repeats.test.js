import assert from "node:assert/strict";
import { test } from "node:test";
import { ENTRIES_AT_MOST, LogModel } from "../../../static/js/logs/log_model.js";
import { membersOf, Repeats } from "../../../static/js/logs/repeats.js";

/** @typedef {import("../../../static/js/logs/log_model.js").Row} Row */

const FOLDING = { repeats: true, alike: false, nearby: false };
const time = (/** @type {number} */ n) =>
  `${new Date(1.7e12 + n * 1000).toISOString().slice(0, 23)}000000Z`;

/** @param {number} from @param {string[]} texts @returns {Row[]} */
const rows = (from, texts) =>
  texts.map((text, i) => [from + i, time(from + i), "aaaaaaaaaaaa", "stdout", text]);

/** @param {string[]} texts @param {typeof FOLDING} [folding] */
function windowOf(texts, folding = FOLDING) {
  const model = new LogModel();
  model.reset(1, true);
  const repeats = new Repeats(() => folding);
  model.append(rows(1, texts), texts.length);
  repeats.arrange(model.entries, model.atStart);
  return { model, repeats };
}

/** What is seen: the text of each row, and how often it came. @param {LogModel} model */
const seen = (model) =>
  model.entries
    .filter((e) => !e.folded)
    .map((e) => {
      const { run } = e;
      const n = run && run.head === e ? run.all : 1;
      return n > 1 ? `${e.row?.[4]} ×${n}${run?.unsure ? "+" : ""}` : (e.row?.[4] ?? e.kind);
    });

test("what follows itself is one row that counts", () => {
  const { model, repeats } = windowOf(["a", "b", "b", "b", "a", "12:00:01 c", "12:00:02 c"]);
  assert.deepEqual(seen(model), ["a", "b ×3", "a", "12:00:01 c ×2"]);
  const { run } = model.entries[1];
  assert.deepEqual([run?.since, run?.time, run?.last], [time(2), time(4), 4]);
  const before = model.entries[5].version;
  model.append(rows(8, ["12:00:03 c"]), 8);
  repeats.arrange(model.entries, true);
  assert.equal(seen(model).at(-1), "12:00:01 c ×3");
  assert.ok(model.entries[5].version > before, "it is drawn anew");
  assert.equal(model.indexOf(8), 7, "each line is still found");
});

test("only what is the same is one", () => {
  assert.deepEqual(seen(windowOf(["order 1", "order 2"]).model), ["order 1", "order 2"]);
  const one = windowOf(["order 1", "order 2"], { ...FOLDING, alike: true }).model;
  assert.deepEqual(seen(one), ["order 1 ×2"]);
  assert.deepEqual(seen(windowOf(["a", "a"], { ...FOLDING, repeats: false }).model), ["a", "a"]);
  const model = new LogModel();
  model.reset(1, true);
  const [x, y, z] = rows(1, ["a", "a", "a"]);
  y[3] = "stderr";
  z[2] = "bbbbbbbbbbbb";
  model.append([x, y, z], 3);
  new Repeats(() => FOLDING).arrange(model.entries, true);
  assert.equal(seen(model).length, 3, "of another stream or container it is another");
});

test("of another app it is another, also of programs, which have no container", () => {
  const model = new LogModel();
  model.reset(1, true);
  const put = rows(1, ["a", "a", "a"]).map((row, i) => [...row, null, i ? "mail" : "shop", 7 + i]);
  model.append(/** @type {any} */ (put), 3);
  new Repeats(() => FOLDING).arrange(model.entries, true);
  assert.deepEqual(seen(model), ["a", "a ×2"]);
});

test("what stands between parts rows, unless they are near and that is asked for", () => {
  const texts = ["a", "b", "a", "b", "a"];
  assert.deepEqual(seen(windowOf(texts).model), texts);
  assert.deepEqual(seen(windowOf(texts, { ...FOLDING, nearby: true }).model), ["a ×3", "b ×2"]);
});

test("a row that is opened shows all of them, and stays so", () => {
  const { model, repeats } = windowOf(["a", "a", "a"]);
  const run = model.entries[0].run;
  assert.ok(run);
  run.open = true;
  repeats.arrange(model.entries, true);
  assert.equal(seen(model).length, 3);
  model.append(rows(4, ["a"]), 4);
  repeats.arrange(model.entries, true);
  assert.equal(seen(model).length, 4);
  assert.deepEqual(membersOf(model.entries[0], model.entries).length, 1);
  run.open = false;
  repeats.arrange(model.entries, true);
  assert.deepEqual(membersOf(model.entries[0], model.entries).length, 4);
});

test("what leaves the window is still counted, and what comes back is counted once", () => {
  const model = new LogModel();
  model.reset(1, true);
  const repeats = new Repeats(() => FOLDING);
  const count = ENTRIES_AT_MOST + 5_000;
  for (let at = 1; at <= count; at += 1_000) {
    model.append(rows(at, new Array(1_000).fill("a")), at + 999);
    repeats.arrange(model.entries, model.atStart);
    model.trim(model.entries.length);
    repeats.arrange(model.entries, model.atStart);
  }
  assert.deepEqual(seen(model), [`a ×${count}`]);
  assert.equal(model.entries[0].run?.since, time(1));
  const { lo } = model;
  for (const from of [lo - 500, lo - 1_000]) {
    model.prepend(rows(from, new Array(500).fill("a")), from, false);
    repeats.arrange(model.entries, model.atStart);
    assert.deepEqual(seen(model), [`a ×${count}`]);
    repeats.arrange(model.entries, model.atStart);
    assert.deepEqual(seen(model), [`a ×${count}`]);
  }
  model.prepend(rows(1, new Array(lo - 1_001).fill("a")), 1, true);
  repeats.arrange(model.entries, model.atStart);
  assert.deepEqual(seen(model), [`a ×${count}`]);
});

test("what may have begun before the window says so", () => {
  const model = new LogModel();
  model.reset(10);
  const repeats = new Repeats(() => FOLDING);
  model.append(rows(10, ["a", "a", "b", "b"]), 13);
  repeats.arrange(model.entries, model.atStart);
  assert.deepEqual(seen(model), ["a ×2+", "b ×2"]);
  model.prepend(rows(8, ["c", "a"]), 8, false);
  repeats.arrange(model.entries, model.atStart);
  assert.deepEqual(seen(model), ["c", "a ×3", "b ×2"]);
});

test("a failure that comes again is one with its trace", () => {
  const model = new LogModel();
  model.reset(1, true);
  const lines = rows(1, ["ERROR x", "\tat a", "ERROR x", "\tat a", "ERROR x", "\tat b"]);
  model.extents.add([
    [1, 2, "error", "aaaaaaaaaaaa", "stdout"],
    [3, 4, "error", "aaaaaaaaaaaa", "stdout"],
    [5, 6, "error", "aaaaaaaaaaaa", "stdout"],
  ]);
  model.append(lines, 6);
  new Repeats(() => FOLDING).arrange(model.entries, true);
  assert.deepEqual(seen(model), ["ERROR x ×2", "ERROR x"]);
});

/** A generator of numbers below `n`, the same each time. */
function dice() {
  let state = 12345;
  return (/** @type {number} */ n) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % n;
  };
}

for (const nearby of [false, true]) {
  test(`what is decided as it comes is what all of it at once would be${nearby ? ", nearby" : ""}`, () => {
    const roll = dice();
    const folding = { ...FOLDING, alike: true, nearby };
    const [model, other] = [new LogModel(), new LogModel()];
    const [step, whole] = [new Repeats(() => folding), new Repeats(() => folding)];
    for (const one of [model, other]) {
      one.use(true, (text) => text.startsWith("a"));
      one.reset(10_000);
    }
    let [lo, hi, event] = [10_000, 9_999, 0];
    for (let round = 0; round < 400; round++) {
      const texts = Array.from({ length: roll(8) }, () => `${"abc"[roll(3)]} ${roll(3)}`);
      const kind = roll(12);
      const gap = { from: hi + 1, to: hi + 5, reason: "slow" };
      if (kind === 11) gap.to = hi += 5;
      if (kind === 10) lo -= texts.length;
      event++;
      for (const one of [model, other]) {
        if (kind < 8) one.append(rows(hi + 1, texts), hi + texts.length);
        if (kind === 8 || kind === 9) {
          const happened = { id: event, time: time(hi - (kind - 7)), kind: "die" };
          one.placeEvents(/** @type {any} */ ([happened]), true);
        }
        if (kind === 10) one.prepend(rows(lo, texts), lo, false);
        if (kind === 11) one.appendGap(gap);
      }
      if (kind < 8) hi += texts.length;
      // Not each time: what changed is gathered.
      if (roll(3) === 0) continue;
      step.arrange(model.entries, model.atStart, model.takeChanged());
      whole.arrange(other.entries, other.atStart);
      assert.deepEqual(seen(model), seen(other), `round ${round}`);
      assert.equal(model.hits, model.entries.filter((e) => e.hit).length);
    }
  });
}
