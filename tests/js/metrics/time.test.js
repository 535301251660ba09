// Which stretch of time is looked at, and what is written under it.

import assert from "node:assert/strict";
import { test } from "node:test";

process.env.TZ = "Europe/Berlin";
const { labelsOf, ticksOf } = await import("../../../static/js/metrics/time_axis.js");
const { edges, isLive, marked, moved, readSpan, writeSpan } =
  await import("../../../static/js/metrics/time_span.js");

const moment = (text) => Date.parse(text) / 1000;
const addressOf = (span, before = "") => {
  const params = new URLSearchParams(before);
  writeSpan(span, params);
  return params.toString();
};

test("the address says which time is looked at, beside what else it says", () => {
  assert.deepEqual(readSpan(new URLSearchParams("")), { range: "1h" });
  assert.deepEqual(readSpan(new URLSearchParams("range=7d")), { range: "7d" });
  assert.deepEqual(readSpan(new URLSearchParams("range=constructor")), { range: "1h" });
  const span = { since: moment("2026-11-29T10:00:00Z"), until: moment("2026-11-29T10:05:00Z") };
  const address = addressOf(span, "q=timeout&range=8h");
  assert.equal(address, "q=timeout&since=2026-11-29T10%3A00%3A00Z&until=2026-11-29T10%3A05%3A00Z");
  assert.deepEqual(readSpan(new URLSearchParams(address)), span);
  assert.equal(addressOf({ range: "1h" }, address), "q=timeout");
  assert.equal(isLive({ range: "5m" }), true);
  assert.equal(isLive(span), false);
});

test("an address that makes no sense shows what is usual", () => {
  for (const odd of ["since=x&until=y", "since=2026-01-02T00:00:00Z", "range=-1"]) {
    assert.deepEqual(readSpan(new URLSearchParams(odd)), { range: "1h" });
  }
  const backwards = "since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z";
  assert.deepEqual(readSpan(new URLSearchParams(backwards)), { range: "1h" });
});

test("what is marked is whole seconds, at least five, either way round, and not ahead of now", () => {
  assert.deepEqual(marked(20.2, 10.8, 100), { since: 10, until: 21 });
  assert.deepEqual(marked(50, 50.4, 100), { since: 46, until: 51 });
  assert.deepEqual(marked(90, 130, 100), { since: 90, until: 100 });
});

test("one goes half a stretch back, and forward until it is the present again", () => {
  const back = moved({ range: "1h" }, "earlier", 10_000);
  assert.deepEqual(back, { since: 4_600, until: 8_200 });
  assert.deepEqual(moved(back, "later", 10_000), { range: "1h" });
  assert.deepEqual(edges({ range: "5m" }, 1_000), [700, 1_000]);
  assert.deepEqual(moved(back, "narrower", 10_000), { since: 5_500, until: 7_300 });
});

test("ticks are round by the reader's clock, and midnight has its date", () => {
  const { ticks, step } = ticksOf(
    moment("2026-06-01T20:30:00Z"),
    moment("2026-06-02T04:30:00Z"),
    8,
  );
  assert.equal(step, 3600);
  assert.deepEqual(labelsOf(ticks, step).slice(0, 4), ["23:00", "Jun 2", "01:00", "02:00"]);
  const seconds = ticksOf(moment("2026-06-01T20:30:03Z"), moment("2026-06-01T20:30:58Z"), 6);
  assert.deepEqual(labelsOf(seconds.ticks, seconds.step)[0], "22:30:10");
});

test("when clocks are set back no tick is there twice, and days begin at midnight", () => {
  // In Berlin 2026-10-25 has 25 hours: 03:00 is 02:00 again.
  const since = moment("2026-10-24T22:00:00Z");
  const { ticks, step } = ticksOf(since, since + 25 * 3600, 9);
  assert.deepEqual(
    ticks,
    [...new Set(ticks)].sort((a, b) => a - b),
  );
  assert.equal(step, 3 * 3600);
  assert.deepEqual(labelsOf(ticks, step), [
    ...["Oct 25", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00"],
    "Oct 26",
  ]);
  const days = ticksOf(since - 3 * 86_400, since + 4 * 86_400, 8);
  assert.equal(days.step, 86_400);
  for (const tick of days.ticks) assert.equal(new Date(tick * 1000).getHours(), 0);
});

test("when clocks are set on, hours that there are not have no tick", () => {
  const since = moment("2026-03-28T23:00:00Z"); // midnight of the day without 02:00
  const { ticks, step } = ticksOf(since, since + 6 * 3600, 7);
  assert.equal(step, 3600);
  assert.deepEqual(labelsOf(ticks, step), [
    "Mar 29",
    "01:00",
    "03:00",
    "04:00",
    "05:00",
    "06:00",
    "07:00",
  ]);
});
