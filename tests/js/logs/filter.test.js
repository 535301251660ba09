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
} from "../../../static/js/logs/filter.js";

/** @typedef {import("../../../static/js/logs/filter.js").Filter} Filter */

test("a filter survives the address bar", () => {
  /** @type {Filter} */
  const filter = {
    q: "a+b &ü",
    regex: true,
    capitals: true,
    hide: true,
    terms: [
      { text: "status:>=500", off: false },
      { text: "-x", off: true },
    ],
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
    passes({ ...NO_FILTER, ...filter })?.([[1, "", "0123456789ab", "stdout", text]], level) ?? true;
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
