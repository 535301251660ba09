// Looking through the store: however far, saying where, stopped in an instant.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Extents } from "../../../static/js/logs/extents.js";
import { LogApi } from "../../../static/js/logs/log_api.js";
import { Look } from "../../../static/js/logs/look.js";

const FILTER = {
  q: "needle",
  regex: false,
  hide: true,
  terms: [],
  levels: [],
  container: "",
  stream: "",
};

/** A store of so many lines that looks through 1,000 of them at a time; one line is the needle. */
function store(lines, needle) {
  const asked = [];
  globalThis.document ??= { querySelector: () => null };
  globalThis.fetch = async (address, { signal }) => {
    signal.throwIfAborted();
    const params = new URL(address, "http://here").searchParams;
    const before = Number(params.get("before"));
    asked.push(before);
    const from = Math.max(1, before - 1_000);
    const found = needle >= from && needle < before;
    const rows = found ? [[needle, "", "", "stdout", "needle"]] : [];
    const answer = {
      lines: rows,
      levels: [],
      entries: [],
      first: 1,
      next: lines + 1,
      ...(from > 1 && { cursor: from }),
    };
    return { ok: true, status: 200, headers: new Headers(), json: async () => answer };
  };
  return asked;
}

test("what stands far back is found after any number of questions, and it is said where it looks", async () => {
  const asked = store(3_000_000, 7);
  const said = [];
  const look = new Look("match", -1, () => said.push(look.at));
  const api = new LogApi("/api/v1/apps/a", new Extents());
  assert.equal(await api.nearest(FILTER, 3_000_001, look), 7);
  assert.equal(asked.length, 3_000);
  assert.equal(said.length, 2_999);
  assert.equal(said[0], 2_999_001);
  assert.equal(said.at(-1), 1_001);
});

test("none is the truth: everything was looked through", async () => {
  const asked = store(1_500, -1);
  const look = new Look("error", -1, () => {});
  assert.equal(
    await new LogApi("/api/v1/apps/a", new Extents()).nearest(FILTER, 1_501, look),
    null,
  );
  assert.deepEqual(asked, [1_501, 501]);
  assert.equal(look.stopped, false);
});

test("a look that is stopped asks nothing more, and the question under way is given up", async () => {
  const asked = store(100_000, 3);
  const look = new Look("match", -1, () => asked.length === 5 && look.stop());
  assert.equal(
    await new LogApi("/api/v1/apps/a", new Extents()).nearest(FILTER, 100_001, look),
    null,
  );
  assert.equal(asked.length, 5);
  assert.equal(look.stopped, true);
  assert.equal(look.signal.aborted, true);
});
