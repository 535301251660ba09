// Where an app answers, for who looks from where.

import assert from "node:assert/strict";
import test from "node:test";

import { reachable, shortAddress } from "../../../static/js/apps/deployed.js";

/** @type {import("../../../static/js/apps/deployed.js").Address[]} */
const addresses = [
  { url: "http://web.localhost:8180/", kind: "local", port: 0 },
  { url: "http://192.0.2.1:8181/a", kind: "port", port: 8181 },
  { url: "https://web.example.com/shop", kind: "domain", port: 0 },
];

test("what leads to the machine itself is offered to who is there alone", () => {
  const all = ["https://web.example.com/shop", "http://web.localhost:8180/"];
  assert.deepEqual(reachable(addresses, "localhost"), [...all, "http://localhost:8181/a"]);
  assert.deepEqual(reachable(addresses, "127.0.0.1"), [...all, "http://127.0.0.1:8181/a"]);
});

test("a port is at the name by which somebody has reached the machine", () => {
  assert.deepEqual(reachable(addresses, "cloud.example.com"), [
    "https://web.example.com/shop",
    "http://cloud.example.com:8181/a",
  ]);
});

test("an address is shown without what goes without saying", () => {
  const shown = addresses.map(({ url }) => shortAddress(url));
  assert.deepEqual(shown, ["web.localhost:8180", "192.0.2.1:8181/a", "web.example.com/shop"]);
});
