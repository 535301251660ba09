// What steps tell of how far they are, as rows and a bar.

import assert from "node:assert/strict";
import test from "node:test";

import { readProgress } from "../../../static/js/deployments/progress.js";

/** @typedef {import("../../../static/js/live/deployments.js").Step} Step */

/** @param {string} name @param {Record<string, any>} progress @param {Step["state"]} [state] */
const read = (name, progress, state = "running") =>
  readProgress({ name, state, started: null, finished: null, progress });

test("a pull is told layer by layer, and by the bytes of all", () => {
  const told = read("pull", {
    layers: [
      ["aaaaaaaaaaaa", "Pull complete", 10, 10],
      ["bbbbbbbbbbbb", "Downloading", 5_000_000, 20_000_000],
      ["cccccccccccc", "Waiting", 0, 0],
    ],
    layers_done: 1,
    layers_all: 3,
    done: 5_000_010,
    total: 20_000_010,
  });
  assert.equal(told?.words, "1 of 3 layers · 5 MB of 20 MB");
  assert.equal(Math.round((told?.share ?? 0) * 100), 25);
  assert.deepEqual(
    told?.rows.map((row) => [row.words, row.share, row.state]),
    [
      ["done", 1, "done"],
      ["5 MB of 20 MB", 0.25, "running"],
      ["waits", 0, "running"],
    ],
  );
});

test("a build is told step by step", () => {
  const told = read(
    "build",
    {
      steps: [
        ["[1/3] FROM python", "cached", 0.2],
        ["[2/3] RUN make", "failed", 3.1],
        ["[3/3] COPY . .", "running", 3.1],
        ["exporting", "waiting", null],
      ],
      steps_done: 2,
      steps_all: 4,
    },
    "failed",
  );
  assert.equal(told?.words, "2 of 4 build steps");
  assert.deepEqual(
    told?.rows.map((row) => [row.words, row.state]),
    [
      ["as before", "done"],
      ["3.1 s", "failed"],
      ["3.1 s", "waiting"],
      ["", "waiting"],
    ],
  );
});

test("a build says that it waits, and what it fetches", () => {
  assert.match(read("build", { doing: "wait" })?.words ?? "", /^other builds are under way/);
  const told = read("build", {
    doing: "pull",
    image: "python:3.12",
    layers_done: 1,
    layers_all: 4,
  });
  assert.equal(told?.words, "python:3.12 · 1 of 4 layers");
});

test("what others tell is put in words, and what is not known stays unsaid", () => {
  assert.equal(read("start", { running: 1, of: 2, tasks: { running: 1 } })?.words, "runs: 1 of 2");
  assert.equal(read("drain", { in_flight: 1 })?.words, "1 request is not answered yet");
  assert.equal(
    read("drain", { in_flight: 0, finished: 3, cut: 0 })?.words,
    "every request was answered",
  );
  assert.match(read("drain", { in_flight: 0, cut: 2 })?.words ?? "", /^2 requests took too long/);
  const health = read("health", { healthy: 0, of: 1, said: "connection refused" });
  assert.equal(health?.words, "answers: 0 of 1 · connection refused");
  assert.equal(read("health", { serving: true, watching: 15 })?.words, "serves, watched for 15 s");
  assert.equal(read("health", { odd: {} }), null);
  assert.equal(
    readProgress({ name: "stop", state: "running", started: null, finished: null }),
    null,
  );
});
