// What happens to an app, as it happens: one subscription, for all on the page who want to know.

import { live } from "./live_socket.js";

/** @typedef {import("../types/api.js").Event} AppEvent */

/** By app. @type {Map<string, Set<(event: AppEvent) => void>>} */
const listeners = new Map();

/**
 * @param {string} app
 * @param {(event: AppEvent) => void} listener for as long as the page is there
 */
export function followEvents(app, listener) {
  const its = listeners.get(app);
  if (its) return void its.add(listener);
  const first = new Set([listener]);
  listeners.set(app, first);
  live.subscribe(`event/${app}`, {}, { event: ({ event }) => first.forEach((one) => one(event)) });
}
