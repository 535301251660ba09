// Words in colour: the reader's own, in every log, on whichever machine they sign in. What is here
// is pure but for the calls that keep them.

import { call } from "../lib/api.js";
import { makeSearch } from "./filter.js";

/** @typedef {import("../types/api.js").Mark} Mark */
/** @typedef {import("./filter.js").Search} Search */
/** From where to where, and in which colour: 0 is that of what is looked for. @typedef {[number, number, number]} Painted */
/** @typedef {(method: "GET" | "POST" | "PATCH" | "DELETE", path: string, body?: object) => Promise<any>} Call */

const PATH = "/api/v1/me/marks";
export const MARK_TEXT = 200; // characters
export const HUES = 8; // as in lib/tokens.css

/** Announces `change`. */
export class Marks extends EventTarget {
  /** @type {Mark[]} */
  list = [];
  /** What finds each of them. @type {Map<number, Search>} */
  #searches = new Map();

  /** @param {Call} [ask] */
  constructor(ask = call) {
    super();
    this.ask = ask;
  }

  async load() {
    /** @type {{ marks: Mark[] }} */
    const { marks } = await this.ask("GET", PATH);
    if (marks.length || this.list.length) this.#take(marks);
  }

  /**
   * @param {string} text
   * @param {boolean} regex
   * @returns {Promise<Mark>}
   */
  async add(text, regex) {
    /** @type {Mark} */
    const made = await this.ask("POST", PATH, { text, regex });
    this.#put(made);
    return made;
  }

  /**
   * @param {number} id
   * @param {{ hue?: number, chosen?: boolean }} part
   */
  async change(id, part) {
    this.#put(await this.ask("PATCH", `${PATH}/${id}`, part));
  }

  /** @param {number} id */
  async remove(id) {
    await this.ask("DELETE", `${PATH}/${id}`);
    this.#take(this.list.filter((one) => one.id !== id));
  }

  /** @param {Mark} mark */
  #put(mark) {
    const at = this.list.findIndex((one) => one.id === mark.id);
    this.#take(at < 0 ? [...this.list, mark] : this.list.with(at, mark));
  }

  /** @param {Mark[]} list */
  #take(list) {
    this.list = list;
    this.#searches.clear();
    for (const { id, text, regex } of list) {
      const { search } = makeSearch(text, regex);
      if (search) this.#searches.set(id, search);
    }
    this.dispatchEvent(new Event("change"));
  }

  /** Whether a mark is in one of these lines. @param {number} id @param {readonly string[]} lines */
  isIn(id, lines) {
    const search = this.#searches.get(id);
    return search !== undefined && lines.some((line) => search.test(line));
  }

  /** Those that the keys stop at. */
  get chosen() {
    return this.list.filter((one) => one.chosen && this.#searches.has(one.id));
  }

  /**
   * What is looked for, with the marks beside it: where something of either is in a text.
   * @param {Search | null} search
   * @returns {Search | null}
   */
  beside(search) {
    if (!this.#searches.size) return search;
    const marks = this.list.flatMap(({ id, hue }) => {
      const found = this.#searches.get(id);
      return found ? [{ hue, found }] : [];
    });
    return {
      test: search ? search.test : () => false,
      ranges: (text) => {
        /** @type {Painted[]} */
        let painted = search ? search.ranges(text).map(([from, to]) => [from, to, 0]) : [];
        for (const { hue, found } of marks) painted = paint(painted, found.ranges(text), hue);
        return /** @type {[number, number][]} */ (/** @type {unknown} */ (painted));
      },
    };
  }
}

/**
 * Colours what is free yet.
 * @param {Painted[]} painted in order, none over another
 * @param {readonly [number, number][]} ranges in order
 * @param {number} hue
 * @returns {Painted[]}
 */
export function paint(painted, ranges, hue) {
  if (!ranges.length) return painted;
  /** @type {Painted[]} */
  const free = [];
  let next = 0;
  for (const [from, to] of ranges) {
    let at = from;
    while (next < painted.length && painted[next][1] <= from) next++;
    for (let i = next; i < painted.length && painted[i][0] < to; i++) {
      if (painted[i][0] > at) free.push([at, painted[i][0], hue]);
      at = Math.max(at, painted[i][1]);
    }
    if (at < to) free.push([at, to, hue]);
  }
  return [...painted, ...free].sort((a, b) => a[0] - b[0]);
}

/**
 * What the server is asked for to find the nearest of several marks: one expression.
 * @param {readonly Mark[]} marks
 * @returns {{ q: string, regex: boolean, capitals: boolean }}
 */
export function asOneSearch(marks) {
  const capitals = false;
  if (marks.length === 1) return { q: marks[0].text, regex: marks[0].regex, capitals };
  const parts = marks.map(({ text, regex }) =>
    regex ? text : text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"),
  );
  return { q: parts.map((part) => `(?:${part})`).join("|"), regex: true, capitals };
}
