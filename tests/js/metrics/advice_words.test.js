// Who holds an app up, and whether its limits fit, in words.

import assert from "node:assert/strict";
import test from "node:test";

import { USUAL } from "../../../static/js/lib/units.js";
import { busySentence, limitSentence } from "../../../static/js/metrics/advice_words.js";

const MIB = 1024 * 1024;

test("a neighbour is named, and one that may not be seen is not", () => {
  const busy = { resource: "cpu", cause: "neighbour", waits: 0.4, share: 0.9, by: "job" };
  assert.equal(
    busySentence(busy),
    "It waits for a processor 40 % of the time. job makes the machine busy: 90 % of what is used.",
  );
  assert.match(busySentence({ ...busy, by: null }), /An app of another team/);
});

test("its own limit and the machine's host are why", () => {
  const busy = { resource: "cpu", cause: "limit", waits: 0.4, share: 0.3, by: null };
  assert.match(busySentence(busy), /Its own limit is why: it holds it back 30 % of the time/);
  assert.match(busySentence({ ...busy, cause: "hypervisor" }), /takes 30 % of the processors/);
});

test("a limit is said with its numbers, and one that fits is not", () => {
  const limit = { name: "memory", fit: "large", limit: 512 * MIB, usual: 150 * MIB };
  const more = { most: 190 * MIB, wanted: 256 * MIB, days: 13.9 };
  assert.equal(
    limitSentence({ ...limit, ...more }, USUAL),
    "The memory limit is far too large: 512 MiB, of which in 13 days at most 190 MiB were used. 256 MiB would do.",
  );
  assert.equal(limitSentence({ ...limit, ...more, fit: "fits" }, USUAL), "");
});
