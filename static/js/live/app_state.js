// What state an app is in, in one word and one shape, from the states of its instances; apps in
// groups, and those that somebody looks for.

import { h, icon, setAttribute, setText } from "../lib/dom.js";
import { formatNumber, lazy, t, tn } from "../lib/i18n.js";

/** @typedef {import("../types/api.js").Instance} Instance */
/** @typedef {import("../types/api.js").App} App */

/**
 * @typedef {"running" | "starting" | "partial" | "unhealthy" | "restarting" | "paused" |
 *   "exited" | "failed" | "dead" | "created" | "gone"} Shown
 */

/** Exit codes of a container that was told to stop: SIGINT, SIGKILL, SIGTERM. */
const TOLD_TO_STOP = [130, 137, 143];

/**
 * @param {Instance} instance
 * @returns {Shown}
 */
export function instanceState(instance) {
  switch (instance.state) {
    case "running":
      if (instance.health === "unhealthy") return "unhealthy";
      return instance.health === "starting" ? "starting" : "running";
    case "exited": {
      const code = instance.exit_code ?? 0;
      return instance.oom_killed || (code !== 0 && !TOLD_TO_STOP.includes(code))
        ? "failed"
        : "exited";
    }
    case "restarting":
    case "paused":
    case "dead":
    case "created":
      return instance.state;
    default:
      return "exited";
  }
}

/** The first that any instance is in is what the app is in: trouble before the rest. @type {Shown[]} */
const TROUBLE = ["unhealthy", "dead", "restarting"];
/** @type {Shown[]} */
const STOPPED = ["failed", "paused", "exited", "created"];

/**
 * @param {App} app
 * @returns {Shown}
 */
export function appState(app) {
  const states = app.instances.map(instanceState);
  if (!states.length) return "gone";
  for (const state of TROUBLE) if (states.includes(state)) return state;
  const up = states.filter((state) => state === "running" || state === "starting");
  if (up.length === states.length) return states.includes("starting") ? "starting" : "running";
  if (up.length) return "partial";
  return STOPPED.find((state) => states.includes(state)) ?? "exited";
}

/** Whether somebody should look at it. @param {Shown} state */
export function isTrouble(state) {
  return ["unhealthy", "dead", "restarting", "failed"].includes(state);
}

/** @param {Shown} state */
export function isUp(state) {
  return ["running", "starting", "unhealthy", "partial", "restarting", "paused"].includes(state);
}

/**
 * @param {Shown} state
 * @returns {string}
 */
export function stateWord(state) {
  switch (state) {
    case "running":
      return t("Running");
    case "starting":
      return t("Starting");
    case "partial":
      return t("Partly running");
    case "unhealthy":
      return t("Unhealthy");
    case "restarting":
      return t("Restarting");
    case "paused":
      return t("Paused");
    case "failed":
      return t("Failed");
    case "dead":
      return t("Dead");
    case "created":
      return t("Created");
    case "gone":
      return t("Only logs kept");
    default:
      return t("Stopped");
  }
}

/**
 * The word with what explains it: the exit code, how many of how many run.
 *
 * @param {App} app
 */
export function stateSentence(app) {
  const state = appState(app);
  const word = stateWord(state);
  if (state === "partial") {
    const up = app.instances.filter((one) => one.state === "running").length;
    return t("{up} of {all} running", { up, all: app.instances.length });
  }
  if (state === "failed" || state === "exited") return exitSentence(app.instances) ?? word;
  return word;
}

/** @param {Instance[]} instances */
function exitSentence(instances) {
  const ended = instances.find((one) => instanceState(one) === "failed") ?? instances[0];
  if (ended.oom_killed) return t("Out of memory");
  if (ended.exit_code) return t("Exited with {code}", { code: String(ended.exit_code) });
  return null;
}

/**
 * Since when the app is in its state: for one that runs its newest start, for one that does not
 * its last end.
 *
 * @param {App} app
 * @returns {{time: string, up: boolean} | null}
 */
export function since(app) {
  const up = app.instances.filter((one) => isUp(instanceState(one)));
  const times = up.length
    ? up.map((one) => known(one.started_at))
    : app.instances.map((one) => known(one.finished_at));
  const time = times
    .filter((one) => one !== null)
    .sort()
    .at(-1);
  return time ? { time, up: up.length > 0 } : null;
}

/**
 * A time, or null where the engine says "never" (the year 1).
 *
 * @param {string | null | undefined} time
 */
export function known(time) {
  return time && !time.startsWith("0001") ? time : null;
}

/** @param {App} app */
export function restarts(app) {
  return app.instances.reduce((sum, one) => sum + (one.restarts || 0), 0);
}

/** @param {App} app */
export function instanceCount(app) {
  const n = app.instances.length;
  return tn("{n} instance", "{n} instances", n);
}

/**
 * Apps by stack, stacks by name, apps without one last under null; apps by name, as people read
 * numbers (web-2 before web-10). Rates and states never reorder: a list that jumps cannot be read.
 *
 * @param {Iterable<App>} apps
 * @returns {[string | null, App[]][]}
 */
export function byStack(apps) {
  /** @type {Map<string | null, App[]>} */
  const stacks = new Map();
  for (const app of apps) {
    const stack = app.stack || null;
    const list = stacks.get(stack);
    if (list) list.push(app);
    else stacks.set(stack, [app]);
  }
  for (const list of stacks.values()) list.sort((a, b) => natural().compare(a.name, b.name));
  return [...stacks].sort(([a], [b]) =>
    a === null ? 1 : b === null ? -1 : natural().compare(a, b),
  );
}

const natural = lazy(() => new Intl.Collator("en", { numeric: true, sensitivity: "base" }));

/**
 * What the app is called inside its stack: `shop.web` is `web` under the heading `shop`.
 *
 * @param {App} app
 */
export function nameInStack(app) {
  const prefix = `${app.stack}.`;
  return app.stack && app.name.startsWith(prefix) ? app.name.slice(prefix.length) : app.name;
}

/** @param {number} n */
export function restartCount(n) {
  return tn("restarted {n} time", "restarted {n} times", n);
}

/**
 * @param {Shown} state
 * @returns {HTMLSpanElement}
 */
export function stateIcon(state) {
  const shape = icon(`state-${state}`, "state");
  const box = h("span", { class: "state-box" }, shape, h("span", { class: "quiet" }));
  showState(box, state);
  return box;
}

/**
 * @param {Element} box what stateIcon() made
 * @param {Shown} state
 */
export function showState(box, state) {
  const shape = /** @type {SVGElement} */ (box.firstElementChild);
  if (shape.dataset.state === state) return;
  shape.dataset.state = state;
  shape.querySelector("use")?.setAttribute("href", `#icon-state-${state}`);
  const word = stateWord(state);
  setText(/** @type {Element} */ (box.lastElementChild), word);
  setAttribute(box, "title", word);
}

/**
 * The apps of which every word of the query is part of something about them: name, stack, image,
 * an instance's name, id or port.
 *
 * @param {Iterable<App>} apps
 * @param {string} query
 * @returns {App[]}
 */
export function filterApps(apps, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return [...apps].filter((app) => {
    if (!words.length) return true;
    const text = about(app);
    return words.every((word) => text.includes(word));
  });
}

/** @param {App} app */
function about(app) {
  const instances = app.instances.flatMap((one) => [one.name, one.id, one.image, ...one.ports]);
  return [app.name, app.stack ?? "", ...instances].join("\n").toLowerCase();
}
