// Where the reader is among rows, of which several may stand at one place.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LogModel } from "../../../static/js/logs/log_model.js";
import { VirtualList } from "../../../static/js/logs/virtual_list.js";

const ROW = 20;
const time = (/** @type {number} */ n) =>
  `${new Date(1.7e12 + n * 1000).toISOString().slice(0, 23)}000000Z`;

// @ts-expect-error a page has one
globalThis.ResizeObserver = class {
  observe() {}
};

/** A list of 10 lines, 40 events, 10 lines, as high as 5 rows. */
function list() {
  const model = new LogModel();
  model.reset(1, true);
  const rows = Array.from({ length: 20 }, (_, i) => {
    const n = i < 10 ? i : i + 100;
    return [i + 1, time(n), "aaaaaaaaaaaa", "stdout", `line ${i}`];
  });
  model.append(/** @type {any} */ (rows), 20);
  const events = Array.from({ length: 40 }, (_, i) => ({
    id: i + 1,
    time: time(20 + i),
    kind: "die",
  }));
  model.placeEvents(/** @type {any} */ (events), true);
  const element = () => ({
    ...{ remove() {}, replaceWith() {}, contains: () => false, nextElementSibling: null },
    getBoundingClientRect: () => ({ height: ROW }),
  });
  /** @type {Record<string, () => void>} */
  const on = {};
  const scroller = {
    ...{ clientHeight: 5 * ROW, scrollTop: 0 },
    addEventListener: (/** @type {string} */ name, /** @type {() => void} */ run) =>
      (on[name] = run),
  };
  const style = { height: "", setProperty() {} };
  const slice = { firstElementChild: null, insertBefore() {}, style };
  const drawing = {
    draw: element,
    guess: () => ROW,
    arrange: (/** @type {number} */ from) => from,
    measured: () => false,
  };
  const rowsOf = new VirtualList(
    .../** @type {[any, any, any]} */ ([scroller, { style }, slice]),
    model,
    /** @type {any} */ (drawing),
  );
  const scroll = (/** @type {number} */ to) => {
    scroller.scrollTop = to;
    on.scroll();
    rowsOf.render(true);
    return rowsOf.top;
  };
  return { model, rows: rowsOf, scroll };
}

test("each of several events at one place can be brought into sight", () => {
  const { model, rows } = list();
  rows.pause();
  for (const where of /** @type {const} */ (["middle", "near"])) {
    for (let index = 10; index < 50; index++) {
      rows.toStart();
      rows.render(true);
      rows.reveal(index, where);
      rows.render(true);
      const top = rows.topOf(index);
      assert.equal(model.entries[index].event?.id, index - 9);
      assert.ok(top >= rows.top && top + ROW <= rows.top + rows.view, `${index} ${where}`);
    }
  }
  // From below as well.
  for (let index = 49; index >= 10; index--) {
    rows.reveal(index);
    rows.render(true);
    const top = rows.topOf(index);
    assert.ok(top >= rows.top && top + ROW <= rows.top + rows.view, `up to ${index}`);
  }
});

test("who scrolls over them stays where they scrolled to", () => {
  const { scroll } = list();
  scroll(0);
  for (let to = 7; to < 1090; to += 33) assert.equal(scroll(to), to);
  for (let to = 900; to > 0; to -= 33) assert.equal(scroll(to), to);
});
