// What can be done with which app, and with which container. Pure.

import { isGone } from "../live/app_state.js";

/** @typedef {import("../live/app_state.js").App} App */
/** @typedef {import("../live/app_state.js").Instance} Instance */
/** @typedef {"start" | "stop" | "restart" | "pause" | "unpause" | "kill" | "remove"} Verb */
/** @typedef {"start" | "stop" | "restart" | "delete"} What */

/**
 * What can be done with a container as it is, in the order in which it is offered.
 *
 * @param {Instance} one
 * @returns {Verb[]}
 */
export function verbsOf({ state, of_service: ofService }) {
  if (ofService) return [];
  switch (state) {
    case "running":
      return ["restart", "pause", "stop", "kill", "remove"];
    case "restarting":
      return ["stop", "kill", "remove"];
    case "paused":
      return ["unpause", "kill", "remove"];
    case "removing":
      return [];
    default:
      return ["start", "remove"];
  }
}

/**
 * Those with which it would be done, and those that it would leave as they are.
 *
 * @param {What} what
 * @param {App[]} apps
 * @returns {[App[], App[]]}
 */
export function sort(what, apps) {
  const fits = apps.filter((app) => makesSense(what, app));
  return [fits, apps.filter((app) => !fits.includes(app))];
}

/**
 * @param {What} what
 * @param {App} app
 */
function makesSense(what, app) {
  const deployed = app.kind === "deployed" && !app.put_away;
  // What the engine still has comes back with its next sign of life.
  if (what === "delete") return deployed || !app.instances.length;
  if (isGone(app)) return false;
  const up = app.instances.some((one) => one.state === "running" || one.state === "restarting");
  return what === "start" ? !app.up && !up : app.up || up;
}
