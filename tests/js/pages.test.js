// The pure parts of the pages: states, finding, short names, keys, where to go after signing in.

import assert from "node:assert/strict";
import { test } from "node:test";

import { browserName } from "../../static/js/browser_name.js";
import { fill, formatRelative, toDate } from "../../static/js/i18n.js";
import { Sequence, nameOf } from "../../static/js/key_names.js";
import { filterApps, fuzzy } from "../../static/js/match.js";
import { pathWithin } from "../../static/js/next.js";
import { plain } from "../../static/js/plain.js";
import { points } from "../../static/js/spark.js";
import { shortImage, shortPort, shortPorts } from "../../static/js/short.js";
import * as states from "../../static/js/state.js";

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

test("jumping finds letters in order, whole runs and starts of words first", () => {
  assert.deepEqual(fuzzy("web", "shop.web")?.at, [5, 6, 7]);
  assert.deepEqual(fuzzy("sw", "shop.web")?.at, [0, 5]);
  assert.equal(fuzzy("wbs", "shop.web"), null);
  const score = (text) => fuzzy("web", text)?.score ?? -Infinity;
  assert.ok(score("web") > score("cobweb"));
  assert.ok(score("shop.web") > score("window-edge-box"));
});

test("images and ports are shown without what goes without saying", () => {
  assert.equal(shortImage("registry.example.com:5000/shop/web:2.1"), "shop/web:2.1");
  assert.equal(shortImage("library/nginx"), "library/nginx");
  assert.equal(shortImage(`ghcr.io/a/b@sha256:${"0".repeat(64)}`), "a/b");
  assert.equal(shortImage(`sha256:${"1".repeat(64)}`), "111111111111");
  assert.equal(shortPort("0.0.0.0:8080->80/tcp"), "8080→80");
  assert.equal(shortPort("[::]:8080->80/tcp"), "8080→80");
  assert.equal(shortPort(":::8080->80/tcp"), "8080→80");
  assert.equal(shortPort("127.0.0.1:5432->5432/tcp"), "localhost:5432");
  assert.equal(shortPort("0.0.0.0:53->53/udp"), "53→53/udp");
  assert.equal(shortPort("6379/tcp"), "6379/tcp");
  assert.deepEqual(shortPorts(["80/tcp", "0.0.0.0:80->80/tcp", "[::]:80->80/tcp"], 2), {
    text: "80",
    open: true,
  });
  assert.deepEqual(shortPorts(["1/tcp", "2/tcp", "3/tcp"], 2), {
    text: "1/tcp, 2/tcp +1",
    open: false,
  });
});

test("a line in the list of apps is plain text, whatever the container wrote", () => {
  assert.equal(
    plain("\x1b[1;31merror\x1b[0m: \x1b]8;;http://x\x07link\x1b]8;;\x07"),
    "error: link",
  );
  assert.equal(plain("10 %\r50 %\r100 %"), "100 %");
  assert.equal(plain("a\tb\x00\x08c"), "a  bc");
  assert.equal(plain("<script>alert(1)</script>"), "<script>alert(1)</script>");
  assert.equal(plain("x".repeat(1_000_000), 10), "xxxxxxxxxx");
  assert.equal(plain("\x1b[".repeat(100_000)).length < 301, true);
});

test("keys have names, keys of a sequence follow each other in time", () => {
  const press = (key, more = {}) =>
    nameOf({ key, ctrlKey: false, metaKey: false, altKey: false, ...more }, false);
  assert.equal(press(" "), "space");
  assert.equal(press("K", { ctrlKey: true }), "mod+k");
  assert.equal(press("k", { metaKey: true }), "");
  assert.equal(press("Shift"), "");
  const known = ["g l", "g a", "j"];
  const keys = new Sequence();
  assert.equal(keys.press("g", 0, known), "begun");
  assert.equal(keys.press("l", 500, known), "g l");
  assert.equal(keys.press("l", 600, known), "");
  assert.equal(keys.press("g", 1000, known), "begun");
  assert.equal(keys.press("a", 5000, known), "");
  assert.equal(keys.press("g", 6000, known), "begun");
  assert.equal(keys.press("j", 6100, known), "j");
});

test("a minute of rates ends at the right edge, its highest at the top", () => {
  assert.equal(points([0, 10], 59, 16), "58.0,15.0 59.0,1.0");
  assert.equal(points([0], 59, 16), "59.0,15.0");
});

test("after signing in nobody is sent to another site", () => {
  const here = "https://cloud.example";
  for (const bad of [
    "",
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "javascript:x",
    "/.//evil.example",
    "/..//evil.example",
    "/a/..//evil.example",
    "/%2e//evil.example",
    "/sign-in?next=/",
  ]) {
    assert.equal(pathWithin(bad, here), "/", bad);
  }
  assert.equal(
    pathWithin("/apps/web/logs?level=error#L12", here),
    "/apps/web/logs?level=error#L12",
  );
});

test("texts are filled by name, times are read with nanoseconds and told apart", () => {
  assert.equal(fill("{n} of {all}", { n: 1, all: "x" }), "1 of x");
  assert.equal(fill("{unknown}", {}), "{unknown}");
  const time = "2026-01-01T00:00:00.123456789Z";
  assert.equal(toDate(time).getTime(), Date.UTC(2026, 0, 1, 0, 0, 0, 123));
  assert.equal(formatRelative(time, Date.UTC(2026, 0, 1, 0, 0, 5)), "just now");
  assert.match(formatRelative(time, Date.UTC(2026, 0, 1, 3, 0, 5)), /3/);
});

test("a session is called by its browser and system", () => {
  assert.equal(
    browserName(
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0 Safari/537.36",
    ),
    "Chrome, Linux",
  );
  assert.equal(browserName("python-httpx/0.28"), "python-httpx/0.28");
});
