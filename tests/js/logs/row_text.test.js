import assert from "node:assert/strict";
import { test } from "node:test";
import { makeSearch } from "../../../static/js/logs/filter.js";
import { rowText } from "../../../static/js/logs/row_text.js";

const TIME = "2026-02-01T09:00:00.123456789Z";

/**
 * @param {string} line
 * @param {{ q?: string, level?: any, times?: boolean, json?: boolean }} [more]
 */
function row(line, { q = "", level = null, times = true, json = true } = {}) {
  const { search } = makeSearch(q, false);
  return rowText(
    [1, TIME, "0123456789ab", "stdout", line],
    level,
    { json, wrap: false, times },
    search,
  );
}

/** @param {Parameters<typeof row>} args */
const shown = (...args) =>
  row(...args)
    .runs.map((run) => run.text)
    .join("");

test("of JSON the message comes first, and only what a column shows is left out", () => {
  assert.equal(
    shown('{"ts":"2026-02-01T09:00:00Z","level":"info","msg":"paid","n":null}', { level: "info" }),
    "paid n=null",
  );
  assert.equal(
    shown('{"msg":"paid","date":"2026-02-01","v":17,"t":3}'),
    "paid v=17 date=2026-02-01 t=3",
  );
  assert.equal(shown('{"level":"P1","msg":"disk fails"}'), "disk fails level=P1");
  assert.equal(
    shown('{"level":"error","msg":"x","config":{"level":"info"}}', { level: "error" }),
    "x config={…}",
  );
});

test("objects are closed, but for what is found in them and what went wrong", () => {
  const line =
    '{"msg":"x","order":{"id":8812,"of":{"a":"needle"},"n":1},"tags":[1,"b"],"err":{"message":"no"}}';
  assert.equal(shown(line), "x order={…} tags=[1, b] err.message=no");
  assert.equal(
    shown(line, { q: "needle" }),
    "x order={…} order.of.a=needle tags=[1, b] err.message=no",
  );
});

test("a time is left out when it is the row's, however it is written; not without the column", () => {
  for (const time of [
    '"2026-02-01T09:00:00.1Z"',
    '"2026-02-01T10:00:01+0100"',
    '"2026-02-01 17:00:00,123"',
    "1769936400",
    "1769936400.5",
    "1769936400123",
    "1769936400123456789",
  ]) {
    const line = `{"time":${time},"msg":"paid"}`;
    assert.equal(shown(line), "paid", time);
    assert.notEqual(shown(line, { times: false }), "paid", time);
  }
  for (const time of ['"2026-02-01T08:30:00Z"', "17", '"soon"', '"2026-02-01 09:07:00"'])
    assert.notEqual(shown(`{"time":${time},"msg":"paid"}`), "paid", time);
});

test("a template is filled in, and its fields are not said twice", () => {
  assert.equal(
    shown('{"@mt":"User {Name} took {Ms} ms","Name":"Li","Ms":12,"Host":"web"}'),
    "User Li took 12 ms Host=web",
  );
});

test("what is found is in the row, wherever in the line it stands", () => {
  const long = `${"x".repeat(200)} needle ${"y".repeat(200)}`;
  const line = `{"msg":"paid","ts":"2026-02-01T09:00:00Z","note":"${long}","level":"info"}`;
  const text = shown(line, { q: "needle", level: "info" });
  assert.match(text, /^paid note=…x+ needle y+…$/);
  assert.equal(shown(line, { q: "level=info", level: "info" }).endsWith(" level=info"), true);
  const { runs, ranges } = row(line, { q: "needle" });
  const [from, to] = ranges[0];
  const run = runs.find(({ at, text: part }) => at <= from && at + part.length >= to && at >= 0);
  assert.equal(run?.text.slice(from - run.at, to - run.at), "needle");
});

test("an address in a field is one link, though the row shows a part of it", () => {
  const address = `https://example.org/${"a".repeat(100)}`;
  assert.deepEqual(
    row(`{"msg":"see","url":"${address}"}`).links.map(({ href }) => href),
    [address],
  );
});
