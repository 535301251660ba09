// Apps that are chosen, and what can be done with which.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Chosen } from "../../../static/js/apps/chosen.js";
import { sort, verbsOf } from "../../../static/js/apps/operable.js";

const app = (name, values = {}) => ({
  name,
  kind: "found",
  put_away: false,
  up: true,
  instances: [{ state: "running" }],
  ...values,
});
const names = (apps) => apps.map((one) => one.name).join("");

test("one is chosen and not, a range is as the one from which it goes", () => {
  const shown = [..."abcde"];
  const all = shown.map((name) => app(name));
  const chosen = new Chosen();
  chosen.toggle("b");
  chosen.extend("d", shown);
  assert.equal(names(chosen.of(all)), "bcd");
  chosen.extend("a", shown); // still from the same one
  assert.equal(names(chosen.of(all)), "abcd");
  chosen.toggle("d");
  chosen.extend("c", shown);
  assert.equal(names(chosen.of(all)), "ab");
  chosen.clear();
  chosen.extend("c", shown); // from nowhere
  assert.equal(names(chosen.of(all)), "c");
  chosen.extend("e", ["d", "e"]); // the one before is not seen any more
  assert.equal(names(chosen.of(all)), "ce");
});

test("what is gone is not chosen any more", () => {
  const chosen = new Chosen();
  chosen.toggle("a");
  chosen.toggle("b");
  assert.equal(names(chosen.of([app("b")])), "b");
  assert.equal(chosen.size, 1);
});

test("only what makes sense is done with an app", () => {
  const down = { up: false, instances: [{ state: "exited" }] };
  const crashing = { up: false, instances: [{ state: "restarting" }] };
  const all = [
    app("a"),
    app("b", down),
    app("c", crashing),
    app("d", { kind: "deployed" }),
    app("e", { kind: "deployed", up: false, instances: [] }),
    app("f", { up: false, instances: [] }), // only its log is left
  ];
  const told = (what) => sort(what, all).map(names).join(" ");
  assert.equal(told("start"), "be acdf");
  assert.equal(told("stop"), "acd bef");
  assert.equal(told("restart"), "acd bef");
  assert.equal(told("delete"), "def abc");
});

test("a container is offered what the engine does with it as it is", () => {
  const verbs = (state, ofService = false) => verbsOf({ state, of_service: ofService }).join(" ");
  assert.equal(verbs("running"), "restart pause stop kill remove");
  assert.equal(verbs("paused"), "unpause kill remove");
  assert.equal(verbs("exited"), "start remove");
  assert.equal(verbs("restarting"), "stop kill remove");
  assert.equal(verbs("removing"), "");
  assert.equal(verbs("running", true), "");
});
