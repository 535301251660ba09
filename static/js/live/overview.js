// How all apps and the node do now, and did in the last five minutes: the live channel `metric/*`.
// Small pictures are sent once and go on here, 10 s a point.

import { live } from "./live_socket.js";

/** The means of 10 s each, the oldest first; null was not measured. @typedef {(number | null)[]} Spark */
/** What is measured of one app. @typedef {{ cpu: Measured, memory: Measured }} AppMeasured */

const POINTS = 30;
const WIDTH = 10; // seconds
const COLUMNS = /** @type {const} */ (["cpu", "memory"]);

/** One number that goes on: its value now, and what it was. */
export class Measured {
  /** @type {number | null} */
  now = null;
  /** @type {Spark} */
  spark = new Array(POINTS).fill(null);
  #total = 0;
  #count = 0;

  /** A second has passed in which it was what it is now. */
  tick() {
    if (this.now === null) return;
    this.#total += this.now;
    this.#count += 1;
  }

  /** So many 10 s have ended: the first with what was seen of it, of the others nothing is known. @param {number} points */
  advance(points) {
    for (let n = 0; n < Math.min(points, POINTS); n++) {
      this.spark.push(this.#count ? this.#total / this.#count : null);
      this.spark.shift();
      this.#total = this.#count = 0;
    }
  }
}

/**
 * @param {[number, string]} packed scale, and base64 of 16-bit integers
 * @returns {Spark}
 */
export function unpack([scale, data]) {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length / 2 }, (_, n) => {
    const value = view.getInt16(2 * n, true);
    return value < 0 ? null : value * scale;
  });
}

/** Announces `change` with what came in a second, in `changed`. */
export class Overview extends EventTarget {
  /** By name, those that are measured. @type {Map<string, AppMeasured>} */
  apps = new Map();
  /** By metric and, where there are several, its path. @type {Map<string, number | null>} */
  node = new Map();
  cpu = new Measured();
  memory = new Measured();
  /** Why the newest numbers may be missing. @type {string | null} */
  trouble = null;
  /** Whether anything has come. */
  known = false;
  /** Names of the apps whose numbers are others than they were. @type {Set<string>} */
  changed = new Set();
  /** Whether a point was added to the small pictures. */
  moved = false;
  #time = 0;

  follow() {
    live.subscribe(
      "metric/*",
      {},
      {
        overview: (message) => this.begin(message),
        latest: (message) => this.take(message),
        lost: () => {
          // What was true when the connection went is not known to be true any more.
          this.apps.clear();
          this.node.clear();
          this.known = false;
          this.#announce(true);
        },
      },
    );
  }

  /** @param {any} message `overview`, see docs/protocols/metrics.md */
  begin({ time, columns, apps, sparks, node, node_sparks, trouble }) {
    this.#time = time;
    this.trouble = trouble;
    this.known = true;
    this.apps.clear();
    for (const [name, values] of Object.entries(apps)) {
      const one = this.#app(name);
      for (const column of COLUMNS) {
        const at = columns.indexOf(column);
        one[column].now = values[at] ?? null;
        const packed = sparks[name]?.[at];
        if (packed) one[column].spark = unpack(packed);
      }
    }
    this.#takeNode(node);
    if (node_sparks) [this.cpu.spark, this.memory.spark] = node_sparks.map(unpack);
    this.#announce(true);
  }

  /** @param {any} message `latest` */
  take({ time, apps, node, trouble }) {
    const ended = Math.floor(time / WIDTH) - Math.floor(this.#time / WIDTH);
    this.#time = time;
    this.trouble = trouble;
    if (ended > 0) for (const one of this.#all()) one.advance(ended);
    for (const [name, values] of Object.entries(apps)) {
      if (values === null) this.apps.delete(name);
      else {
        const one = this.#app(name);
        COLUMNS.forEach((column, at) => (one[column].now = values[at] ?? null));
      }
    }
    this.#takeNode(node);
    for (const one of this.#all()) one.tick();
    for (const name of Object.keys(apps)) this.changed.add(name);
    this.#announce(ended > 0);
  }

  /** @param {string} name */
  #app(name) {
    let one = this.apps.get(name);
    if (!one) this.apps.set(name, (one = { cpu: new Measured(), memory: new Measured() }));
    return one;
  }

  #all() {
    return [
      this.cpu,
      this.memory,
      ...[...this.apps.values()].flatMap((one) => [one.cpu, one.memory]),
    ];
  }

  /** @param {[string, Record<string, string>, number | null][]} node */
  #takeNode(node) {
    for (const [name, labels, value] of node) {
      this.node.set(labels.path ? `${name} ${labels.path}` : name, value);
    }
    this.cpu.now = this.node.get("cpu") ?? null;
    this.memory.now = this.node.get("memory") ?? null;
  }

  /** @param {boolean} moved */
  #announce(moved) {
    this.moved ||= moved;
    if (document.hidden) return;
    this.dispatchEvent(new Event("change"));
    this.moved = false;
    this.changed.clear();
  }
}

export const overview = new Overview();
