// What is known of a kill for want of memory, in words: nothing of what was not measured.

import assert from "node:assert/strict";
import test from "node:test";

import { filledSentence, limitSentence, numbers } from "../../../static/js/apps/oom_words.js";
import { USUAL } from "../../../static/js/lib/units.js";

const MIB = 1024 * 1024;

test("its own limit, the machine's memory, or neither is known", () => {
  assert.match(limitSentence({ limit: 64 * MIB }, USUAL), /its limit of 64 MiB was full/);
  const machine = { used: 900 * MIB, machine: 1024 * MIB, machine_used: 1000 * MIB };
  assert.match(limitSentence(machine, USUAL), /no limit of its own; of the machine's 1 GiB/);
  assert.equal(limitSentence({}, USUAL), "Out of memory: the kernel killed a process.");
});

test("what filled it is said where it was measured", () => {
  assert.match(filledSentence({ filled: "shared", used: 1 }), /tmpfs/);
  assert.match(filledSentence({}), /too fast to be measured/);
  assert.match(filledSentence({ used: 1 }), /was not measured/);
  assert.match(filledSentence({ used: 1, anon: 1 }), /No part/);
});

test("of the numbers those that there are", () => {
  assert.deepEqual(numbers({ limit: 8 * MIB, file: 0 }, USUAL), [
    ["Limit", "8 MiB"],
    ["Of files", "0 B"],
  ]);
});
