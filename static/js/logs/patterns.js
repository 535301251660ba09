// What lines of log have in common, as the server makes it (cloudbang/domain/patterns.py, held together
// by tests/data/patterns.json): what changes from one line to the next is left out. Pure.

import { KINDS, LONGEST, LOOKED_AT, MASK, NAMES, STATUS_PATH } from "./pattern_tables.js";
import { LAST } from "./seen_tables.js";
import { plainText, readJson } from "./seen_text.js";

const ALL = new RegExp(MASK, "g");
const STATUS = 0;
const TIME = KINDS.indexOf("time");

/**
 * The pattern of a line as its container wrote it.
 * @param {string} line
 */
export function patternOf(line) {
  const json = line.includes("{") ? readJson(line) : null;
  if (!json) return mask(plainText(line));
  const names = json.fields
    .filter(([path]) => !LAST.test(path))
    .map(([path, value]) => (isStatus(path, value) ? `${path}=${value[0]}xx` : path));
  if (json.message === null) return cutNames(names, LONGEST);
  const start = strip(mask(json.message).slice(0, LONGEST - NAMES));
  names.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return `${start} ${cutNames(names, LONGEST - start.length - 1)}`;
}

/**
 * What is seen of a line but for its times: the same for a line that comes again.
 * @param {string} line
 */
export function timeless(line) {
  const json = line.includes("{") ? readJson(line) : null;
  if (!json) return without(plainText(line), TIME);
  const fields = json.fields.filter(([path]) => !LAST.test(path));
  const parts = fields.map(([path, value]) => `${path}=${value}`);
  return without([json.message ?? "", ...parts].join(" "), TIME);
}

/** @param {string} text */
export function mask(text) {
  if (text.length > LOOKED_AT) {
    const start = text.slice(0, LOOKED_AT);
    text = start.slice(0, Math.max(0, start.lastIndexOf(" "))) || start;
  }
  return strip(without(text, -1).slice(0, LONGEST));
}

/**
 * @param {string} text
 * @param {number} only one kind alone; -1: all
 */
function without(text, only) {
  return text.replace(ALL, (found, /** @type {any[]} */ ...groups) => {
    const kind = groups.findIndex((group, at) => at < KINDS.length && group !== undefined);
    // What looks like a placeholder and is none.
    if (kind < 0 && only < 0 && found[0] === "<") return `‹${found.slice(1, -1)}›`;
    if (kind < 0 || (only >= 0 && kind !== only)) return found;
    return kind === STATUS ? `${found[0]}xx` : `<${KINDS[kind]}>`;
  });
}

/** @param {string} text */
function strip(text) {
  return text.replace(/^[ \t]+|[ \t]+$/g, "");
}

/** @param {string} path @param {string} value */
function isStatus(path, value) {
  return /^[1-5]\d\d$/.test(value) && STATUS_PATH.test(path);
}

/** The names of fields in braces, as many as there is room for. @param {string[]} names @param {number} room */
function cutNames(names, room) {
  room -= 2;
  const fit = [];
  for (const name of names) {
    room -= name.length + 2;
    if (room < 0) break;
    fit.push(name);
  }
  return `{${fit.join(", ")}}`;
}
