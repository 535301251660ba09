// Numbers for lines of several apps: they grow with the time, and a line that was seen keeps its own.
// Pure.

import { fromMs, toMs } from "./times.js";

/** @typedef {{ time: string, app: string, seq: number }} Place */

const KNOWN = 60_000; // lines whose numbers are kept

// Numbers: microseconds since 2020, and 16 lines in each of them, which 2 ** 53 holds until 2037. More
// lines in a microsecond only move the numbers of those after them.
const EPOCH = Date.UTC(2020, 0, 1);
const SLOTS = 16;
const MOST = 2 ** 52;

/** @param {string} time RFC 3339 with nanoseconds */
export function numberOf(time) {
  const micros = (toMs(time) - EPOCH) * 1000 + Number(time.slice(23, 26) || 0);
  return Number.isNaN(micros) ? 1 : Math.min(Math.max(1, micros * SLOTS), MOST);
}

/** @param {number} number @returns {string} the time that it stands for */
export function timeOf(number) {
  const micros = Math.floor(number / SLOTS);
  const ms = Math.floor(micros / 1000);
  const rest = String(micros - ms * 1000).padStart(3, "0");
  return `${fromMs(EPOCH + ms).slice(0, 23)}${rest}000Z`;
}

/** @param {Place} place @returns {string} as a cursor of the API */
export const cursorOf = ({ time, app, seq }) => `${time}_${seq}_${app}`;

/** Numbers of lines, so that a line that was seen keeps its own. Pure. */
export class Numbers {
  /** @type {Map<number, Place>} */
  #places = new Map();
  /** @type {Map<string, number>} */
  #numbers = new Map();
  /** The greatest. */
  last = 0;

  /** @param {number} number */
  placeOf(number) {
    return this.#places.get(number) ?? null;
  }

  /** @param {string} app @param {number} seq */
  get(app, seq) {
    return this.#numbers.get(`${app} ${seq}`) ?? null;
  }

  /**
   * Numbers for lines in their order, each greater than the one before, between these two.
   * @param {Place[]} places
   * @param {number} above
   * @param {number} below
   * @returns {number[]}
   */
  give(places, above, below) {
    /** @type {number[]} */
    const given = [];
    let before = above;
    for (const place of places) {
      before = Math.max(before + 1, this.get(place.app, place.seq) ?? numberOf(place.time));
      given.push(before);
    }
    for (let i = given.length - 1, next = below; i >= 0 && given[i] >= next; i--) {
      given[i] = next - 1;
      next = given[i];
    }
    places.forEach((place, i) => this.#keep(given[i], place));
    return given;
  }

  /** @param {number} number @param {Place} place */
  #keep(number, place) {
    const key = `${place.app} ${place.seq}`;
    const old = this.#numbers.get(key);
    if (old !== undefined) this.#places.delete(old);
    this.#places.set(number, place);
    this.#numbers.set(key, number);
    if (number > this.last) this.last = number;
    if (this.#places.size <= KNOWN) return;
    for (const [first, { app, seq }] of this.#places) {
      this.#places.delete(first);
      this.#numbers.delete(`${app} ${seq}`);
      if (this.#places.size <= KNOWN * 0.9) break;
    }
  }
}
