// States of apps from those of their instances, groups, finding.

import assert from "node:assert/strict";
import { test } from "node:test";

import { filterApps } from "../../../static/js/live/app_state.js";
import * as states from "../../../static/js/live/app_state.js";

const instance = (values) => ({
  id: "0123456789ab",
  name: "shop-web-1",
  image: "shop/web:2",
  state: "running",
  health: null,
  ports: [],
  started_at: "2026-01-01T00:00:00.000000000Z",
  finished_at: "0001-01-01T00:00:00Z",
  restarts: 0,
  exit_code: null,
  oom_killed: false,
  readable: true,
  ...values,
});
const app = (name, ...instances) => ({ name, stack: null, instances });

test("an app is in the worst state that one of its instances is in", () => {
  const up = instance();
  assert.equal(states.appState(app("a", up, up)), "running");
  assert.equal(states.appState(app("a", up, instance({ health: "starting" }))), "starting");
  assert.equal(states.appState(app("a", up, instance({ health: "unhealthy" }))), "unhealthy");
  assert.equal(states.appState(app("a", up, instance({ state: "restarting" }))), "restarting");
  assert.equal(states.appState(app("a", up, instance({ state: "exited" }))), "partial");
  assert.equal(states.appState(app("a")), "gone");
});

test("a container that was told to stop has not failed, one that was killed for its memory has", () => {
  for (const [code, oom, wanted] of [
    [0, false, "exited"],
    [143, false, "exited"],
    [137, false, "exited"],
    [137, true, "failed"],
    [1, false, "failed"],
  ]) {
    const one = instance({ state: "exited", exit_code: code, oom_killed: oom });
    assert.equal(states.instanceState(one), wanted, `${code} ${oom}`);
  }
});

test("an app is up since the newest start, and down since the last end", () => {
  const early = instance({ started_at: "2026-01-01T00:00:00Z" });
  const late = instance({ started_at: "2026-01-02T00:00:00Z" });
  assert.deepEqual(states.since(app("a", late, early)), { time: "2026-01-02T00:00:00Z", up: true });
  const ended = instance({ state: "exited", finished_at: "2026-01-03T00:00:00Z" });
  assert.deepEqual(states.since(app("a", ended)), { time: "2026-01-03T00:00:00Z", up: false });
  assert.equal(states.since(app("a", instance({ state: "created", started_at: null }))), null);
});

test("apps stand by stack and by name as people count, those without a stack last", () => {
  const all = ["web-10", "web-2"].map((name) => ({ ...app(name), stack: "shop" }));
  const grouped = states.byStack([app("solo"), ...all]);
  assert.deepEqual(
    grouped.map(([stack, apps]) => [stack, apps.map((one) => one.name)]),
    [
      ["shop", ["web-2", "web-10"]],
      [null, ["solo"]],
    ],
  );
  assert.equal(states.nameInStack({ ...app("shop.web"), stack: "shop" }), "web");
  assert.equal(states.nameInStack({ ...app("shopping"), stack: "shop" }), "shopping");
});

test("every word of a filter has to be in something about the app", () => {
  const web = app("shop.web", instance({ ports: ["0.0.0.0:8080->80/tcp"] }));
  const db = app("shop.db", instance({ image: "postgres:16" }));
  const names = (query) => filterApps([web, db], query).map((one) => one.name);
  assert.deepEqual(names("shop"), ["shop.web", "shop.db"]);
  assert.deepEqual(names("SHOP postgres"), ["shop.db"]);
  assert.deepEqual(names("8080"), ["shop.web"]);
  assert.deepEqual(names("0123456789ab shop.db"), ["shop.db"]);
  assert.deepEqual(names("  "), ["shop.web", "shop.db"]);
  assert.deepEqual(names("nothing"), []);
});
