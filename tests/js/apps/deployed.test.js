// Where an app answers, for who looks from where.

import assert from "node:assert/strict";
import test from "node:test";

import { reachable, shortAddress } from "../../../static/js/apps/deployed.js";

/** @type {import("../../../static/js/apps/deployed.js").Address[]} */
const addresses = [
  { url: "http://web.localhost:8180/", kind: "local" },
  { url: "http://192.0.2.1:8181/", kind: "port" },
  { url: "https://web.example.com/shop", kind: "domain" },
];
const kinds = (/** @type {string} */ host) => reachable(addresses, host).map(({ kind }) => kind);

test("what leads to the machine itself is offered to who is there alone", () => {
  assert.deepEqual(kinds("localhost"), ["domain", "local", "port"]);
  assert.deepEqual(kinds("127.0.0.1"), ["domain", "local", "port"]);
  assert.deepEqual(kinds("192.0.2.1"), ["domain", "port"]);
});

test("an address is shown without what goes without saying", () => {
  assert.deepEqual(
    addresses.map(({ url }) => shortAddress(url)),
    ["web.localhost:8180", "192.0.2.1:8181", "web.example.com/shop"],
  );
});
