// What is in trouble now, and since which deployment. Pure.

import { hasEnded } from "../live/deployments.js";
import { isTrouble } from "../live/app_state.js";

/** @typedef {import("../live/app_state.js").App} App */
/** @typedef {import("../live/deployments.js").Deployment} Deployment */

/**
 * One app that somebody should look at. `ill`: its instances are not well, and `since` is the
 * deployment by which they came; else its last deployment failed, which is `since`.
 *
 * @typedef {{ app: string, ill: App | null, since: Deployment | null }} Trouble
 */

/**
 * @param {Iterable<App>} apps
 * @param {Iterable<Deployment>} deployments all that are known
 * @returns {Trouble[]} those that are ill first, each by name
 */
export function findTrouble(apps, deployments) {
  // One that was cancelled says nothing of how its app is.
  const newest = [...deployments]
    .filter((one) => hasEnded(one) && one.state !== "cancelled")
    .sort((a, b) => b.id - a.id);
  /** @type {Trouble[]} */
  const ill = [];
  /** @type {Trouble[]} */
  const failed = [];
  for (const app of [...apps].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const its = newest.filter((one) => one.app === app.name);
    if (isTrouble(app)) {
      const since = its.find(({ state }) => state === "serving") ?? null;
      ill.push({ app: app.name, ill: app, since });
    } else if (its[0]?.state === "failed") {
      failed.push({ app: app.name, ill: null, since: its[0] });
    }
  }
  // One that never served has no containers, and may be no app that is listed yet.
  const listed = new Set([...ill, ...failed].map((one) => one.app));
  const known = new Set([...apps].map((app) => app.name));
  for (const one of newest) {
    if (known.has(one.app) || listed.has(one.app)) continue;
    listed.add(one.app);
    if (one.state === "failed") failed.push({ app: one.app, ill: null, since: one });
  }
  return [...ill, ...failed];
}
