// What a deployment changed, in words: a verdict with what it stands on, and why there is none.

import assert from "node:assert/strict";
import test from "node:test";

import {
  changeWord,
  numberOf,
  spanSentence,
  verdictSentence,
} from "../../../static/js/deployments/comparison_words.js";
import { USUAL } from "../../../static/js/lib/units.js";

/** @typedef {import("../../../static/js/types/api.js").Compared} Compared */
/** @typedef {import("../../../static/js/types/api.js").ComparedRow} Row */

/** @param {string} name @param {Row["change"]} change @param {string} [why] @returns {Row} */
const row = (name, change, why = "") => ({
  name,
  unit: { cpu: "cores", memory: "bytes", "http.latency": "s" }[name] ?? "1/s",
  before: 0.25,
  after: null,
  change,
  why,
});

/** @param {Partial<Compared>} its @returns {Compared} */
const compared = (its) => ({
  before: { since: 0, until: 900, requests: null },
  after: { since: 930, until: 1170, requests: null },
  growing: true,
  cut: false,
  rows: [],
  verdict: "unknown",
  ...its,
});

test("a verdict names what it stands on", () => {
  const rows = [row("http.latency", "more"), row("log.errors", "same"), row("memory", "more")];
  assert.equal(
    verdictSentence(compared({ verdict: "worse", rows })),
    "It got worse: answers take longer and it needs more memory.",
  );
});

test("where not all was measured, as before is said of what was", () => {
  const rows = [row("cpu", "same"), row("http.latency", "unknown", "not-measured")];
  const all = [row("cpu", "same")];
  assert.match(verdictSentence(compared({ verdict: "same", rows })), /as far as it was measured/);
  assert.equal(verdictSentence(compared({ verdict: "same", rows: all })), "As before.");
});

test("it is too early while more comes, and too little afterwards", () => {
  assert.equal(verdictSentence(compared({})), "Too early to say.");
  assert.match(verdictSentence(compared({ growing: false })), /Too little was measured/);
});

test("of which time it is, and that somebody else deployed in it", () => {
  assert.equal(spanSentence(compared({})), "15 min before against 4 min after so far, of 15 min.");
  const cut = spanSentence(compared({ growing: false, cut: true }));
  assert.equal(
    cut,
    "15 min before against 4 min after. Another deployment was within the 15 minutes.",
  );
});

test("what is shorter than minutes is said in seconds, and what is nothing is no time", () => {
  /** @param {number} before @param {number} after @param {boolean} [growing] */
  const said = (before, after, growing = true) =>
    spanSentence(
      compared({
        before: { since: 0, until: before, requests: null },
        after: { since: 930, until: 930 + after, requests: null },
        growing,
      }),
    );
  assert.equal(said(50, 20), "50 s before against 20 s after so far, of 15 min.");
  assert.equal(said(130, 10), "2 min 10 s before against 10 s after so far, of 15 min.");
  assert.equal(said(890, 890, false), "15 min before against 15 min after.");
  assert.equal(said(900, 0), "15 min before it; what is measured after it comes every 10 s.");
  assert.equal(said(900, 0, false), "15 min before it, and nothing after it to compare with.");
  assert.equal(said(0, 60), "Nothing is known of the time before it to compare with.");
  assert.equal(said(0, 0), "There is nothing to compare.");
});

test("numbers have their units, and what was not measured has none", () => {
  assert.equal(numberOf(row("http.latency", "more"), "before", USUAL), "250 ms");
  assert.equal(numberOf(row("http.errors", "more"), "before", USUAL), "25 %");
  assert.equal(numberOf(row("log.errors", "more"), "before", USUAL), "15 a minute");
  assert.equal(numberOf(row("cpu", "more"), "after", USUAL), "");
  assert.equal(changeWord(row("cpu", "unknown", "too-little")), "too little traffic to say");
});
