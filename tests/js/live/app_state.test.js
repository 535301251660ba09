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
  condition: "running",
  since: "2026-01-01T00:00:00.000000000Z",
  error: null,
  health: null,
  health_failures: 0,
  health_output: null,
  ports: [],
  restarts: 0,
  exit_code: null,
  oom_killed: false,
  readable: true,
  ...values,
});
const app = (name, ...instances) => ({ name, stack: null, instances });
const shown = (values, ...instances) => ({ ...app("a", ...instances), ...values });

test("how an app does is what the server says, and gone once its last container is", () => {
  const half = shown({ condition: "partial", running: 1, trouble: true }, instance(), instance());
  assert.equal(states.appState(half), "partial");
  assert.equal(states.stateSentence(half), "1 of 2 running");
  assert.equal(states.isTrouble(half), true);
  assert.equal(states.isStopped(half), false);
  const gone = { ...half, instances: [] };
  assert.equal(states.appState(gone), "gone");
  assert.equal(states.isTrouble(gone), false);
  assert.equal(states.since({ ...gone, since: "2026-01-01T00:00:00Z" }), null);
  const deployed = { ...gone, kind: "deployed", condition: "gone" };
  assert.equal(states.appState(deployed), "exited");
  assert.equal(states.stateSentence(deployed), "Stopped");
  assert.equal(states.appState({ ...deployed, put_away: true }), "gone");
});

test("a one-off task neither counts as an instance of its service nor says how that ended", () => {
  const task = instance({ state: "exited", condition: "failed", exit_code: 1, one_off: true });
  const ended = instance({ state: "exited", condition: "exited", exit_code: 0 });
  assert.equal(states.stateSentence(shown({ condition: "exited" }, task, ended)), "Stopped");
  assert.equal(states.stateSentence(shown({ condition: "failed" }, task)), "Exited with 1");
  const half = shown({ condition: "partial", running: 1 }, instance(), instance(), task);
  assert.equal(states.stateSentence(half), "1 of 2 running");
});

test("a sentence says how it ended, or how often it was restarted", () => {
  const ended = (values) => {
    const one = instance({ state: "exited", condition: "failed", ...values });
    return states.stateSentence(shown({ condition: one.condition }, one));
  };
  assert.equal(ended({ exit_code: 1 }), "Exited with 1");
  assert.equal(ended({ exit_code: 137 }), "Killed, exit code 137");
  assert.equal(ended({ exit_code: 137, oom_killed: true }), "Out of memory");
  assert.equal(ended({ exit_code: 137, condition: "exited" }), "Exited with 137");
  assert.equal(ended({ exit_code: 0, condition: "exited" }), "Stopped");
  assert.equal(ended({ exit_code: 0, condition: "done" }), "Done");
  assert.equal(ended({ state: "created", exit_code: 127 }), "Could not be started");
  const again = instance({ condition: "restarting", restarts: 12 });
  assert.equal(
    states.stateSentence(shown({ condition: "restarting" }, again)),
    "Restarting · restarted 12 times",
  );
});

test("a container from before is no instance of an app that was deployed", () => {
  const kept = instance({ state: "exited", condition: "failed", exit_code: 1, of_service: false });
  const ours = instance({ of_service: true });
  const half = {
    ...shown({ condition: "partial", running: 1 }, kept, ours, ours),
    kind: "deployed",
  };
  assert.equal(states.stateSentence(half), "1 of 2 running");
  const alone = { ...shown({ condition: "failed" }, kept), kind: "deployed" };
  assert.equal(states.stateSentence(alone), "Exited with 1");
});

test("what is done runs no more, and nobody has to look at it", () => {
  const one = instance({ state: "exited", condition: "done", exit_code: 0 });
  const done = shown({ condition: "done", trouble: false, running: 0 }, one);
  assert.equal(states.stateSentence(done), "Done");
  assert.equal(states.isStopped(done), true);
  assert.equal(states.isTrouble(done), false);
});

test("in a list the exit code of a crash loop comes before how often it was restarted", () => {
  const again = instance({ condition: "restarting", restarts: 12, last_exit: 7 });
  assert.equal(
    states.stateBadge(shown({ condition: "restarting" }, again)),
    "Restarting · exit code 7",
  );
  const first = instance({ condition: "restarting", restarts: 1, last_exit: null });
  assert.equal(states.stateBadge(shown({ condition: "restarting" }, first)), "Restarting");
  const ended = instance({ state: "exited", condition: "failed", exit_code: 1 });
  assert.equal(states.stateBadge(shown({ condition: "failed" }, ended)), "Exited with 1");
});

test("a place of a service counts once, with how often it was filled anew and why", () => {
  const old = instance({ condition: "failed", exit_code: 3, restarts: 1, replaced: true });
  const now = instance({ condition: "restarting", restarts: 2, last_exit: 3 });
  assert.equal(
    states.stateSentence(shown({ condition: "restarting" }, old, now)),
    "Restarting · restarted 2 times · last exit code 3",
  );
  const half = shown({ condition: "partial", running: 1 }, old, instance(), instance());
  assert.equal(states.stateSentence(half), "1 of 2 running");
});

test("the engine's own reason and what a health check printed are told", () => {
  const refused = instance({ state: "created", condition: "failed", error: "no such file" });
  assert.equal(states.reason(refused), "no such file");
  const error =
    "failed to create shim task: OCI runtime create failed: runc create failed: " +
    'unable to start container process: exec: "/x": no such file';
  assert.equal(states.reason({ ...refused, error }), 'exec: "/x": no such file');
  const sick = { condition: "unhealthy", health: "unhealthy", health_output: "no route" };
  assert.equal(states.reason(instance(sick)), "health check fails: no route");
  assert.equal(
    states.reason(instance({ ...sick, health_failures: 3 })),
    "health check failed 3 times in a row: no route",
  );
  assert.equal(states.reason(instance({ health: "healthy", health_output: null })), "");
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
