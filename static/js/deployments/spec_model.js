// What a person wants of an app, as YAML and as values at once: an edit of one field changes that
// field in the text and leaves the rest as it was written, comments and what no form knows included.

import { parseDocument } from "./yaml.js";

/** @typedef {(string | number)[]} Path */
/** @typedef {{message: string, line: number}} TextError `line` from 1; 0 where none is to blame */

// Empty they say something: a route without a domain, a build of what was uploaded.
const SAID_EMPTY = new Set(["route", "build"]);
const OPTIONS = /** @type {const} */ ({ merge: true, prettyErrors: false });

/** Announces `change` after each one; `error` says why the text is no specification, as it stands. */
export class SpecModel extends EventTarget {
  /** @type {import("./yaml.js").Document} */
  #doc;
  #text = "";
  /** @type {TextError | null} */
  error = null;
  /**
   * Values that were written in the form. In the text their names stand alone: it may be shown,
   * copied and kept.
   *
   * @type {Map<string, string>}
   */
  written = new Map();

  /** @param {object} [spec] */
  constructor(spec = {}) {
    super();
    this.#doc = parseDocument("{}", OPTIONS);
    this.#put(spec);
  }

  /** As YAML: what was written, until something else changes it. */
  get text() {
    return this.#text;
  }

  /**
   * Takes a text as it is, also one that is none yet: the values stay those of the last good one.
   *
   * @param {string} text
   */
  setText(text) {
    this.#text = text;
    const doc = parseDocument(text, OPTIONS);
    this.error = errorOf(doc, text);
    if (!this.error) {
      this.#doc = doc;
      if (isEmpty(doc)) doc.contents = /** @type {any} */ (doc.createNode({}));
    }
    this.#changed();
  }

  /**
   * Puts another specification in place of all of it.
   *
   * @param {object} spec
   */
  replace(spec) {
    this.written.clear();
    this.#put(spec);
    this.#changed();
  }

  /**
   * The value there, undefined where there is none.
   *
   * @param {...(string | number)} path
   * @returns {any}
   */
  get(...path) {
    /** @type {any} */
    let value = this.toSpec();
    for (const key of path) value = value?.[key];
    return value ?? undefined;
  }

  /**
   * @param {Path} path
   * @param {unknown} value undefined takes it away, and what is empty then
   */
  set(path, value) {
    // A name without a value, such as a secret's, is there all the same.
    const has = this.#doc.hasIn(path);
    const before = has ? (this.get(...path) ?? null) : undefined;
    if (JSON.stringify(before) === JSON.stringify(value)) return;
    if (value === undefined) this.#remove(path);
    else {
      // A text or nothing where an object is needed now: it makes room.
      for (let n = 1; n < path.length; n++) {
        const above = this.get(...path.slice(0, n));
        if (typeof above !== "object") this.#doc.setIn(path.slice(0, n), this.#doc.createNode({}));
      }
      this.#doc.setIn(path, this.#doc.createNode(value));
    }
    this.#write();
    this.#changed();
  }

  /**
   * The specification as the API takes it, with the secrets that were written.
   *
   * @returns {Record<string, any>}
   */
  toJSON() {
    const spec = this.toSpec();
    for (const [name, value] of this.written) {
      if (spec.secrets && name in spec.secrets) spec.secrets[name] = value;
    }
    return spec;
  }

  /** @returns {Record<string, any>} as the text has it */
  toSpec() {
    return this.#doc.toJS() ?? {};
  }

  /** @param {Path} path */
  #remove(path) {
    this.#doc.deleteIn(path);
    const above = path.slice(0, -1);
    if (!above.length || SAID_EMPTY.has(String(above.at(-1)))) return;
    const left = this.get(...above);
    if (left && typeof left === "object" && !Object.keys(left).length) this.#remove(above);
  }

  /** @param {object} spec */
  #put(spec) {
    this.#doc = parseDocument("{}", OPTIONS);
    this.#doc.contents = /** @type {any} */ (this.#doc.createNode(spec));
    this.#write();
  }

  #write() {
    this.error = null;
    const empty = !Object.keys(this.toSpec()).length && !this.#doc.commentBefore;
    this.#text = empty ? "" : this.#doc.toString({ lineWidth: 0 });
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * @param {import("./yaml.js").Document} doc
 * @param {string} text
 * @returns {TextError | null}
 */
function errorOf(doc, text) {
  const [error] = doc.errors;
  if (error) {
    const line = text.slice(0, error.pos[0]).split("\n").length;
    return { message: error.message, line };
  }
  try {
    const value = doc.toJS();
    if (value === null || (typeof value === "object" && !Array.isArray(value))) return null;
  } catch (thrown) {
    return { message: String(/** @type {Error} */ (thrown).message), line: 0 };
  }
  return { message: "not-an-object", line: 1 };
}

/** @param {import("./yaml.js").Document} doc */
function isEmpty(doc) {
  return doc.toJS() === null;
}
