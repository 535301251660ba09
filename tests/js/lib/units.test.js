// What measured numbers are counted in.

import assert from "node:assert/strict";
import { test } from "node:test";

import { formatValue, scaleOf, USUAL } from "../../../static/js/lib/units.js";

const said = (unit, value, units = {}, name = "") =>
  formatValue(unit, value, { ...USUAL, ...units }, name);

test("bytes are counted as the kernel counts them, or in thousands", () => {
  assert.equal(said("bytes", 512), "512 B");
  assert.equal(said("bytes", 1023), "1,023 B");
  assert.equal(said("bytes", 41_943_040), "40 MiB");
  assert.equal(said("bytes", 41_943_040, { bytes: "decimal" }), "41.9 MB");
  assert.equal(said("bytes", 1536), "1.5 KiB");
  assert.equal(said("bytes", 1500, { bytes: "decimal" }), "1.5 kB");
  assert.equal(said("bytes", 0), "0 B");
});

test("only what goes over a network is counted in bits, in thousands of them", () => {
  assert.equal(said("bytes/s", 1_000_000, { network: "bits" }, "network.sent"), "8 Mbit/s");
  assert.equal(said("bytes/s", 1_048_576, { network: "bits" }, "disk.read"), "1 MiB/s");
  assert.equal(said("bytes/s", 1_048_576, {}, "network.sent"), "1 MiB/s");
});

test("processor time is cores, or per cent of one", () => {
  assert.equal(said("cores", 0.25), "0.25 cores");
  assert.equal(said("cores", 1.5, { cpu: "percent" }), "150 % of a core");
  assert.equal(said("s/s", 0.031), "3.1 %");
});

test("durations, counts and what a program names itself", () => {
  assert.equal(said("s", 0.0841), "84.1 ms");
  assert.equal(said("s", 0.00005), "50 µs");
  assert.equal(said("s", 12), "12 s");
  assert.equal(said("1", 1234), "1,234");
  assert.equal(said("1", 1_234_000), "1.23 M");
  assert.equal(said("1/s", 12.5), "12.5/s");
  assert.equal(said("1/s", 25_000), "25 k/s");
  assert.equal(said("orders", 3), "3 orders");
});

test("an axis has one scale, its largest value's, whose numbers compare", () => {
  const { by, unit } = scaleOf("bytes", 300 * 1024 * 1024, USUAL);
  assert.equal(unit, "MiB");
  assert.equal((64 * 1024 * 1024) / by, 64);
  assert.deepEqual(scaleOf("bytes/s", 0, USUAL), { by: 1, unit: "B/s" });
});
