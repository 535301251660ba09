// JSON read so that nothing of it is lost: numbers stay as they were written (an order's number of 18
// digits is no float), and a key that stands twice is there twice. The same lines are read, and the same
// refused, as by cloudbang/domain/json_line.py. Pure.

/** A number, digit by digit as it was written. */
export class JsonNumber {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }
}

/** An object: its keys and values in the order of writing. */
export class JsonObject {
  /** @param {[string, Value][]} pairs */
  constructor(pairs) {
    this.pairs = pairs;
  }
}

/** @typedef {string | JsonNumber | boolean | null | JsonArray | JsonObject} Value */
/** @typedef {Value[]} JsonArray */

const LONGEST = 256 * 1024; // characters; parsing more costs a frame
const DEEPEST = 64;

/**
 * @param {string} text
 * @returns {JsonObject | null} null when the text is not one JSON object, blank space around it aside
 */
export function readObject(text) {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  if (text[from] !== "{") return null;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  if (text[to - 1] !== "}" || to - from > LONGEST) return null;
  const reader = new Reader(text, from);
  try {
    const value = reader.value(1);
    return reader.at === to ? /** @type {JsonObject} */ (value) : null;
  } catch (error) {
    if (error instanceof NotJson) return null;
    throw error;
  }
}

/**
 * The object that a text is, or ends in, and what stands before it: a time, the name of a program.
 * Behind something it begins with a name, so that braces in words are none.
 * @param {string} text
 * @returns {{ before: string, value: JsonObject } | null}
 */
export function lastObject(text) {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  if (text[to - 1] !== "}") return null;
  const begin = text[from] === "{" ? from : text.indexOf('{"', from);
  const value = begin < 0 ? null : readObject(text.slice(begin, to));
  if (!value) return null;
  let end = begin;
  while (end > from && isBlank(text.charCodeAt(end - 1))) end--;
  return { before: text.slice(from, end), value };
}

/**
 * @param {Value} value
 * @param {string} [indent] that it stands at
 * @returns {string} it as JSON again, two spaces a level, every digit and key as it was
 */
export function formatJson(value, indent = "") {
  const inner = `${indent}  `;
  /** @param {string} open @param {string[]} parts @param {string} close */
  const block = (open, parts, close) =>
    parts.length
      ? `${open}\n${parts.map((part) => inner + part).join(",\n")}\n${indent}${close}`
      : open + close;
  if (value instanceof JsonNumber) return value.text;
  if (Array.isArray(value)) {
    return block(
      "[",
      value.map((one) => formatJson(one, inner)),
      "]",
    );
  }
  if (!(value instanceof JsonObject)) return JSON.stringify(value);
  const pairs = value.pairs.map(
    ([key, one]) => `${JSON.stringify(key)}: ${formatJson(one, inner)}`,
  );
  return block("{", pairs, "}");
}

class NotJson extends Error {}

/** @param {number} code */
function isBlank(code) {
  return code === 32 || code === 9 || code === 10 || code === 13;
}

// NaN and Infinity are none of JSON's; Python's json writes them, and others.
const NUMBER = /-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|Infinity)|NaN/y;
const HEX = /[0-9a-fA-F]{4}/y;
/** @type {Record<string, string>} */
const SHORT = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f", '"': '"', "\\": "\\", "/": "/" };
/** @type {[string, boolean | null][]} */
const WORDS = [
  ["true", true],
  ["false", false],
  ["null", null],
];

class Reader {
  /**
   * @param {string} text
   * @param {number} at
   */
  constructor(text, at) {
    this.text = text;
    this.at = at;
  }

  /** @param {number} depth @returns {Value} */
  value(depth) {
    const char = this.text[this.at];
    if (char === '"') return this.#string();
    if (char === "{" || char === "[") {
      if (depth > DEEPEST) throw new NotJson();
      this.at++;
      return char === "{" ? this.#object(depth) : this.#array(depth);
    }
    for (const [word, value] of WORDS) {
      if (!this.text.startsWith(word, this.at)) continue;
      this.at += word.length;
      return value;
    }
    NUMBER.lastIndex = this.at;
    const number = NUMBER.exec(this.text);
    if (!number) throw new NotJson();
    this.at = NUMBER.lastIndex;
    return new JsonNumber(number[0]);
  }

  /** The next character that is not blank, which is passed. */
  #next() {
    while (isBlank(this.text.charCodeAt(this.at))) this.at++;
    return this.text[this.at++];
  }

  /** @param {number} depth */
  #object(depth) {
    /** @type {[string, Value][]} */
    const pairs = [];
    let char = this.#next();
    while (char !== "}" || pairs.length) {
      if (char !== '"') throw new NotJson();
      this.at--;
      const key = this.#string();
      if (this.#next() !== ":") throw new NotJson();
      this.#blank();
      pairs.push([key, this.value(depth + 1)]);
      char = this.#next();
      if (char === "}") break;
      if (char !== ",") throw new NotJson();
      char = this.#next();
    }
    return new JsonObject(pairs);
  }

  /** @param {number} depth */
  #array(depth) {
    /** @type {Value[]} */
    const values = [];
    this.#blank();
    if (this.text[this.at] === "]") {
      this.at++;
      return values;
    }
    for (;;) {
      this.#blank();
      values.push(this.value(depth + 1));
      const char = this.#next();
      if (char === "]") return values;
      if (char !== ",") throw new NotJson();
    }
  }

  #blank() {
    while (isBlank(this.text.charCodeAt(this.at))) this.at++;
  }

  #string() {
    const { text } = this;
    let from = ++this.at;
    let before = "";
    for (;;) {
      const code = text.charCodeAt(this.at);
      if (code === 34) {
        before += text.slice(from, this.at++);
        return before;
      }
      if (code === 92) {
        before += text.slice(from, this.at) + this.#escape();
        from = this.at;
      } else if (code >= 32) this.at++;
      else throw new NotJson(); // a control character, or (NaN) the end
    }
  }

  #escape() {
    const char = this.text[this.at + 1];
    this.at += 2;
    if (char !== "u") {
      const said = SHORT[char];
      if (said === undefined) throw new NotJson();
      return said;
    }
    HEX.lastIndex = this.at;
    const digits = HEX.exec(this.text);
    if (!digits) throw new NotJson();
    this.at += 4;
    return String.fromCharCode(parseInt(digits[0], 16));
  }
}
