// The calls about deployments and releases.

import { call } from "../lib/api.js";
import { withSwarm } from "./begin.js";

/** @typedef {import("../types/api.js").Begun} Begun */
/** @typedef {import("../types/api.js").Change} Change */
/** @typedef {import("../types/api.js").Deployment} Deployment */
/** @typedef {import("../types/api.js").DeploymentDetail} DeploymentDetail */
/** @typedef {import("../types/api.js").Release} Release */

/** @param {string} app */
const ofApp = (app) => `/api/v1/apps/${encodeURIComponent(app)}`;

/**
 * @param {number} id
 * @returns {Promise<DeploymentDetail>}
 */
export function getDeployment(id) {
  return call("GET", `/api/v1/deployments/${id}`);
}

/**
 * The newest first.
 *
 * @param {{app?: string, state?: string, before?: number, limit?: number}} wanted
 * @returns {Promise<Deployment[]>}
 */
export async function findDeployments(wanted) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(wanted)) if (value) query.set(name, String(value));
  return (await call("GET", `/api/v1/deployments?${query}`)).deployments;
}

/**
 * What changed with it, null while or where there is nothing to compare.
 *
 * @param {number} id
 * @returns {Promise<import("../types/api.js").Compared | null>}
 */
export async function getComparison(id) {
  return (await call("GET", `/api/v1/deployments/${id}/comparison`)).comparison;
}

/** @param {number} id */
export function cancelDeployment(id) {
  return call("DELETE", `/api/v1/deployments/${id}`);
}

/**
 * Begins a deployment of a release that there is: back to it, or once more.
 *
 * @param {string} app
 * @param {number} release
 * @returns {Promise<Begun | null>} null where the person does not want what it needs
 */
export function deployRelease(app, release) {
  return withSwarm(() => call("POST", `${ofApp(app)}/deployments`, { release }));
}

/**
 * The newest first: those before a number, as many as one answer has.
 *
 * @param {string} app
 * @param {{before?: number | null, limit?: number}} [wanted]
 * @returns {Promise<import("../types/api.js").Releases>}
 */
export function getReleases(app, wanted = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(wanted)) if (value) query.set(name, String(value));
  return call("GET", `${ofApp(app)}/releases?${query}`);
}

/**
 * @param {string} app
 * @param {number} number
 * @returns {Promise<Release | undefined>}
 */
export async function getRelease(app, number) {
  const { releases } = await getReleases(app, { before: number + 1, limit: 1 });
  return releases.find((one) => one.number === number);
}

/**
 * What differs from one release to another; from nothing, where `since` is null.
 *
 * @param {string} app
 * @param {number} release
 * @param {number | null} since
 * @returns {Promise<Change[]>}
 */
export async function getChanges(app, release, since) {
  const path = `${ofApp(app)}/releases/${release}/changes?against=${since ?? 0}`;
  return (await call("GET", path)).changes;
}

/**
 * Tries once more what one deployment was about: with the image that it has, else from where that is
 * to come.
 *
 * @param {DeploymentDetail} deployment
 * @returns {Promise<Begun | null>}
 */
export async function deployAgain({ app, release }) {
  const its = await getRelease(app, release);
  if (!its || its.image) return deployRelease(app, release);
  return withSwarm(() => call("POST", `${ofApp(app)}/deployments`, { spec: its.spec }));
}

/** @param {number} id */
export function deploymentAddress(id) {
  return `/deployments/${id}`;
}
