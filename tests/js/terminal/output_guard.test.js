// What a program prints on purpose to reach out of its terminal, and what of it is done.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { copied, guardOutput } from "../../../static/js/terminal/output_guard.js";

/** A terminal of 10 by 5 that keeps what its handlers do, with the cursor in the fourth line. */
function terminal() {
  const csi = new Map();
  const osc = new Map();
  /** @type {[string, number[]][]} */
  const done = [];
  const inputHandler = new Proxy(
    {},
    {
      get:
        (_, name) =>
        ({ params }) =>
          done.push([String(name), params]),
    },
  );
  const key = ({ prefix = "", intermediates = "", final }) => prefix + intermediates + final;
  const add = (map, name, handler) => map.set(name, [handler, ...(map.get(name) ?? [])]);
  const parser = {
    registerCsiHandler: (id, handler) => add(csi, key(id), handler),
    registerOscHandler: (code, handler) => add(osc, code, handler),
    registerDcsHandler: () => {},
  };
  const one = { cols: 10, rows: 5, parser, _core: { _inputHandler: inputHandler } };
  one.buffer = { active: { cursorX: 2, cursorY: 3 } };
  const asked = (map, name, data) => (map.get(name) ?? []).some((handler) => handler(data));
  return {
    one,
    done,
    /** Whether xterm.js does not get to see it. */
    csi: (name, ...params) => asked(csi, name, params),
    osc: (code, data) => asked(osc, code, data),
  };
}

function guarded({ may = true } = {}) {
  const found = { ...terminal(), titles: [], copies: [] };
  guardOutput(found.one, {
    mayAnswer: () => may,
    mayCopy: () => may,
    title: (title) => found.titles.push(title),
    copy: (text) => found.copies.push(text),
  });
  return found;
}

test("counts are cut to what fits on the screen", () => {
  const { csi, done } = guarded();
  for (const final of "STLMIZb") {
    assert.equal(csi(final, 0), false);
    assert.equal(csi(final, 4), false);
    assert.equal(csi(final, 2_147_483_647), true);
  }
  assert.deepEqual(done, [
    ["scrollUp", [5]],
    ["scrollDown", [5]],
    ["insertLines", [5]],
    ["deleteLines", [5]],
    ["cursorForwardTab", [10]],
    ["cursorBackwardTab", [10]],
    ["repeatPrecedingCharacter", [18]],
  ]);
});

test("colours and the blinking of the cursor change only so often", () => {
  let now = 0;
  const clock = mock.method(performance, "now", () => now);
  const { csi, osc, done } = guarded();
  let passed = 0;
  for (let n = 0; n < 3000; n++) {
    if (!osc(4, "1;#ff0000")) passed += 1;
    if (!osc(104, "")) passed += 1;
    if (!csi("?h", 12)) passed += 1;
  }
  assert.equal(passed, 300);
  assert.equal(csi("?h", 25), false);
  assert.equal(csi("?h", 25, 12), true);
  assert.deepEqual(done, [["setModePrivate", [25]]]);
  now += 1000;
  while (!osc(104, "")) passed += 1;
  assert.equal(passed, 360);
  clock.mock.restore();
});

test("a colour is not one of megabytes", () => {
  const { osc } = guarded();
  assert.equal(osc(4, "1;#ff0000;".repeat(10)), false);
  assert.equal(osc(4, "1;#ff0000;".repeat(1000)), true);
});

test("a title has some hundred characters, and no half of one", () => {
  const { osc, titles } = guarded();
  assert.equal(osc(0, "short"), true);
  osc(2, "a".repeat(299) + "😀".repeat(1_000_000));
  assert.deepEqual(titles, ["short", "a".repeat(299)]);
});

test("what is copied is base64 of text, and where copying is not wanted nothing", () => {
  const { osc, copies } = guarded();
  for (const data of [
    "c;b25l",
    "c;!",
    "c;",
    ";5Lit",
    "p;?",
    "c;b25l=",
    "c;/w==",
    "c",
    "c;b25l;x",
  ]) {
    assert.equal(osc(52, data), true, data);
  }
  assert.deepEqual(copies, ["one", "中"]);
  const watching = guarded({ may: false });
  watching.osc(52, "c;b25l");
  assert.deepEqual(watching.copies, []);
  assert.equal(copied(`c;${"QUFB".repeat(300_000)}`), null);
});

test("questions reach xterm.js where they may be answered, and there only", () => {
  for (const may of [true, false]) {
    const { csi, osc } = guarded({ may });
    assert.equal(csi("c"), !may);
    assert.equal(csi("?n", 6), !may);
    assert.equal(csi("t", 18), !may);
    assert.equal(osc(11, "?"), !may);
  }
});
