// What is said of an event, by a table as the server gives it.

import assert from "node:assert/strict";
import test from "node:test";

import { describe } from "../../../static/js/logs/events.js";

/** @param {string} words @param {string} tone @param {Record<string, unknown[]>} [when] */
const phrase = (words, tone, when = {}) => ({ words, tone, sign: "●", when });

const table = {
  kinds: {
    die: [
      phrase("ended", "warning", { exit_code: [null] }),
      phrase("ended well", "info", { exit_code: [0] }),
      phrase("died of {signal}, {exit_code}", "error", { signal: [9, 15] }),
      phrase("died, {exit_code}", "error"),
    ],
    health: [phrase("passes", "ok", { status: ["healthy"] })],
    action: [phrase("{lines} lines, {bytes}", "warning")],
    alert: [phrase("alert: {rule}", "error")],
  },
  names: { signal: { 9: "SIGKILL" }, rule: { "An app died": "应用异常退出" } },
  amounts: /** @type {const} */ ({ lines: "number", bytes: "bytes" }),
};

/** @param {string} kind @param {Record<string, unknown>} data */
const said = (kind, data) => {
  const event = { id: 1, app: "web", time: "", kind, container: "", data };
  const { words, tone } = describe(event, table);
  return [words, tone];
};

test("the first phrase that fits is said, with names where there are any", () => {
  assert.deepEqual(said("die", {}), ["ended", "warning"]);
  assert.deepEqual(said("die", { exit_code: 0 }), ["ended well", "info"]);
  assert.deepEqual(said("die", { exit_code: 137, signal: 9 }), ["died of SIGKILL, 137", "error"]);
  assert.deepEqual(said("die", { exit_code: 143, signal: 15 }), ["died of 15, 143", "error"]);
  assert.deepEqual(said("die", { exit_code: 192, signal: 64 }), ["died, 192", "error"]);
  assert.deepEqual(said("die", { exit_code: 12345 }), ["died, 12345", "error"]);
});

test("a name that everybody has is in the reader's words, one's own as it was given", () => {
  assert.deepEqual(said("alert", { rule: "An app died" }), ["alert: 应用异常退出", "error"]);
  assert.deepEqual(said("alert", { rule: "too slow" }), ["alert: too slow", "error"]);
  assert.deepEqual(said("alert", { rule: "constructor" }), ["alert: constructor", "error"]);
});

test("what counts something is written as a count, in whatever size", () => {
  const data = { lines: 1234567, bytes: 98_700_000 };
  assert.deepEqual(said("action", data), ["1,234,567 lines, 98.7 MB", "warning"]);
  assert.deepEqual(said("action", { lines: "many", bytes: null }), ["many lines, null", "warning"]);
});

test("a kind or a content without words is shown by the kind's name", () => {
  assert.deepEqual(said("alert.fired", { rule: "cpu" }), ["alert.fired", "info"]);
  assert.deepEqual(said("health", { status: "odd" }), ["health", "info"]);
  assert.deepEqual(said("constructor", {}), ["constructor", "info"]);
});
