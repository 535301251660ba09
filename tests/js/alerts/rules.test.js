// Numbers of rules as people write and read them, and what a rule looks at in words.

import assert from "node:assert/strict";
import test from "node:test";

import { readAmount, showAmount, writeAmount } from "../../../static/js/alerts/amounts.js";
import { about, plainName, previewWords } from "../../../static/js/alerts/rule_words.js";

test("a number is read as it is written, and what is none is none", () => {
  const read = {
    "200M": 200 * 1024 ** 2,
    "1.5 GiB": 1.5 * 1024 ** 3,
    "90 %": 90,
    ".5": 0.5,
    "-2": -2,
  };
  for (const [text, value] of Object.entries({ ...read, "1e3": 1000, " 7b ": 7, "3kb": 3072 })) {
    assert.equal(readAmount(text), value, text);
  }
  for (const text of ["", "much", "1.5.2", "2 X", "%", "0x10", "1 000"]) {
    assert.ok(Number.isNaN(readAmount(text)), text);
  }
});

test("what is written into a field is read as the same number", () => {
  for (const value of [
    0,
    1,
    1023,
    1024,
    1536,
    1000 * 1000,
    1.5 * 1024 ** 3,
    4096 * 333,
    0.1 + 0.2,
  ]) {
    for (const unit of ["bytes", "cores", ""]) {
      const again = readAmount(writeAmount(value, unit));
      assert.ok(Math.abs(again - value) <= 1e-9 * Math.abs(value), `${value} ${unit}: ${again}`);
    }
  }
  assert.equal(writeAmount(1.5 * 1024 ** 3, "bytes"), "1.5G");
  assert.equal(writeAmount(0.1 + 0.2, "cores"), "0.3");
});

test("a rule says what it looks at", () => {
  const metric = { metric: "memory", begin: 1.5 * 1024 ** 3, end: 1024, of: "", below: false };
  const of = { ...metric, begin: 0.29, of: "memory.limit" };
  const said = [
    [{ kind: "metric", condition: metric, wait: 120 }, "memory over 1.5 GiB, for 2 min"],
    [{ kind: "metric", condition: of, wait: 0 }, "memory over memory.limit: 29 %"],
    [
      { kind: "metric", condition: { ...of, below: true }, wait: 0 },
      "memory under memory.limit: 29 %",
    ],
    [
      { kind: "log", condition: { text: "boom", begin: 3, end: 0, within: 120 }, wait: 0 },
      "3 lines with “boom” within 2 min",
    ],
    [
      { kind: "event", condition: { occurrence: "disk", begin: 0.9, days: 0 }, wait: 0 },
      "full to 90 %",
    ],
  ];
  for (const [rule, words] of said) assert.equal(about(/** @type {any} */ (rule)), words);
  assert.equal(showAmount("orders", 12.5), "12.5");
});

test("a preview says how often, of whom, and of how much it knows", () => {
  const began = (/** @type {number} */ n) => Array(n).fill("2026-07-01T00:00:00Z");
  const found = { since: "", known: 1, apps: [], looked_at: 1, of: 1, now: [] };
  const rule = { kind: "metric", condition: { metric: "memory", of: "" } };
  assert.equal(previewWords({ ...found, known: null }, rule), "");
  assert.equal(previewWords(found, rule), "Would have been no alert in the last 24 hours");
  assert.match(previewWords({ ...found, known: 0 }, rule), /Nothing of this was measured/);
  assert.match(previewWords({ ...found, of: 0 }, rule), /no app/);
  assert.equal(
    previewWords(
      {
        ...{ since: "", known: 0.123, looked_at: 5, of: 9, now: [] },
        apps: ["a", "b", "c", "d"].map((app, i) => ({ app, began: began(4 - i) })),
      },
      rule,
    ),
    "Would have been an alert 10 times in the last 24 hours · a 4, b 3, c 2 … · " +
      "known of that time: 13 % · 5 of 9 apps looked at",
  );
});

test("a preview says how it is now, in the rule's own unit", () => {
  const found = { since: "", known: 1, apps: [], looked_at: 1, of: 1 };
  const none = "Would have been no alert in the last 24 hours";
  const said = (
    /** @type {string} */ kind,
    /** @type {any} */ condition,
    /** @type {any[]} */ ...now
  ) => {
    const told = now.map(([what, value, days = null]) => ({ what, value, days }));
    return previewWords({ ...found, now: told }, { kind, condition });
  };
  assert.equal(
    said("event", { occurrence: "disk" }, ["/data", 0.7812, 40.7], ["/", 0.5]),
    `${none} · now: /data 78.1 %, full in 40 days, / 50 %`,
  );
  assert.equal(
    said("event", { occurrence: "certificate" }, ["a.example", 1.9], ["b.example", 30]),
    `${none} · now: a.example 1 day left, b.example 30 days left`,
  );
  assert.equal(said("traffic", { measure: "p95" }, ["web", 0.25]), `${none} · now: web 250 ms`);
  assert.equal(
    said("traffic", { measure: "errors" }, ["web", 0.0123]),
    `${none} · now: web 1.23 %`,
  );
  assert.equal(
    said("traffic", { measure: "requests" }, ["web", 12]),
    `${none} · now: web 12 requests/s`,
  );
  assert.equal(
    said("metric", { metric: "memory", of: "memory.limit" }, ["web", 0.5]),
    `${none} · now: web 50 %`,
  );
});

test("a rule about what people get says what that is", () => {
  const its = { begin: 0.3, end: 0.2, address: "", within: 300, below: false };
  const said = [
    [{ ...its, measure: "p95" }, 0, "response time (p95) over 300 ms"],
    [
      { ...its, measure: "p99", address: "GET /a" },
      120,
      "GET /a: response time (p99) over 300 ms, for 2 min",
    ],
    [{ ...its, measure: "errors" }, 0, "30 % of the requests fail"],
    [{ ...its, measure: "requests", begin: 2, below: true }, 0, "fewer than 2 requests/s"],
  ];
  for (const [condition, wait, words] of said)
    assert.equal(about(/** @type {any} */ ({ kind: "traffic", condition, wait })), words);
});

test("a rule that nobody called anything has a name of no language", () => {
  const traffic = { kind: "traffic", app: "web", address: "GET /users/:id", measure: "p95" };
  assert.equal(plainName({ ...traffic, begin: "0.3" }), "GET /users/:id p95 > 0.3 s");
  assert.equal(plainName(traffic), "GET /users/:id p95");
  const errors = { ...traffic, address: "", measure: "errors", begin: "5" };
  assert.equal(plainName(errors), "web 5xx > 5 %");
  const few = { ...traffic, measure: "requests", below: "1", begin: "2" };
  assert.equal(plainName(few), "GET /users/:id < 2/s");
  assert.equal(plainName({ kind: "metric", metric: "memory", begin: "200M" }), "memory > 200M");
  const share = { kind: "metric", app: "web", metric: "memory", of: "memory.limit", begin: "90" };
  assert.equal(plainName(share), "web memory / memory.limit > 90 %");
  assert.equal(plainName({ kind: "log", text: "card declined" }), "“card declined”");
  for (const kind of ["died", "metric", "traffic", "log"]) assert.equal(plainName({ kind }), "");
  const long = plainName({ ...traffic, address: `GET /${"a".repeat(200)}`, begin: "0.3" });
  assert.ok(long.length <= 100 && long.endsWith(" p95 > 0.3 s"));
});
