// The fields of a line, as cloudbang/domain/query/fields.py reads them. Pure.

import { JsonObject, lastObject, readObject } from "../../lib/json.js";
import { plainText, write } from "../seen_text.js";
import { CLIENT, METHOD_SIGN, PAIR, USER, WAYS } from "./query_tables.js";

/** @typedef {[string, string]} Field name (a path with dots) and value, as it is seen */
/** @typedef {import("../../lib/json.js").Value} Value */

const AT_MOST = 500;
const LOOKED_AT = 32 * 1024; // characters of a line of text
/** @type {Record<string, string>} */
const CLOSING = { ")": "(", "]": "[", "}": "{" };
/** @type {Record<string, string>} */
const MEANT = { n: "\n", t: "\t", r: "\r" };
const ORDER = ["method", "target", "protocol", "status", "size", "duration", "referer", "agent"];

/**
 * @param {string} line as it was written
 * @returns {Field[]}
 */
export function fieldsOf(line) {
  const text = plainText(line);
  return (
    (text.includes("{") ? withJson(text) : null) ??
    (text.includes('":') ? ofMember(text) : null) ??
    ofText(text)
  );
}

/**
 * Of a line of an object that is written over several lines, one a line: `"status": 503,`.
 * @param {string} text
 * @returns {Field[] | null}
 */
function ofMember(text) {
  const bare = text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
  const object = bare.startsWith('"') ? readObject(`{${bare.replace(/,$/, "")}}`) : null;
  if (!object) return null;
  /** @type {Field[]} */
  const fields = [];
  flatten(object, "", fields);
  return fields.slice(0, AT_MOST);
}

/** @param {string} text @returns {Field[] | null} */
function withJson(text) {
  const found = lastObject(text);
  if (!found) return null;
  const fields = found.before ? ofText(found.before) : [];
  flatten(found.value, "", fields);
  return fields.slice(0, AT_MOST);
}

/** @param {JsonObject} object @param {string} before @param {Field[]} into */
function flatten(object, before, into) {
  for (const [key, value] of object.pairs) {
    if (into.length > AT_MOST) return;
    take(before + key, value, into);
  }
}

/** @param {string} path @param {Value} value @param {Field[]} into */
function take(path, value, into) {
  if (value instanceof JsonObject && value.pairs.length) flatten(value, `${path}.`, into);
  else if (Array.isArray(value) && value.length) {
    for (const one of value.slice(0, AT_MOST - into.length)) take(path, one, into);
  } else into.push([path, write(value).normalize("NFC")]);
}

/** @param {string} text @returns {Field[]} */
function ofText(text) {
  if (text.length > LOOKED_AT) text = text.slice(0, LOOKED_AT);
  const fields = ofRequest(text);
  if (!text.includes("=")) return fields;
  for (const [, name, value] of text.matchAll(PAIR)) {
    fields.push([name, valueOf(value)]);
    if (fields.length >= AT_MOST) break;
  }
  return fields;
}

/** @param {string} text */
function valueOf(text) {
  if (text.length > 1 && text[0] === '"')
    return text
      .slice(1, text.endsWith('"') ? -1 : undefined)
      .replace(/\\(["\\ntr])/g, (_, char) => MEANT[char] ?? char);
  if (text.length > 1 && text[0] === "'") return text.slice(1, -1);
  let to = text.length;
  while (to && (text[to - 1] === "," || text[to - 1] === ";")) to--;
  let value = text.slice(0, to);
  for (let end = CLOSING[value.at(-1) ?? ""]; end && !value.includes(end);) {
    value = value.slice(0, -1);
    end = CLOSING[value.at(-1) ?? ""];
  }
  return value;
}

/** @param {string} text @returns {Field[]} */
function ofRequest(text) {
  if (!METHOD_SIGN.test(text)) return [];
  let groups;
  for (const way of WAYS) {
    groups = way.exec(text)?.groups;
    if (groups) break;
  }
  if (!groups) return [];
  /** @type {Field[]} */
  const fields = [];
  for (const name of ORDER) {
    const value = groups[name];
    if (value === undefined) continue;
    if (name === "target") fields.push(...ofTarget(value));
    else if (value !== "-") fields.push([name, value]);
  }
  const user = USER.exec(text)?.[1];
  if (user && user !== "-") fields.push(["user", user]);
  const client = groups.client ?? CLIENT.exec(text)?.[1];
  if (client) fields.push(["client", client]);
  return fields;
}

/** Path and query of what was asked for, and the host where it is said. @param {string} target @returns {Field[]} */
function ofTarget(target) {
  const found = /^https?:\/\/([^/]*)(.*)$/.exec(target);
  if (found) target = found[2] || "/";
  const question = target.indexOf("?");
  /** @type {Field[]} */
  const fields = [["path", question < 0 ? target : target.slice(0, question)]];
  if (question >= 0) fields.push(["query", target.slice(question + 1)]);
  if (found?.[1]) fields.push(["host", found[1]]);
  return fields;
}
