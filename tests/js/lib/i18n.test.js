// Texts and times in the reader's language.

import assert from "node:assert/strict";
import { test } from "node:test";

import { fill, formatRelative, toDate } from "../../../static/js/lib/i18n.js";

test("texts are filled by name, times are read with nanoseconds and told apart", () => {
  assert.equal(fill("{n} of {all}", { n: 1, all: "x" }), "1 of x");
  assert.equal(fill("{unknown}", {}), "{unknown}");
  assert.equal(fill("已加载 {n} 行", { n: "5.1万" }), "已加载 5.1万行");
  assert.equal(fill("{n} 行，{n} 个", { n: 12 }), "12 行，12 个");
  assert.equal(fill("{n} lines", { n: "12.3K" }), "12.3K lines");
  const time = "2026-01-01T00:00:00.123456789Z";
  assert.equal(toDate(time).getTime(), Date.UTC(2026, 0, 1, 0, 0, 0, 123));
  assert.equal(formatRelative(time, Date.UTC(2026, 0, 1, 0, 0, 5)), "just now");
  assert.match(formatRelative(time, Date.UTC(2026, 0, 1, 3, 0, 5)), /3/);
});

test("texts that do not come are asked for again, and then with the whole page", async () => {
  const said = [];
  let fails = 1;
  Object.assign(globalThis, {
    document: { documentElement: { dataset: { lang: "zh" } }, getElementById: () => null },
    dispatchEvent: ({ type }) => said.push(type),
    fetch: async () => {
      if (fails-- > 0) throw new TypeError("the network changed");
      return { ok: true, json: async () => ({ Logs: "日志" }) };
    },
  });
  const source = "../../../static/js/lib/i18n.js";
  const loaded = await import(`${source}?1`);
  assert.equal(loaded.t("Logs"), "日志");
  assert.equal(loaded.formatRelative(0, 7_200_000), "2 小时前");
  assert.deepEqual(said, []);
  fails = 3;
  assert.equal((await import(`${source}?2`)).t("Logs"), "Logs");
  assert.deepEqual(said, ["not-loaded"]);
  delete globalThis.document;
});
