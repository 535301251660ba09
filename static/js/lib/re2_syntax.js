// Regular expressions as RE2 writes them, read into a tree. What RE2 does not have is an error, in
// its own words: the server takes RE2, and what a page finds has to be what the server finds. Pure.

/**
 * `test`: whether a code point is one of these.
 * @typedef {{ kind: "char", test: (point: number) => boolean }
 *   | { kind: "empty" }
 *   | { kind: "assert", what: "begin" | "end" | "line-begin" | "line-end" | "word" | "no-word" }
 *   | { kind: "all", parts: Node[] }
 *   | { kind: "any", parts: Node[] }
 *   | { kind: "repeat", of: Node, least: number, most: number, greedy: boolean }} Node
 */

/** @typedef {{ i: boolean, m: boolean, s: boolean, U: boolean }} Flags */

export class NotRe2 extends Error {}

const MOST = 1_000; // repetitions, those within others multiplied: as RE2 has it
const PERL = { d: "0-9", w: "0-9A-Za-z_", s: "\\t\\n\\f\\r " };
const POSIX = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  ascii: "\\x00-\\x7F",
  blank: "\\t ",
  cntrl: "\\x00-\\x1F\\x7F",
  digit: "0-9",
  graph: "!-~",
  lower: "a-z",
  print: " -~",
  punct: "!-\\/:-@\\[-`{-~",
  space: "\\t\\n\\v\\f\\r ",
  upper: "A-Z",
  word: "0-9A-Za-z_",
  xdigit: "0-9A-Fa-f",
};
const CATEGORY = /^(?:C[cfos]?|L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?)$/;
const ESCAPES = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };

/**
 * @param {string} source
 * @returns {Node}
 */
export function parse(source) {
  return new Parser(source).whole();
}

class Parser {
  at = 0;
  /** Capitals do not count, as in every search. @type {Flags} */
  flags = { i: true, m: false, s: false, U: false };

  /** @param {string} source */
  constructor(source) {
    this.points = Array.from(source);
    this.source = source;
  }

  /** @returns {Node} */
  whole() {
    const node = this.#alternatives();
    if (this.at < this.points.length) throw new NotRe2("unexpected ): )");
    return node;
  }

  get #next() {
    return this.points[this.at] ?? "";
  }

  /** @param {string} text */
  #looksAt(text) {
    return Array.from(text).every((point, index) => this.points[this.at + index] === point);
  }

  /** @param {string} text */
  #take(text) {
    if (!this.#looksAt(text)) return false;
    this.at += text.length;
    return true;
  }

  /** @returns {Node} */
  #alternatives() {
    const parts = [this.#sequence()];
    while (this.#take("|")) parts.push(this.#sequence());
    return parts.length === 1 ? parts[0] : { kind: "any", parts };
  }

  /** @returns {Node} */
  #sequence() {
    /** @type {Node[]} */
    const parts = [];
    let repeated = ""; // the operator just read: RE2 takes no second one
    while (this.at < this.points.length && this.#next !== "|" && this.#next !== ")") {
      const began = this.at;
      const repeat = this.#repetition();
      if (repeat) {
        const operator = this.points.slice(began, this.at).join("");
        if (repeated) throw new NotRe2(`bad repetition operator: ${repeated}${operator}`);
        const of = parts.pop();
        if (!of) throw new NotRe2(`no argument for repetition operator: ${operator}`);
        const greedy = this.flags.U ? !repeat.greedy : repeat.greedy;
        parts.push({ kind: "repeat", of, least: repeat.least, most: repeat.most, greedy });
        if (times(parts[parts.length - 1]) > MOST) {
          throw new NotRe2(`invalid repetition size: ${operator}`);
        }
        repeated = operator;
        continue;
      }
      repeated = "";
      if (this.#take("\\Q")) {
        while (this.at < this.points.length && !this.#take("\\E")) parts.push(this.#one());
        continue;
      }
      const node = this.#atom();
      if (node) parts.push(node);
    }
    return parts.length === 1 ? parts[0] : { kind: "all", parts };
  }

  /** @returns {{ least: number, most: number, greedy: boolean } | null} */
  #repetition() {
    const [least, most] = this.#bounds();
    if (least < 0) return null;
    return { least, most, greedy: !this.#take("?") };
  }

  /** @returns {[number, number]} */
  #bounds() {
    if (this.#take("*")) return [0, Infinity];
    if (this.#take("+")) return [1, Infinity];
    if (this.#take("?")) return [0, 1];
    if (this.#next !== "{") return [-1, 0];
    const rest = this.points.slice(this.at, this.at + 30).join("");
    const found = /^\{(\d+)(?:(,)(\d*))?\}/.exec(rest);
    if (!found) return [-1, 0]; // then it is a brace
    const least = Number(found[1]);
    const most = found[3] ? Number(found[3]) : found[2] ? Infinity : least;
    if (least > MOST || (most !== Infinity && (most > MOST || most < least))) {
      throw new NotRe2(`invalid repetition size: ${found[0]}`);
    }
    this.at += found[0].length;
    return [least, most];
  }

  /** @returns {Node | null} null: only flags were set */
  #atom() {
    const { flags } = this;
    if (this.#take("(")) return this.#group();
    if (this.#take("^")) return { kind: "assert", what: flags.m ? "line-begin" : "begin" };
    if (this.#take("$")) return { kind: "assert", what: flags.m ? "line-end" : "end" };
    if (this.#take(".")) return { kind: "char", test: flags.s ? () => true : (p) => p !== 10 };
    if (this.#next === "[") return this.#class();
    if (this.#next === "\\") return this.#escape();
    return this.#one();
  }

  /** The next character, whatever it is. */
  #one() {
    return this.#literal(/** @type {number} */ (this.points[this.at++].codePointAt(0)));
  }

  /** @param {number} point @returns {Node} */
  #literal(point) {
    if (!this.flags.i) return { kind: "char", test: (other) => other === point };
    const test = inSet(hex(point), true);
    return { kind: "char", test: (other) => other === point || test(other) };
  }

  /** @returns {Node | null} */
  #group() {
    const before = { ...this.flags };
    if (this.#next === "?") {
      const rest = this.points.slice(this.at).join("");
      const named = /^\?P?<([A-Za-z0-9_]+)>/.exec(rest);
      const flags = /^\?([imsU]*)(?:(-)([imsU]+))?([:)])/.exec(rest);
      if (named) this.at += named[0].length;
      else if (flags && (flags[1] || flags[3] || flags[4] === ":")) {
        this.at += flags[0].length;
        for (const flag of flags[1]) this.flags = { ...this.flags, [flag]: true };
        for (const flag of flags[3] ?? "") this.flags = { ...this.flags, [flag]: false };
        if (flags[4] === ")") return null;
      } else {
        const part = /^\?(?:<[=!]|P?<[^>]*>?|[imsU-]*.?)/.exec(rest)?.[0] ?? "?";
        throw new NotRe2(`invalid perl operator: (${part}`);
      }
    }
    const node = this.#alternatives();
    if (!this.#take(")")) throw new NotRe2(`missing ): ${this.source}`);
    this.flags = before;
    return node;
  }

  /** @returns {Node} */
  #escape() {
    if (this.#take("\\C")) return { kind: "char", test: () => true };
    const asserted = { A: "begin", z: "end", b: "word", B: "no-word" };
    const letter = this.points[this.at + 1];
    if (letter in asserted) {
      this.at += 2;
      const what = asserted[/** @type {keyof typeof asserted} */ (letter)];
      return { kind: "assert", what: /** @type {"begin"} */ (what) };
    }
    const set = this.#set();
    if (set) return { kind: "char", test: set };
    return this.#literal(this.#escaped());
  }

  /** A class that is written with a backslash: `\d`, `\pL`, `\P{Greek}`. */
  #set() {
    const letter = this.points[this.at + 1] ?? "";
    const perl = PERL[/** @type {keyof typeof PERL} */ (letter.toLowerCase())];
    if (perl) {
      this.at += 2;
      return inSet(perl, this.flags.i, letter !== letter.toLowerCase());
    }
    if (letter !== "p" && letter !== "P") return null;
    const rest = this.points.slice(this.at, this.at + 50).join("");
    const found = /^\\[pP](?:\{(\^?)(\w+)\}|(\w))/.exec(rest);
    const name = found?.[2] ?? found?.[3] ?? "";
    if (!found) throw new NotRe2(`invalid character class range: ${rest.slice(0, 10)}`);
    const inside =
      name === "Any"
        ? "\\u{0}-\\u{10FFFF}"
        : CATEGORY.test(name)
          ? (name === "C" ? ["Cc", "Cf", "Co", "Cs"] : [name]).map((one) => `\\p{${one}}`).join("")
          : `\\p{Script=${name}}`;
    this.at += Array.from(found[0]).length;
    try {
      return inSet(inside, this.flags.i, (letter === "P") !== (found[1] === "^"));
    } catch {
      throw new NotRe2(`invalid character class range: ${found[0]}`);
    }
  }

  /** The code point of an escape that stands for one. */
  #escaped() {
    const rest = this.points.slice(this.at, this.at + 12).join("");
    if (rest === "\\") throw new NotRe2("trailing \\");
    const code =
      /^\\x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/.exec(rest) ??
      /^\\()()(0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(rest);
    const letter = rest[1];
    if (code) {
      const point = code[3] ? parseInt(code[3], 8) : parseInt(code[1] || code[2], 16);
      if (point > 0x10ffff) throw new NotRe2(`invalid escape sequence: ${code[0]}`);
      this.at += code[0].length;
      return point;
    }
    if (letter in ESCAPES) {
      this.at += 2;
      return ESCAPES[/** @type {keyof typeof ESCAPES} */ (letter)];
    }
    if (letter < "\x80" && !/[0-9A-Za-z]/.test(letter)) {
      this.at += 2;
      return letter.charCodeAt(0);
    }
    const whole = this.points.slice(this.at, this.at + 2).join("");
    throw new NotRe2(`invalid escape sequence: ${whole}`);
  }

  /** @returns {Node} */
  #class() {
    const began = this.at;
    this.at += 1;
    const negated = this.#take("^");
    /** @type {((point: number) => boolean)[]} */
    const tests = [];
    let ranges = "";
    for (let first = true; ; first = false) {
      const missing = new NotRe2(`missing ]: ${this.points.slice(began).join("")}`);
      if (this.at >= this.points.length) throw missing;
      if (!first && this.#take("]")) break;
      const posix = /^\[:(\^?)(\w*):\]/.exec(this.points.slice(this.at, this.at + 20).join(""));
      const set = posix ? this.#posix(posix) : this.#next === "\\" ? this.#set() : null;
      if (set) {
        tests.push(set);
        continue;
      }
      const low = this.#member();
      let high = low;
      if (this.#looksAt("-") && this.points[this.at + 1] !== "]") {
        if (this.points[this.at + 1] === undefined) throw missing;
        this.at += 1;
        const text = this.at;
        high = this.#member();
        if (high < low) {
          const part = this.points.slice(text - 2, this.at).join("");
          throw new NotRe2(`invalid character class range: ${part}`);
        }
      }
      ranges += `${hex(low)}-${hex(high)}`;
    }
    if (ranges) tests.push(inSet(ranges, this.flags.i));
    return { kind: "char", test: (point) => tests.some((test) => test(point)) !== negated };
  }

  /** @param {RegExpExecArray} found */
  #posix(found) {
    const ranges = POSIX[/** @type {keyof typeof POSIX} */ (found[2])];
    if (!ranges) throw new NotRe2(`invalid character class range: ${found[0]}`);
    this.at += found[0].length;
    return inSet(ranges, this.flags.i, found[1] === "^");
  }

  #member() {
    if (this.#next === "\\") return this.#escaped();
    return /** @type {number} */ (this.points[this.at++].codePointAt(0));
  }
}

/** @param {number} point */
function hex(point) {
  return `\\u{${point.toString(16)}}`;
}

/**
 * Of one code point at a time, which no expression of JavaScript's can be slow at.
 * @param {string} inside of the brackets of a class
 * @param {boolean} fold capitals do not count
 * @param {boolean} [negated]
 * @returns {(point: number) => boolean}
 */
function inSet(inside, fold, negated = false) {
  const one = new RegExp(`^[${negated ? "^" : ""}${inside}]$`, fold ? "iu" : "u");
  /** @type {Map<number, boolean>} */
  const known = new Map();
  return (point) => {
    let answer = known.get(point);
    if (answer === undefined) {
      answer = one.test(String.fromCodePoint(point));
      if (known.size < 4_096) known.set(point, answer);
    }
    return answer;
  };
}

/**
 * How often what stands in a node is there, repetitions within others multiplied.
 * @param {Node} node
 * @returns {number}
 */
function times(node) {
  if (node.kind === "all" || node.kind === "any") {
    return Math.max(1, ...node.parts.map((part) => times(part)));
  }
  if (node.kind !== "repeat") return 1;
  const most = node.most === Infinity ? Math.max(1, node.least) : Math.max(1, node.most);
  return most * times(node.of);
}
