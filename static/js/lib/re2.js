// Regular expressions that take time in proportion to the text, whatever they are and whatever it
// is: all ways through an expression are followed at once (Thompson), and what was learned about a
// state is kept (as RE2 does it). A link with an expression in it can freeze nobody's page. Pure.

import { NotRe2, parse } from "./re2_syntax.js";

export { NotRe2 };

/** @typedef {import("./re2_syntax.js").Node} Node */

/**
 * `next` and `other` are places in the program; of the two of a split the first is preferred.
 * @typedef {{ op: "char", test: (point: number) => boolean, next: number }
 *   | { op: "split", next: number, other: number }
 *   | { op: "assert", what: string, next: number }
 *   | { op: "match" }} Step
 */

/**
 * Some places in the program, before a character of the text. `to`: by the next one; true where
 * it has matched already.
 * @typedef {{ places: number[], before: number, to: Map<number, State | true> }} State
 */

const STEPS = 20_000; // of a program: RE2 has a bound of its own
const STATES = 2_000; // kept; then all are forgotten
const WORK = 3_000_000; // places looked at to find where a text matches; then the rest is unmarked
const NOTHING = -1; // before the first and after the last character

export class Re2 {
  /** @type {Step[]} */
  #steps = [];
  /** @type {Map<string, State>} */
  #states = new Map();
  #first;

  /** @param {string} source Throws NotRe2. */
  constructor(source) {
    const end = this.#add({ op: "match" });
    this.#begin = this.#compile(parse(source), end);
    this.#first = this.#state([], NOTHING);
  }

  #begin;

  /** @param {string} text */
  test(text) {
    let state = this.#first;
    for (let at = 0; at <= text.length;) {
      const point = at < text.length ? /** @type {number} */ (text.codePointAt(at)) : NOTHING;
      let to = state.to.get(point);
      if (to === undefined) {
        to = this.#onward(state, point);
        state.to.set(point, to);
      }
      if (to === true) return true;
      state = to;
      at += point > 0xffff ? 2 : 1;
    }
    return false;
  }

  /**
   * Where it matches, as Perl would choose: the first, and of those the preferred one.
   * @param {string} text
   * @param {number} most
   * @param {number} [from] where the first may begin
   * @param {number} [until] before which the last has to
   * @returns {[number, number][]}
   */
  ranges(text, most, from = 0, until = Infinity) {
    /** @type {[number, number][]} */
    const found = [];
    const work = { left: WORK };
    for (let at = from; at <= text.length && at < until && found.length < most;) {
      const range = this.#find(text, at, work, until);
      if (!range) break;
      if (range[1] > range[0]) found.push(range);
      at = range[1] > range[0] ? range[1] : range[1] + 1;
    }
    return found;
  }

  // The program

  /** @param {Step} step */
  #add(step) {
    if (this.#steps.length >= STEPS) throw new NotRe2("pattern too large - compile failed");
    this.#steps.push(step);
    return this.#steps.length - 1;
  }

  /** @param {Node} node @param {number} next @returns {number} where it begins */
  #compile(node, next) {
    switch (node.kind) {
      case "char":
        return this.#add({ op: "char", test: node.test, next });
      case "assert":
        return this.#add({ op: "assert", what: node.what, next });
      case "all":
        return node.parts.reduceRight((after, part) => this.#compile(part, after), next);
      case "any":
        return node.parts
          .map((part) => this.#compile(part, next))
          .reduceRight((other, one) => this.#add({ op: "split", next: one, other }));
      case "repeat":
        return this.#repeat(node, next);
      default:
        return next;
    }
  }

  /** @param {Node & { kind: "repeat" }} node @param {number} next */
  #repeat({ of, least, most, greedy }, next) {
    /** @param {number} into @param {number} past */
    const choice = (into, past) => this.#add(greedy ? split(into, past) : split(past, into));
    let begin = next;
    if (most === Infinity) {
      const loop = choice(0, next);
      const body = this.#compile(of, loop);
      this.#steps[loop] = greedy ? split(body, next) : split(next, body);
      begin = loop;
    } else {
      for (let n = least; n < most; n += 1) begin = choice(this.#compile(of, begin), next);
    }
    for (let n = 0; n < least; n += 1) begin = this.#compile(of, begin);
    return begin;
  }

  // Whether it matches: states are made as they are met, and kept

  /** @param {number[]} places @param {number} before @returns {State} */
  #state(places, before) {
    const key = `${before},${places.join(",")}`;
    let state = this.#states.get(key);
    if (!state) {
      if (this.#states.size >= STATES) this.#states.clear();
      state = { places, before, to: new Map() };
      this.#states.set(key, state);
    }
    return state;
  }

  /** @param {State} state @param {number} point @returns {State | true} */
  #onward({ places, before }, point) {
    const seen = new Set();
    /** @type {number[]} */
    const reached = [];
    for (const place of [...places, this.#begin]) {
      if (this.#reach(place, before, point, seen, reached)) return true;
    }
    if (point === NOTHING) return this.#state([], NOTHING);
    const following = [];
    for (const place of reached) {
      const step = this.#steps[place];
      if (step.op === "char" && step.test(point)) following.push(step.next);
    }
    // Of what stood before only this matters.
    return this.#state([...new Set(following)], point === 10 ? 10 : isWord(point) ? 65 : 32);
  }

  /**
   * All that takes a character, from a place on; true when it matches without one.
   * @param {number} from
   * @param {number} before
   * @param {number} after
   * @param {Set<number>} seen
   * @param {number[]} reached
   */
  #reach(from, before, after, seen, reached) {
    const stack = [from];
    while (stack.length) {
      const place = /** @type {number} */ (stack.pop());
      if (seen.has(place)) continue;
      seen.add(place);
      const step = this.#steps[place];
      if (step.op === "match") {
        // What was preferred to it has been reached.
        reached.push(place);
        return true;
      }
      if (step.op === "split") stack.push(step.other, step.next);
      else if (step.op === "char") reached.push(place);
      else if (holds(step.what, before, after)) stack.push(step.next);
    }
    return false;
  }

  // Where it matches: each way is followed with where it began, the preferred ones first

  /**
   * @param {string} text
   * @param {number} from
   * @param {{ left: number }} work
   * @param {number} until
   * @returns {[number, number] | null}
   */
  #find(text, from, work, until) {
    /** @type {[number, number] | null} */
    let found = null;
    /** @type {[number, number][]} each a place and where it began */
    let ways = [];
    let before = from ? /** @type {number} */ (pointBefore(text, from)) : NOTHING;
    for (let at = from; at <= text.length;) {
      if (!ways.length && (found || at >= until)) break;
      const point = at < text.length ? /** @type {number} */ (text.codePointAt(at)) : NOTHING;
      const after = at + (point > 0xffff ? 2 : 1);
      const seen = new Set();
      /** @type {[number, number][]} */
      const following = [];
      if (!found && at < until) ways.push([this.#begin, at]);
      for (const [place, began] of ways) {
        /** @type {number[]} */
        const reached = [];
        const matches = this.#reach(place, before, point, seen, reached);
        work.left -= reached.length + 1;
        for (const one of reached) {
          const step = this.#steps[one];
          if (step.op === "char" && point !== NOTHING && step.test(point)) {
            following.push([step.next, began]);
          }
        }
        if (matches) {
          found = [began, at];
          break; // what comes after it is less preferred
        }
      }
      if (work.left < 0) return null;
      ways = following;
      before = point;
      at = after;
    }
    return found;
  }
}

/** @param {number} next @param {number} other @returns {Step} */
function split(next, other) {
  return { op: "split", next, other };
}

/** @param {string} text @param {number} at */
function pointBefore(text, at) {
  const low = text.charCodeAt(at - 1);
  return low >= 0xdc00 && low <= 0xdfff && at > 1 ? text.codePointAt(at - 2) : low;
}

/** @param {number} point */
function isWord(point) {
  return (
    (point >= 48 && point <= 57) ||
    (point >= 65 && point <= 90) ||
    point === 95 ||
    (point >= 97 && point <= 122)
  );
}

/** @param {string} what @param {number} before @param {number} after */
function holds(what, before, after) {
  switch (what) {
    case "begin":
      return before === NOTHING;
    case "end":
      return after === NOTHING;
    case "line-begin":
      return before === NOTHING || before === 10;
    case "line-end":
      return after === NOTHING || after === 10;
    case "word":
      return isWord(before) !== isWord(after);
    default:
      return isWord(before) === isWord(after);
  }
}
