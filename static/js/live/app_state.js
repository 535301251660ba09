// What state an app is in, in one word and one shape, from the states of its instances; apps in
// groups, and those that somebody looks for.

import { h, icon, setAttribute, setText } from "../lib/dom.js";
import { formatNumber, lazy, t, tn } from "../lib/i18n.js";

/** @typedef {import("../types/api.js").Instance} Instance */
/** @typedef {import("../types/api.js").App} App */

/** @typedef {App["condition"]} Shown */

/**
 * The instances that say how an app is: one-off tasks (of `docker compose run`) say nothing of their
 * service, unless there is nothing else; nor does one that another one has replaced, nor, of an app
 * that was deployed, a container from before that.
 *
 * @param {App} app
 */
export function counted({ instances, kind }) {
  let current = instances.filter((one) => !one.replaced);
  if (kind === "deployed" && current.some((one) => one.of_service)) {
    current = current.filter((one) => one.of_service);
  }
  const its = current.filter((one) => !one.one_off);
  return its.length ? its : current;
}

/**
 * Whether only logs are kept of it. Not of one that is deployed: it has no containers while it is
 * stopped, or not started yet.
 *
 * @param {App} app
 */
export function isGone(app) {
  return !app.instances.length && (app.kind !== "deployed" || app.put_away);
}

/**
 * How an app does: the server says so. One that has lost its last container while the page looked
 * is gone.
 *
 * @param {App} app
 * @returns {Shown}
 */
export function appState(app) {
  if (isGone(app)) return "gone";
  return app.instances.length ? app.condition : "exited";
}

/** Whether somebody should look at it. @param {App} app */
export function isTrouble(app) {
  return app.instances.length > 0 && app.trouble;
}

/** Whether none of it runs, and it does not come back by itself. @param {App} app */
export function isStopped(app) {
  return ["exited", "done", "failed", "dead", "created"].includes(appState(app));
}

/**
 * Whether it is a container from before its app was deployed, such as one that was taken over.
 *
 * @param {App} app
 * @param {Instance} instance
 */
export function isKept({ kind }, { of_service: ofService }) {
  return kind === "deployed" && !ofService;
}

/** @param {Instance} instance */
export function isAlive(instance) {
  return instance.state === "running" || instance.state === "paused";
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
    case "done":
      return t("Done");
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
  if (state === "partial") {
    return t("{up} of {all} running", { up: app.running, all: counted(app).length });
  }
  if (state === "restarting" && restarts(app)) {
    const code = lastExit(app);
    const last = code === null ? "" : ` · ${t("last exit code {code}", { code: String(code) })}`;
    return `${stateWord(state)} · ${restartCount(restarts(app))}${last}`;
  }
  if (state === "failed" || state === "exited") {
    const its = counted(app);
    const ended = its.find((one) => one.condition === "failed") ?? its[0];
    return (ended && endSentence(ended)) ?? stateWord(state);
  }
  return stateWord(state);
}

/**
 * The same where there is little room: of a crash loop how often it began anew stands elsewhere.
 *
 * @param {App} app
 */
export function stateBadge(app) {
  if (appState(app) !== "restarting") return stateSentence(app);
  const code = lastExit(app);
  if (code === null) return stateWord("restarting");
  return `${stateWord("restarting")} · ${t("exit code {code}", { code: String(code) })}`;
}

/** With which code the run before this one ended, of one that restarts. @param {App} app */
function lastExit(app) {
  return counted(app).find((one) => one.last_exit !== null)?.last_exit ?? null;
}

const KILLED = 137;

/**
 * How a container ended, null when there is nothing to say of it.
 *
 * @param {Instance} one
 */
export function endSentence(one) {
  if (one.state === "created") return one.condition === "failed" ? t("Could not be started") : null;
  if (one.oom_killed) return t("Out of memory");
  if (!one.exit_code) return null;
  const code = String(one.exit_code);
  if (one.condition === "failed" && one.exit_code === KILLED) {
    return t("Killed, exit code {code}", { code });
  }
  return t("Exited with {code}", { code });
}

/** What engines put before the reason of a start that was refused. */
const ON_THE_WAY =
  /^.*(?:unable to start container process|OCI runtime create failed|runc create failed): /;

/**
 * What the engine or a health check says of what is wrong, "" when nothing: the engine's own words,
 * from where they say something.
 *
 * @param {Instance} one
 */
export function reason(one) {
  if (one.error) return one.error.replace(ON_THE_WAY, "");
  return one.condition === "unhealthy" ? healthSentence(one) : "";
}

/**
 * What is known of the health check: whether it passes, how often in a row it did not, what it said.
 *
 * @param {Instance} one
 */
export function healthSentence(one) {
  /** @type {Record<string, () => string>} */
  const words = {
    healthy: () => t("health check passes"),
    unhealthy: () => {
      const n = one.health_failures;
      return n > 1
        ? tn("health check failed {n} time in a row", "health check failed {n} times in a row", n)
        : t("health check fails");
    },
    starting: () => t("health check not passed yet"),
  };
  const said = words[one.health ?? ""]?.() ?? one.health ?? "";
  return one.health !== "healthy" && one.health_output ? `${said}: ${one.health_output}` : said;
}

/**
 * Since when it runs, or does not; null where that is not known, or it has no containers any more.
 *
 * @param {App} app
 */
export function since(app) {
  return app.instances.length ? app.since : null;
}

/** @param {App} app */
export function restarts(app) {
  // Of a place of a service, each instance knows of those before it.
  return counted(app).reduce((sum, one) => sum + (one.restarts || 0), 0);
}

/** @param {App} app */
export function instanceCount(app) {
  const n = counted(app).length;
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
