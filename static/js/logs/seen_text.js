// What of a line of log a reader sees: what is searched, marked, counted, copied and judged, and what
// rows are drawn of. The definition stands in cloudbang/domain/seen_text.py; tests/data/seen.json holds
// both to the same answers. Pure.

import { parseAnsi, stripAnsi } from "../lib/ansi.js";
import { JsonNumber, JsonObject, lastObject, readObject } from "../lib/json.js";
import {
  HOLDERS,
  HOME,
  INNER,
  LAST,
  LEFT,
  MESSAGES,
  NAMED_AFTER_IT,
  OTHERWISE,
  PROPERTIES,
  TEMPLATES,
  TOKEN,
  VALUE_OF,
  WITHIN,
} from "./seen_tables.js";

/** @typedef {import("../lib/ansi.js").Run} Run */
/** @typedef {import("../lib/json.js").Value} Value */
/** @typedef {[string, Value][]} Pairs */

/**
 * A line of JSON. `fields`: all but the message, flat, as they stand in the text that is seen.
 * @typedef {object} JsonLine
 * @property {string} before what stands in front of the object
 * @property {string | null} message with what stands before it
 * @property {boolean} filled the message is a template with fields in it
 * @property {[path: string, value: string, within: string | null][]} fields `within`: the field of the
 *   line whose object it is in
 * @property {JsonObject} value
 */

// eslint-disable-next-line no-control-regex
const AS_WRITTEN = /^[^\x1b\r\b{\x80-\uffff]*$/;
const BOM = /^\ufeff+/;

/**
 * What is seen of a line.
 * @param {string} line
 * @returns {string}
 */
export function seenText(line) {
  if (AS_WRITTEN.test(line)) return line;
  const text = unwritten(line);
  return (jsonText(text) ?? text).normalize("NFC");
}

/**
 * The same with JSON left as it was written: what is copied, and what a level is read off.
 * @param {string} line
 * @returns {string}
 */
export function plainText(line) {
  return AS_WRITTEN.test(line) ? line : unwritten(line).normalize("NFC");
}

/**
 * Without escape sequences, what was written over, byte order marks.
 * @param {string} line
 */
function unwritten(line) {
  const text = lastState(stripAnsi(atHome(line)));
  return (text.includes("\b") ? stepped([...text]).join("") : text).replace(BOM, "");
}

/** Jumps to the first column as carriage returns, and to the left as backspaces. @param {string} line */
function atHome(line) {
  if (!line.includes("\x1b")) return line;
  return line.replace(HOME, "\r").replace(LEFT, (_all, columns) => "\b".repeat(+(columns || 1)));
}

/**
 * What stands where a line went back and wrote again: what was not written over stays.
 * @template T
 * @param {T[]} cells
 * @param {(cell: T) => string} [charOf]
 * @returns {T[]}
 */
function stepped(cells, charOf = String) {
  /** @type {T[]} */
  const shown = [];
  let at = 0;
  for (const cell of cells) {
    if (charOf(cell) === "\b") at = Math.max(0, at - 1);
    else shown[at++] = cell;
  }
  return shown;
}

/**
 * The same of runs, each character with its look.
 * @param {Run[]} runs
 * @returns {Run[]}
 */
function steppedRuns(runs) {
  if (!runs.some(({ text }) => text.includes("\b"))) return runs;
  const cells = runs.flatMap((run) => [...run.text].map((char) => ({ run, char })));
  /** @type {Run[]} */
  const joined = [];
  let before = null;
  for (const { run, char } of stepped(cells, (cell) => cell.char)) {
    if (run === before) joined[joined.length - 1].text += char;
    else joined.push({ ...run, text: char });
    before = run;
  }
  return joined;
}

/**
 * What was written last where a line was written over and over.
 * @param {string} text
 */
function lastState(text) {
  if (!text.includes("\r")) return text;
  const parts = text.split("\r");
  for (let i = parts.length - 1; i >= 0; i--) if (/[^ \t]/.test(parts[i])) return parts[i];
  return "";
}

/**
 * The text that is seen of a line that is no JSON, in runs of one look.
 * @param {string} line
 * @returns {Run[]}
 */
export function seenRuns(line) {
  if (AS_WRITTEN.test(line)) return line ? [{ text: line, style: null, href: null }] : [];
  /** @type {Run[][]} by state: each carriage return begins a new one */
  const states = [[]];
  for (const run of parseAnsi(atHome(line))) {
    run.text.split("\r").forEach((text, i) => {
      if (i) states.push([]);
      if (text) states[states.length - 1].push({ ...run, text });
    });
  }
  const runs = states.findLast((state) => state.some(({ text }) => /[^ \t]/.test(text))) ?? [];
  // A line without carriage returns is shown as it is, blank or not.
  return composed(clipped(steppedRuns(states.length > 1 ? runs : states[0])), plainText(line));
}

/**
 * Without byte order marks in front.
 * @param {Run[]} runs
 * @returns {Run[]}
 */
function clipped(runs) {
  const [first, ...rest] = runs;
  if (!first?.text.startsWith("\ufeff")) return runs;
  const text = first.text.replace(BOM, "");
  return text ? [{ ...first, text }, ...rest] : clipped(rest);
}

/**
 * In Unicode's composed form. Where that goes across a change of colour, colours give way.
 * @param {Run[]} runs
 * @param {string} seen
 */
function composed(runs, seen) {
  if (runs.map(({ text }) => text).join("") === seen) return runs;
  const each = runs.map((run) => ({ ...run, text: run.text.normalize("NFC") }));
  if (each.map(({ text }) => text).join("") === seen) return each;
  return [{ text: seen, style: null, href: null }];
}

// JSON

/**
 * @param {string} line
 * @returns {JsonLine | null} null when the line is no JSON object, and ends in none
 */
export function readJson(line) {
  const found = objectIn(line.includes("{") ? unwritten(line) : "");
  if (!found) return null;
  const { message, fields, put } = taken(found);
  const whole = (/** @type {string} */ text) => wellFormed(text).normalize("NFC");
  return {
    before: whole(found.before),
    message: message === null ? null : whole(message),
    filled: put,
    fields: fields.map(([path, text, within]) => [whole(path), whole(text), within]),
    value: found.value,
  };
}

/** The object that a text is, or ends in behind other words. @param {string} text */
function objectIn(text) {
  const found = text.includes("{") ? lastObject(text) : null;
  if (!found?.value.pairs.length) return null;
  const { before } = found;
  return before && VALUE_OF.includes(before[before.length - 1]) ? null : found;
}

/** @param {string} text @returns {string | null} */
function jsonText(text) {
  const found = objectIn(text);
  if (!found) return null;
  const { message, fields } = taken(found);
  const parts = fields.map(([path, said]) => `${path}=${said}`);
  if (message !== null) parts.unshift(message);
  return wellFormed(parts.join(" "));
}

/**
 * The message and the fields, those last that the row mostly has elsewhere. `put`: it was put together.
 * @param {{ before: string, value: JsonObject }} found
 */
function taken({ before, value }) {
  const { message: said, rest, filled: put = false } = messageOf(value.pairs);
  const message = before && said !== null ? `${before} ${said}` : before || said;
  /** @type {JsonLine["fields"]} */
  const all = [];
  flatten(rest, "", all);
  const within = put ? (message ?? "") : "";
  /** @type {JsonLine["fields"][]} */
  const [first, last] = [[], []];
  for (const field of all) {
    const [path, text] = field;
    (LAST.test(path) || (text !== "" && within.includes(text)) ? last : first).push(field);
  }
  return { message, fields: [...first, ...last], put };
}

/** Halves of characters have no bytes. @param {string} text */
function wellFormed(text) {
  return text.replace(/[\ud800-\udfff]/gu, "\ufffd");
}

/** @type {Map<string, number>} */
const RANK = new Map(MESSAGES.map((name, rank) => [name, rank]));

/**
 * What a line of JSON says, and its other fields. A message that was put together, or found in JSON
 * within a string, leaves all fields where they are.
 * @param {Pairs} pairs
 * @param {number} [within]
 * @returns {{ message: string | null, rest: Pairs, filled?: boolean }}
 */
function messageOf(pairs, within = WITHIN) {
  let best = MESSAGES.length;
  let at = -1;
  pairs.forEach(([key, value], here) => {
    const rank = RANK.get(key.toLowerCase()) ?? best;
    if (rank < best && typeof value === "string" && /[^ \t\r\n]/.test(value)) {
      best = rank;
      at = here;
    }
  });
  if (at >= 0) return said(pairs, at, within);
  for (const name of HOLDERS) {
    const found = held(pairs, name);
    if (found) return found;
  }
  for (const name of OTHERWISE) {
    at = placeOf(pairs, name);
    const found = at >= 0 ? said(pairs, at, within) : held(pairs, name);
    if (found) return found;
  }
  return { message: null, rest: pairs };
}

/**
 * Where the text of this name is, the first that says anything; -1 where there is none.
 * @param {Pairs} pairs
 * @param {string} name
 */
function placeOf(pairs, name) {
  return pairs.findIndex(
    ([key, value]) =>
      typeof value === "string" && key.toLowerCase() === name && /[^ \t\r\n]/.test(value),
  );
}

/**
 * @param {Pairs} pairs
 * @param {number} at
 * @param {number} within
 * @returns {{ message: string, rest: Pairs, filled?: boolean }}
 */
function said(pairs, at, within) {
  const text = clean(/** @type {string} */ (pairs[at][1]));
  if (TEMPLATES.includes(pairs[at][0].toLowerCase()))
    return { message: filled(text, pairs), rest: pairs, filled: true };
  const inner = within && text.startsWith("{") ? readObject(text) : null;
  const message = inner ? messageOf(inner.pairs, within - 1).message : null;
  if (message !== null) return { message, rest: pairs };
  return { message: text, rest: pairs.toSpliced(at, 1) };
}

/**
 * The message within the object of this name, and the fields without it.
 * @param {Pairs} pairs
 * @param {string} name
 * @returns {{ message: string, rest: Pairs, filled?: boolean } | null}
 */
function held(pairs, name) {
  const names = NAMED_AFTER_IT.includes(name) ? [...MESSAGES, ...INNER] : MESSAGES;
  for (const [at, [key, value]] of pairs.entries()) {
    if (!(value instanceof JsonObject) || key.toLowerCase() !== name) continue;
    for (const inner of names) {
      const found = placeOf(value.pairs, inner);
      if (found < 0) continue;
      const text = clean(/** @type {string} */ (value.pairs[found][1]));
      if (TEMPLATES.includes(inner))
        return { message: filled(text, value.pairs), rest: pairs, filled: true };
      const left = value.pairs.toSpliced(found, 1);
      /** @type {Pairs} */
      const instead = left.length ? [[key, new JsonObject(left)]] : [];
      return { message: text, rest: pairs.toSpliced(at, 1, ...instead) };
    }
  }
  return null;
}

/**
 * A message template (messagetemplates.org) with its fields in their places.
 * @param {string} template
 * @param {Pairs} pairs
 */
function filled(template, pairs) {
  /** @type {Map<string, Value>} */
  const fields = new Map();
  for (const [key, value] of pairs) {
    if (!(value instanceof JsonObject) || !PROPERTIES.includes(key.toLowerCase())) continue;
    for (const [inner, one] of value.pairs) if (!fields.has(inner)) fields.set(inner, one);
  }
  for (const [key, value] of pairs) fields.set(key, value);
  const renderings = fields.get("@r");
  const rendered = Array.isArray(renderings) ? renderings.values() : [].values();
  return template.replace(TOKEN, (token, name, form) => {
    if (name === undefined) return token[0];
    if (form !== undefined) {
      const { value } = rendered.next();
      if (typeof value === "string") return clean(value);
    }
    const value = fields.get(name);
    return value === undefined ? token : write(value);
  });
}

/**
 * @param {Pairs} pairs
 * @param {string} before
 * @param {JsonLine["fields"]} into
 * @param {string | null} [within]
 */
function flatten(pairs, before, into, within = null) {
  for (const [key, value] of pairs) {
    if (value instanceof JsonObject && value.pairs.length)
      flatten(value.pairs, `${before}${key}.`, into, within ?? key);
    else into.push([before + key, write(value), within]);
  }
}

/**
 * A value as it is seen: strings without quotes, numbers as they were written.
 * @param {Value} value
 * @returns {string}
 */
export function write(value) {
  if (typeof value === "string") return clean(value);
  if (value instanceof JsonNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(write).join(", ")}]`;
  if (value instanceof JsonObject)
    return `{${value.pairs.map(([key, one]) => `${key}=${write(one)}`).join(", ")}}`;
  return String(value);
}

/**
 * A string that was in JSON: it may hold what a line of text cannot.
 * @param {string} text
 */
function clean(text) {
  const shown = stripAnsi(text);
  return (shown.includes("\r") ? shown.replace(/\r\n?/g, "\n") : shown).replace(/\n+$/, "");
}
