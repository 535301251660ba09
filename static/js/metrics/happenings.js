// What happened to the app in the time that is looked at, in words; and those that stand so close to
// each other that one marker says all of them.

import { call, Problem } from "../lib/api.js";
import { followEvents } from "../live/app_events.js";
import { describe, isQuiet } from "../logs/events.js";
import { toMs } from "../logs/times.js";

/** @typedef {import("../types/api.js").Event} AppEvent */
/** @typedef {import("../logs/events.js").Tone} Tone */

/**
 * @typedef {object} Happening
 * @property {AppEvent} event
 * @property {number} moment seconds since 1970
 * @property {string} words
 * @property {string} sign
 * @property {Tone} tone
 */

/** One marker. @typedef {{ moment: number, last: number, tone: Tone, all: Happening[] }} Marker */

/** @type {readonly Tone[]} from the least to the worst */
const TONES = ["info", "ok", "warning", "error"];

/** Announces `change`. */
export class Happenings extends EventTarget {
  /** By id. @type {Map<number, Happening>} */
  #all = new Map();
  #version = 0;

  /** @param {string} app */
  constructor(app) {
    super();
    this.app = app;
    followEvents(app, (event) => {
      if (this.#add([event])) this.dispatchEvent(new Event("change"));
    });
  }

  /**
   * Asks for those of another time. Where that fails the charts stand without them.
   *
   * @param {number} since
   * @param {number} until
   */
  async load(since, until) {
    const version = ++this.#version;
    const query = new URLSearchParams({
      since: new Date(since * 1000).toISOString(),
      until: new Date(until * 1000).toISOString(),
    });
    try {
      const path = `/api/v1/apps/${encodeURIComponent(this.app)}/events?${query}`;
      const { events } = await call("GET", path);
      if (version === this.#version && this.#add(events)) this.dispatchEvent(new Event("change"));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }

  /** @param {AppEvent[]} events */
  #add(events) {
    const before = this.#all.size;
    for (const event of events) {
      if (isQuiet(event)) continue;
      this.#all.set(event.id, { event, moment: toMs(event.time) / 1000, ...describe(event) });
    }
    return this.#all.size > before;
  }

  /**
   * @param {number} since
   * @param {number} until
   * @param {number} near seconds within which they share a marker
   */
  markers(since, until, near) {
    const seen = [...this.#all.values()].filter(
      (one) => one.moment >= since && one.moment <= until,
    );
    return gathered(seen, near);
  }
}

/**
 * @param {Happening[]} happenings
 * @param {number} near seconds
 * @returns {Marker[]} by time
 */
export function gathered(happenings, near) {
  /** @type {Marker[]} */
  const markers = [];
  const byTime = happenings.toSorted((a, b) => a.moment - b.moment || a.event.id - b.event.id);
  for (const one of byTime) {
    const last = markers[markers.length - 1];
    if (last && one.moment - last.moment <= near) {
      last.all.push(one);
      last.last = one.moment;
      if (TONES.indexOf(one.tone) > TONES.indexOf(last.tone)) last.tone = one.tone;
    } else markers.push({ moment: one.moment, last: one.moment, tone: one.tone, all: [one] });
  }
  return markers;
}
