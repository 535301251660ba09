import assert from "node:assert/strict";
import { test } from "node:test";
import { makeSearch } from "../../../static/js/logs/filter.js";
import { asOneSearch, Marks, paint } from "../../../static/js/logs/marks.js";

/** @param {string} text @param {Partial<import("../../../static/js/logs/marks.js").Mark>} [more] */
const mark = (text, more = {}) => ({
  ...{ id: text.length, text, regex: false, hue: 1, chosen: false },
  ...more,
});

test("what is coloured already stays, and a mark over its edges has the rest", () => {
  const first = paint([], [[2, 4]], 1);
  assert.deepEqual(paint(first, [[0, 6]], 2), [
    [0, 2, 2],
    [2, 4, 1],
    [4, 6, 2],
  ]);
  assert.deepEqual(paint(first, [[2, 4]], 2), first);
  assert.deepEqual(
    paint(
      [
        [0, 1, 0],
        [3, 5, 0],
      ],
      [
        [0, 2],
        [4, 8],
      ],
      3,
    ),
    [
      [0, 1, 0],
      [1, 2, 3],
      [3, 5, 0],
      [5, 8, 3],
    ],
  );
});

test("whatever overlaps, no place is coloured twice, and each that is found is", () => {
  let seed = 7;
  const next = (/** @type {number} */ n) => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % n;
  for (let round = 0; round < 300; round++) {
    /** @type {import("../../../static/js/logs/marks.js").Painted[]} */
    let painted = [];
    const found = new Set();
    for (let hue = 1; hue < 5; hue++) {
      /** @type {[number, number][]} */
      const ranges = [];
      for (let at = next(5); at < 40; at += 1 + next(6)) {
        const to = at + 1 + next(5);
        ranges.push([at, to]);
        for (let i = at; i < to; i++) found.add(i);
        at = to;
      }
      painted = paint(painted, ranges, hue);
    }
    let last = 0;
    let size = 0;
    for (const [from, to] of painted) {
      assert.ok(from >= last && to > from);
      size += to - from;
      last = to;
    }
    assert.equal(size, found.size);
  }
});

test("marks are kept by the server, and stand beside what is looked for", async () => {
  /** @type {string[]} */
  const asked = [];
  const marks = new Marks(async (method, path, body) => {
    asked.push(`${method} ${path}`);
    if (method === "GET") return { marks: [mark("card", { id: 1 })] };
    if (method === "POST") return mark("declined", { id: 2, hue: 2, .../** @type {any} */ (body) });
    if (method === "PATCH") return mark("declined", { id: 2, hue: 2, chosen: true });
    return null;
  });
  let changes = 0;
  marks.addEventListener("change", () => changes++);
  await marks.load();
  await marks.add("declined", false);
  const { search } = makeSearch("was", false);
  const text = "card 12 was declined";
  assert.deepEqual(marks.beside(search)?.ranges(text), [
    [0, 4, 1],
    [8, 11, 0],
    [12, 20, 2],
  ]);
  assert.equal(marks.beside(search)?.test("card"), false);
  assert.equal(marks.beside(null)?.test("card"), false);
  assert.ok(marks.isIn(2, ["nothing", "\x1b[31mDecl\x1b[0mined"]));
  assert.deepEqual(marks.chosen, []);
  await marks.change(2, { chosen: true });
  assert.deepEqual(
    marks.chosen.map((one) => one.id),
    [2],
  );
  await marks.remove(1);
  await marks.remove(2);
  assert.equal(marks.beside(search), search);
  assert.equal(changes, 5);
  assert.equal(asked.at(-1), "DELETE /api/v1/me/marks/2");
});

test("the nearest of several is asked for by one expression that finds each", () => {
  assert.deepEqual(asOneSearch([mark("a.b")]), { q: "a.b", regex: false, capitals: false });
  const { q, regex } = asOneSearch([mark("a.b(c)[d]{e}*+?|^$\\/-"), mark("x+y", { regex: true })]);
  const { search, error } = makeSearch(q, regex);
  assert.equal(error, null);
  assert.ok(search?.test("-- a.b(c)[d]{e}*+?|^$\\/- --"));
  assert.ok(search?.test("xxxy"));
  assert.ok(!search?.test("aXb"));
  const chinese = asOneSearch([mark("库存，不足。🎉"), mark("x")]);
  assert.ok(makeSearch(chinese.q, true).search?.test("库存，不足。🎉"));
});
