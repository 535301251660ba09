// A query, read into terms, as cloudbang/domain/query/language.py reads it. Pure.

import { LEVELS } from "../levels.js";
import { LEVEL_NAMES } from "../seen_tables.js";
import { quantity } from "./quantities.js";

/** @typedef {import("../levels.js").Level | "none"} Wanted */
/** @typedef {import("./quantities.js").Quantity} Quantity */
/** @typedef {"=" | "there" | ">" | ">=" | "<" | "<=" | ".."} Op */

/**
 * @typedef {object} Term
 * @property {"text" | "regex" | "field" | "level"} kind
 * @property {string} text the words, the expression, or the value as it was written
 * @property {boolean} negated
 * @property {string} name
 * @property {Op} op
 * @property {string[]} pieces what stands between the wildcards of a value, in small letters
 * @property {Quantity | null} low
 * @property {Quantity | null} high
 * @property {Wanted[]} levels
 * @property {number} at where it begins in the query
 * @property {number} end
 */

export const LONGEST = 1_000; // characters
const TERMS = 50;
const BLANK = /[ \t\n\r\u00a0\u3000]/;
/** @type {readonly Op[]} */
const OPERATORS = [">=", "<=", ">", "<"];
/** @type {readonly Wanted[]} */
export const EVERY = [...LEVELS, "none"];

/** What cannot be understood: where it is, and in which part of the query. */
export class QueryError extends Error {
  /**
   * @param {string} mistake as in docs/protocols/query.md
   * @param {number} at
   * @param {string} part
   */
  constructor(mistake, at, part) {
    super(mistake);
    this.mistake = mistake;
    this.at = at;
    this.part = part;
  }
}

/**
 * @param {string} query
 * @returns {Term[]}
 * @throws {QueryError}
 */
export function parse(query) {
  if (query.length > LONGEST) throw new QueryError("too-long", LONGEST, "");
  query = query.normalize("NFC");
  /** @type {Term[]} */
  const terms = [];
  let at = 0;
  while (at < query.length) {
    if (BLANK.test(query[at])) {
      at++;
      continue;
    }
    if (terms.length === TERMS) throw new QueryError("too-many", at, "");
    const term = new Reader(query, at).term();
    terms.push(term);
    at = term.end;
  }
  return terms;
}

/**
 * The levels that the terms leave; null where they do not ask for any.
 * @param {readonly Term[]} terms
 * @returns {Wanted[] | null}
 */
export function levelsOf(terms) {
  /** @type {Wanted[] | null} */
  let left = null;
  for (const { kind, levels, negated } of terms) {
    if (kind === "level")
      left = (left ?? [...EVERY]).filter((level) => levels.includes(level) !== negated);
  }
  return left;
}

/** Reads one term. */
class Reader {
  negated = false;

  /** @param {string} query @param {number} at */
  constructor(query, at) {
    this.query = query;
    this.start = this.at = at;
  }

  /** @returns {Term} */
  term() {
    const behind = this.#peek(1);
    if (this.#peek() === "-" && behind && behind !== "-" && !BLANK.test(behind)) {
      this.negated = true;
      this.at++;
    }
    if (this.#peek() === '"') {
      const text = this.#quoted();
      if (this.#peek() === ":") {
        this.at++;
        return this.#field(text, true);
      }
      this.#blank();
      if (!text) throw new QueryError("nothing", this.start, '""');
      return this.#term("text", text);
    }
    if (this.#peek() === "/") {
      const expression = this.#expression();
      if (expression) return this.#term("regex", expression);
    }
    const begin = this.at;
    const name = /^[\p{L}_@$][\p{L}\p{N}_.@$/-]*/u.exec(this.query.slice(begin))?.[0] ?? "";
    this.at += name.length;
    if (name && this.#peek() === ":" && this.query.slice(this.at + 1, this.at + 3) !== "//") {
      this.at++;
      return this.#field(name, false);
    }
    this.at = begin;
    return this.#term("text", this.#word());
  }

  /** @param {number} [ahead] */
  #peek(ahead = 0) {
    return this.query.charAt(this.at + ahead);
  }

  #word() {
    const begin = this.at;
    while (this.at < this.query.length && !BLANK.test(this.query[this.at])) this.at++;
    return this.query.slice(begin, this.at);
  }

  /** A term ends here. */
  #blank() {
    if (!this.#peek() || BLANK.test(this.#peek())) return;
    const { at } = this;
    throw new QueryError("behind", at, this.#word());
  }

  #quoted() {
    const begin = this.at++;
    let text = "";
    for (let char = this.#peek(); char !== '"'; char = this.#peek()) {
      if (!char) throw new QueryError("no-end", begin, this.query.slice(begin + 1) || '"');
      if (char === "\\" && (this.#peek(1) === '"' || this.#peek(1) === "\\")) {
        this.at++;
        char = this.#peek();
      }
      text += char;
      this.at++;
    }
    this.at++;
    return text;
  }

  /** What stands between this slash and the next, if a term ends there. */
  #expression() {
    const { query } = this;
    let at = this.at + 1;
    while (at < query.length && query[at] !== "/") at += query[at] === "\\" ? 2 : 1;
    const behind = query.charAt(at + 1);
    if (at >= query.length || (behind && !BLANK.test(behind))) return "";
    const expression = query.slice(this.at + 1, at).replaceAll("\\/", "/");
    if (expression) this.at = at + 1;
    return expression;
  }

  /** @param {string} name @param {boolean} quoted @returns {Term} */
  #field(name, quoted) {
    const begin = this.at;
    const byLevel = !quoted && name.toLowerCase() === "level";
    if (this.#peek() === '"') {
      const text = this.#quoted();
      this.#blank();
      if (byLevel) return this.#level(text, begin);
      return this.#term("field", text, { name, pieces: [folded(text)] });
    }
    const text = this.#word();
    if (!text) {
      throw new QueryError("no-value", this.start, this.query.slice(this.start, this.at));
    }
    if (byLevel) return this.#level(text, begin);
    if (text === "*") return this.#term("field", text, { name, op: "there" });
    const op = OPERATORS.find((one) => text.startsWith(one));
    if (op) {
      const low = quantity(text.slice(op.length));
      if (!low) {
        throw new QueryError("no-number", begin + op.length, text.slice(op.length) || op);
      }
      return this.#term("field", text, { name, op, low });
    }
    const range = rangeOf(text);
    if (range) {
      const { low, high } = range;
      if (low && high && (low.kind !== high.kind || low.value > high.value)) {
        throw new QueryError("turned", begin, text);
      }
      return this.#term("field", text, { name, op: "..", low, high });
    }
    return this.#term("field", text, { name, pieces: text.split(/\*+/).map(folded) });
  }

  /** @param {string} text @param {number} begin @returns {Term} */
  #level(text, begin) {
    const level = (/** @type {string} */ word, /** @type {number} */ at) => {
      const found = levelNamed(word);
      if (!found) throw new QueryError("no-level", at, word);
      return found;
    };
    if (text === "*") return this.#term("level", text, { name: "level", levels: [...LEVELS] });
    const op = OPERATORS.find((one) => text.startsWith(one)) ?? "";
    const dots = text.indexOf("..");
    const first = text.slice(op.length, dots < 0 ? undefined : dots);
    const low = level(first, begin + op.length);
    if (!op && dots < 0) return this.#term("level", text, { name: "level", levels: [low] });
    const high = dots < 0 ? low : level(text.slice(dots + 2), begin + first.length + 2);
    if (low === "none" || high === "none") throw new QueryError("no-level", begin, text);
    const [from, to] = [LEVELS.indexOf(low), LEVELS.indexOf(high)];
    if (to < from) throw new QueryError("turned", begin, text);
    let levels = LEVELS.slice(from, to + 1);
    if (dots < 0) {
      levels = op.startsWith(">")
        ? LEVELS.slice(from + (op === ">" ? 1 : 0))
        : LEVELS.slice(0, from + (op === "<=" ? 1 : 0));
    }
    return this.#term("level", text, { name: "level", levels });
  }

  /**
   * @param {Term["kind"]} kind
   * @param {string} text
   * @param {Partial<Term>} [more]
   * @returns {Term}
   */
  #term(kind, text, more = {}) {
    const { negated, start: at, at: end } = this;
    const empty = { name: "", op: /** @type {Op} */ ("="), pieces: [], low: null, high: null };
    return { kind, text, negated, ...empty, levels: [], at, end, ...more };
  }
}

/** @param {string} text */
function folded(text) {
  return text.normalize("NFC").toLowerCase();
}

/** Both ends of a range, of which one may be missing; null where it is none. @param {string} text */
function rangeOf(text) {
  const dots = text.indexOf("..");
  const [first, last] = [text.slice(0, Math.max(0, dots)), text.slice(dots + 2)];
  if (dots < 0 || !(first || last)) return null;
  const [low, high] = [quantity(first), quantity(last)];
  return (first && !low) || (last && !high) ? null : { low, high };
}

/** @type {Map<string, import("../levels.js").Level>} */
const BY_NAME = new Map(
  LEVELS.flatMap((level) => LEVEL_NAMES[level].split(" ").map((name) => [name, level])),
);

/** @param {string} word @returns {Wanted | null} */
function levelNamed(word) {
  const small = word.toLowerCase();
  if (small === "none") return "none";
  return BY_NAME.get(small) ?? BY_NAME.get(/^([a-z]+)[+-]\d{1,3}$/.exec(small)?.[1] ?? "") ?? null;
}

// Terms as they are written

/** A term for words as they stand. @param {string} text */
export function written(text) {
  try {
    const [term, ...others] = parse(text);
    if (term?.kind === "text" && term.text === text && !others.length && !term.negated) return text;
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
  }
  return quote(text);
}

/** @param {string} text */
function quote(text) {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/**
 * A term for a field that has this value, or has not.
 * @param {string} name
 * @param {string} value
 * @param {boolean} [negated]
 */
export function fieldTerm(name, value, negated = false) {
  const plainName = /^[\p{L}_@$][\p{L}\p{N}_.@$/-]*$/u.test(name) && name.toLowerCase() !== "level";
  const before = `${negated ? "-" : ""}${plainName ? name : quote(name)}:`;
  let plain = value !== "" && !/^["-]/.test(value) && !value.includes("*");
  try {
    const [term, ...others] = plain ? parse(before + value) : [];
    plain = plain && !others.length && term.op === "=" && term.text === value;
  } catch {
    plain = false;
  }
  return before + (plain ? value : quote(value));
}
