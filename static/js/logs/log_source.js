// Where a log is: the calls of the API that read it, the channel on which it comes live, and who wrote
// it. Pure.

import { MergedLog } from "./merged_log.js";

/**
 * @typedef {object} LogSource
 * @property {string} path of its calls: `…/lines`, `…/seq`, `…/download`
 * @property {string} channel of the live socket
 * @property {string} app whose instances wrote it; "" where it is not an app's
 * @property {import("../live/channels.js").Handlers} also what else comes on the channel, by op
 * @property {import("./merged_log.js").MergedLog} [merged] the log of several apps, which reads and
 *   follows them itself
 */

/**
 * @param {string} app
 * @returns {LogSource}
 */
export function logOfApp(app) {
  return {
    path: `/api/v1/apps/${encodeURIComponent(app)}`,
    channel: `log/${app}`,
    app,
    also: {},
  };
}

/**
 * @param {number} id
 * @param {import("../live/channels.js").Handlers} also
 * @returns {LogSource}
 */
export function logOfDeployment(id, also) {
  return { path: `/api/v1/deployments/${id}`, channel: `deployment/${id}`, app: "", also };
}

/**
 * @param {string[]} apps none: all of them
 * @returns {LogSource}
 */
export function logOfApps(apps) {
  return { path: "/api/v1", channel: "", app: "", also: {}, merged: new MergedLog(apps) };
}
