// How this reader likes to see logs; kept in their browser.

import { recall, remember } from "../lib/storage.js";

/**
 * @typedef {object} Settings
 * @property {boolean} times
 * @property {boolean} dates
 * @property {boolean} utc instead of the reader's zone
 * @property {boolean} wrap
 * @property {boolean} json fold the fields of JSON lines
 * @property {boolean} traces fold stack traces
 * @property {boolean} events show what happened to containers
 */

/** @type {Settings} */
const DEFAULTS = {
  times: true,
  dates: false,
  utc: false,
  wrap: false,
  json: true,
  traces: true,
  events: true,
};

const KEY = "log-view";

/** @returns {Settings} */
export function loadSettings() {
  const settings = { ...DEFAULTS };
  try {
    const kept = JSON.parse(recall(KEY) ?? "{}");
    for (const name of /** @type {(keyof Settings)[]} */ (Object.keys(DEFAULTS))) {
      if (typeof kept[name] === "boolean") settings[name] = kept[name];
    }
  } catch {
    // Written by something else: the defaults do.
  }
  return settings;
}

/** @param {Settings} settings */
export function saveSettings(settings) {
  remember(KEY, JSON.stringify(settings));
}
