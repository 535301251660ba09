import assert from "node:assert/strict";
import { test } from "node:test";
import {
  NO_FILTER,
  passes,
  readFilter,
  readLine,
  sameLines,
  serverFilter,
  writeFilter,
} from "../../../static/js/logs/filters.js";
import { clock, exact, fromMs, readMoment, toMs } from "../../../static/js/logs/times.js";

/** @typedef {import("../../../static/js/logs/filters.js").Filter} Filter */

test("a filter survives the address bar", () => {
  /** @type {Filter} */
  const filter = {
    q: "a+b &ü",
    regex: true,
    hide: true,
    levels: ["error", "none"],
    container: "0123456789ab",
    stream: "stderr",
  };
  assert.deepEqual(readFilter(writeFilter(filter)), filter);
  assert.equal(writeFilter(NO_FILTER).toString(), "");
});

test("what somebody wrote into the address is not believed", () => {
  const odd = new URLSearchParams(
    "stream=x&level=nope&level=info&container=../..&regex=yes&hide=1",
  );
  assert.deepEqual(readFilter(odd), { ...NO_FILTER, hide: true, levels: ["info"] });
  const full = new URLSearchParams({ container: "0123456789ab".padEnd(64, "0") });
  assert.equal(readFilter(full).container, "0123456789ab");
});

test("the server is asked for what is to be hidden, not for what is only marked", () => {
  const marked = { ...NO_FILTER, q: "x", regex: true };
  assert.equal(serverFilter(marked).toString(), "");
  assert.equal(serverFilter({ ...marked, hide: true }).toString(), "q=x&regex=1");
  assert.ok(sameLines(marked, NO_FILTER));
  assert.equal(passes(marked), null);
});

test("a live line passes what the server would send", () => {
  /** @type {(filter: Partial<Filter>, text: string, level?: any) => boolean} */
  const test_ = (filter, text, level = null) =>
    passes({ ...NO_FILTER, ...filter })?.([1, "", "0123456789ab", "stdout", text], level) ?? true;
  assert.ok(test_({ levels: ["error"] }, "x", "error"));
  assert.ok(!test_({ levels: ["error"] }, "x", "info"));
  assert.ok(test_({ levels: ["none"] }, "x", null));
  assert.ok(test_({ q: "X", hide: true }, "axb"));
  assert.ok(!test_({ stream: "stderr" }, "x"));
  assert.ok(!test_({ container: "ffffffffffff" }, "x"));
});

test("the line an address names", () => {
  const none = new URLSearchParams();
  assert.equal(readLine("#L123", none), 123);
  assert.equal(readLine("", new URLSearchParams("line=77")), 77);
  for (const hash of ["#L", "#L0", "#x", "#L-1", "#L1.5", "#L99999999999999999999"]) {
    assert.equal(readLine(hash, none), null, hash);
  }
});

test("times of lines keep their nanoseconds", () => {
  const time = "2026-03-01T23:59:59.123456789Z";
  assert.equal(toMs(time), Date.UTC(2026, 2, 1, 23, 59, 59, 123));
  assert.equal(clock(time, true), "23:59:59.123");
  assert.equal(exact(time, true), time);
  assert.match(exact(time, false), /\.123456789 [+-]\d\d:\d\d$/);
  assert.equal(fromMs(toMs(time)), "2026-03-01T23:59:59.123000000Z");
  assert.equal(clock("rubbish, but long enough", false), "rubbish, but long enough".slice(11, 23));
});

test("a moment is read as people write it", () => {
  const now = new Date(2026, 4, 10, 12, 0, 0).getTime();
  const at = (/** @type {number[]} */ ...parts) => new Date(2026, ...parts).getTime();
  assert.equal(readMoment("11:30", now), at(4, 10, 11, 30));
  assert.equal(readMoment("11:30:15.250", now), at(4, 10, 11, 30, 15, 250));
  assert.equal(readMoment("14:03", now), at(4, 9, 14, 3), "still to come today: yesterday's");
  assert.equal(readMoment("05-01 14:03", now), at(4, 1, 14, 3));
  assert.equal(readMoment("2026-05-01", now), at(4, 1));
  assert.equal(readMoment("2026/5/1 8:00", now), at(4, 1, 8));
  assert.equal(readMoment("2026-05-01T08:00:00", now), at(4, 1, 8));
  assert.equal(readMoment("2026-05-01T08:00:00Z", now), Date.UTC(2026, 4, 1, 8));
  assert.equal(
    readMoment("2026-05-01 08:00:00.123456789+08:00", now),
    Date.UTC(2026, 4, 1, 0, 0, 0, 123),
  );
  assert.equal(readMoment("10m", now), now - 600_000);
  assert.equal(readMoment("2h ago", now), now - 7_200_000);
  assert.equal(readMoment("3天前", now), now - 3 * 86_400_000);
  assert.equal(readMoment("14:03", now), readMoment("14:03", now));
  for (const text of ["", "soon", "25-40", "02-31", "99", "12:3"])
    assert.equal(readMoment(text, now), null, text);
});
