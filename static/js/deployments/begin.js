// Asking for a deployment: a plan of it, the folder on its way, and the yes that Swarm needs.

import { call, csrfToken, Problem, problemOf } from "../lib/api.js";
import { confirm } from "../lib/dialog.js";
import { t } from "../lib/i18n.js";
import { unreadableIn } from "./folder.js";

/**
 * @typedef {{id: number, app: string, number: number}} Begun
 * @typedef {{spec: object, team?: string}} Wanted `team`: of a new app
 * @typedef {(sent: number, all: number) => void} Progress bytes
 */

/**
 * @param {string} app
 * @param {Wanted} wanted
 */
export function planOf(app, wanted) {
  return call("POST", `/api/v1/apps/${encodeURIComponent(app)}/plan`, wanted);
}

/**
 * Begins a deployment. Where Swarm is off, the person is asked first.
 *
 * @param {string} app
 * @param {Wanted} wanted
 * @param {Blob | null} folder as tar
 * @param {Progress} [progress] of sending it
 * @param {AbortSignal} [signal]
 * @returns {Promise<Begun | null>} null where the person said no
 * @throws {Problem}
 */
export function begin(app, wanted, folder, progress, signal) {
  const path = `/api/v1/apps/${encodeURIComponent(app)}/deployments`;
  return withSwarm(async () => {
    if (!folder) return call("POST", path, wanted);
    await askFirst(app, wanted);
    return send(path, wanted, folder, progress, signal);
  });
}

/**
 * What refuses a deployment anyway, before a folder is sent for it, which may take long.
 *
 * @param {string} app
 * @param {Wanted} wanted
 * @param {boolean} [waits] for its turn, while another one runs
 * @throws {Problem}
 */
export async function askFirst(app, wanted, waits = false) {
  const { refused } = await planOf(app, wanted);
  if (refused && !(waits && refused.code === "deployment-running")) throw problemOf(409, refused);
}

/**
 * Does it, and where Swarm is off, asks for it, switches it on, and does it again.
 *
 * @template T
 * @param {() => Promise<T>} run
 * @returns {Promise<T | null>} null where the person said no
 */
export async function withSwarm(run) {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "swarm-off") throw error;
    if (!(await askForSwarm())) return null;
  }
  await call("POST", "/api/v1/swarm", {});
  return run();
}

async function askForSwarm() {
  const chosen = await confirm(
    t("Switch Docker's Swarm mode on?"),
    [
      t(
        "CloudBang runs each release as a service of Swarm, which Docker brings along: so the old one serves until the new one does. Until now it is off on this machine.",
      ),
      t(
        "It will listen on this machine alone (127.0.0.1, ports 2377 and 7946); only for the network between apps the kernel takes packets at 4789/udp from anywhere, which a firewall should close until a second machine joins. Containers that run now are not touched.",
      ),
      t("To switch it off again: docker swarm leave --force"),
    ],
    { yes: { verb: t("Switch it on and deploy") }, no: { verb: t("Not now") } },
  );
  return chosen === "yes";
}

/**
 * Sends a folder with what it is for. Not with fetch, which tells nothing of how far it is.
 *
 * @param {string} path
 * @param {Record<string, unknown>} fields
 * @param {Blob} folder
 * @param {Progress} [progress]
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export function send(path, fields, folder, progress, signal) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    form.append(name, typeof value === "string" ? value : JSON.stringify(value));
  }
  form.append("folder", folder, "folder.tar");
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRF-Token", csrfToken());
    progress?.(0, folder.size);
    request.upload.onprogress = (event) => progress?.(event.loaded, event.total);
    // Also where the browser could not read what it was to send: nothing else tells which.
    request.onerror = async () => {
      const path = await unreadableIn(folder);
      reject(
        path ? new Problem(0, "unreadable", unreadable(path)) : new Problem(0, "unreachable", ""),
      );
    };
    request.onabort = () => reject(new Problem(0, "stopped", t("Stopped: nothing was deployed.")));
    request.onload = () => {
      const json = jsonOf(request.responseText);
      if (request.status >= 200 && request.status < 300) resolve(json);
      else reject(problemOf(request.status, json, retryOf(request)));
    };
    signal?.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

/** @param {string} path */
export function unreadable(path) {
  return t(
    "The browser cannot read {path}: it may not, or the file was changed or deleted meanwhile. Choose the folder again, or name it in .dockerignore.",
    { path },
  );
}

/** @param {XMLHttpRequest} request */
function retryOf(request) {
  return Number(request.getResponseHeader("Retry-After")) || null;
}

/** @param {string} text */
function jsonOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
