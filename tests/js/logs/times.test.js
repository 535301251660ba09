import assert from "node:assert/strict";
import { test } from "node:test";
import { exact, fromMs, parseTime, timeOfDay, toMs } from "../../../static/js/logs/times.js";

test("times of lines keep their nanoseconds", () => {
  const time = "2026-03-01T23:59:59.123456789Z";
  assert.equal(toMs(time), Date.UTC(2026, 2, 1, 23, 59, 59, 123));
  assert.equal(timeOfDay(time, true), "23:59:59.123");
  assert.equal(exact(time, true), time);
  assert.match(exact(time, false), /\.123456789 [+-]\d\d:\d\d$/);
  assert.equal(fromMs(toMs(time)), "2026-03-01T23:59:59.123000000Z");
  assert.equal(
    timeOfDay("rubbish, but long enough", false),
    "rubbish, but long enough".slice(11, 23),
  );
});

test("a moment is read as people write it", () => {
  const now = new Date(2026, 4, 10, 12, 0, 0).getTime();
  const at = (/** @type {number[]} */ ...parts) => new Date(2026, ...parts).getTime();
  assert.equal(parseTime("11:30", now), at(4, 10, 11, 30));
  assert.equal(parseTime("11:30:15.250", now), at(4, 10, 11, 30, 15, 250));
  assert.equal(parseTime("14:03", now), at(4, 9, 14, 3), "still to come today: yesterday's");
  assert.equal(parseTime("05-01 14:03", now), at(4, 1, 14, 3));
  assert.equal(parseTime("2026-05-01", now), at(4, 1));
  assert.equal(parseTime("2026/5/1 8:00", now), at(4, 1, 8));
  assert.equal(parseTime("2026-05-01T08:00:00", now), at(4, 1, 8));
  assert.equal(parseTime("2026-05-01T08:00:00Z", now), Date.UTC(2026, 4, 1, 8));
  assert.equal(
    parseTime("2026-05-01 08:00:00.123456789+08:00", now),
    Date.UTC(2026, 4, 1, 0, 0, 0, 123),
  );
  assert.equal(parseTime("10m", now), now - 600_000);
  assert.equal(parseTime("2h ago", now), now - 7_200_000);
  assert.equal(parseTime("3天前", now), now - 3 * 86_400_000);
  assert.equal(parseTime("14:03", now), parseTime("14:03", now));
  for (const text of [
    "",
    "soon",
    "25-40",
    "02-31",
    "99",
    "12:3",
    "99:99",
    "24:00",
    "12:60",
    "12:30:60",
  ])
    assert.equal(parseTime(text, now), null, text);
});

test("what is read in UTC is typed in UTC", () => {
  const now = Date.UTC(2026, 4, 10, 12, 0, 0);
  assert.equal(parseTime("11:30", now, true), Date.UTC(2026, 4, 10, 11, 30));
  assert.equal(parseTime("14:03", now, true), Date.UTC(2026, 4, 9, 14, 3), "yesterday's");
  assert.equal(parseTime("05-01 14:03", now, true), Date.UTC(2026, 4, 1, 14, 3));
  assert.equal(parseTime("02-30", now, true), null);
  assert.equal(parseTime("10m", now, true), now - 600_000);
});
