// The cursor in the rows of a log, beside rows that come while it is moved.

import assert from "node:assert/strict";
import { test } from "node:test";

import { RowCursor } from "../../../static/js/logs/row_cursor.js";

test("rows that came in front and are not drawn yet do not take the cursor away", () => {
  const names = ["one", "two", "three"];
  const entries = names.map((name) => ({ name, open: false, version: 0 }));
  const drawn = new Map(entries.map((entry) => [entry, {}]));
  const rows = {
    ...{ start: 0, end: 3, firstSeen: 0, lastSeen: 2, place: { follow: false } },
    elementOf: (entry) => drawn.get(entry) ?? null,
    pause() {},
    reveal() {},
  };
  const feed = { model: { entries } };
  const cursor = new RowCursor(feed, rows, { changed() {}, openAt: async () => {} });
  cursor.set(entries[1]);
  entries.unshift({ name: "created", version: 0 }, { name: "started", version: 0 });
  cursor.step(1);
  assert.equal(cursor.entry.name, "three");
  drawn.clear(); // scrolled out of sight: the keys begin at what is seen
  cursor.step(1);
  assert.equal(cursor.entry.name, "created");
});
