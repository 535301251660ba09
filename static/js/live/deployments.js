// The deployments that are under way, wait, or have ended lately, as the page knows them now.

import { call } from "../lib/api.js";
import { live } from "./live_socket.js";

/** @typedef {import("../types/api.js").Deployment} Deployment */
/** @typedef {import("../types/api.js").Step} Step */

/** @param {Deployment} deployment */
export function hasEnded({ state }) {
  return state !== "queued" && state !== "running";
}

/**
 * The step that is under way, or comes next; null after the last.
 *
 * @param {Deployment} deployment
 */
export function currentStep({ steps }) {
  return steps.find(({ state }) => state === "waiting" || state === "running") ?? null;
}

const LATELY = 100; // that are asked for, and remembered

/** Announces `change`, once a frame at most. */
class Deployments extends EventTarget {
  /** By id, the newest first. @type {Map<number, Deployment>} */
  all = new Map();
  /** Whether the server has said what there is. */
  known = false;
  /** What went wrong when it was asked. @type {unknown} */
  problem = null;
  #followed = false;
  #announced = false;

  follow() {
    if (this.#followed) return;
    this.#followed = true;
    live.subscribe(
      "deployment/*",
      {},
      {
        // All that have not ended, and the newest that have; after a lost connection, too.
        deployments: ({ deployments: told }) => {
          this.known = true;
          this.problem = null;
          this.take(told);
        },
        deployment: ({ deployment }) => this.take([deployment]),
        removed: ({ app }) => this.#forget(app),
        error: () => void this.load(),
      },
    );
  }

  async load() {
    try {
      const { deployments } = await call("GET", `/api/v1/deployments?limit=${LATELY}`);
      this.known = true;
      this.problem = null;
      this.take(deployments);
    } catch (error) {
      this.problem = error;
      this.#announce();
    }
  }

  /** @param {Deployment[]} told as they are now */
  take(told) {
    for (const one of told) {
      const before = this.all.get(one.id);
      // An answer that was under way while a change came is older than it: what has ended stays so.
      if (before && hasEnded(before) && !hasEnded(one)) continue;
      this.all.set(one.id, one);
    }
    const newest = [...this.all.values()].sort((a, b) => b.id - a.id);
    const kept = newest.filter((one, n) => n < LATELY || !hasEnded(one));
    this.all = new Map(kept.map((one) => [one.id, one]));
    this.#announce();
  }

  /** An app was deleted, and its deployments with it. @param {string} app */
  #forget(app) {
    for (const [id, one] of this.all) if (one.app === app) this.all.delete(id);
    this.#announce();
  }

  /**
   * The one of this app that is under way, else the one that waits longest.
   *
   * @param {string} app
   */
  underWay(app) {
    const its = [...this.all.values()].filter((one) => one.app === app && !hasEnded(one));
    return its.find((one) => one.state === "running") ?? its.at(-1) ?? null;
  }

  #announce() {
    if (this.#announced) return;
    this.#announced = true;
    requestAnimationFrame(() => {
      this.#announced = false;
      this.dispatchEvent(new Event("change"));
    });
  }
}

export const deployments = new Deployments();
