// How bad a line is, read off its text; tests/data/levels.json has what it should say.

import { t } from "../lib/i18n.js";
import {
  FAILURE,
  GLOG,
  HINT,
  JSON_FIELD,
  KLOG,
  LEVELS,
  LOGFMT,
  LOOKED_AT,
  MONGO,
  MONGO_JSON,
  NAMES,
  PRIORITY,
  PYTHON,
  REDIS,
  REDIS_LINE,
  SYSLOG,
  WORD,
  WORD_WITHIN,
} from "./level_tables.js";
import { plainText } from "./seen_text.js";

export { LEVELS };

/** @typedef {import("./level_tables.js").Level} Level */

/** @type {Map<string, Level>} */
const LEVEL_OF_NAME = new Map(
  LEVELS.flatMap((level) =>
    NAMES[level].split(" ").map((name) => /** @type {[string, Level]} */ ([name, level])),
  ),
);

/**
 * A level given as a number: syslog's and GELF's 0-7, Python's 10-50, pino's and bunyan's 10-60.
 * @param {number} number
 * @param {boolean} python
 * @returns {Level | null}
 */
function numbered(number, python) {
  if (number < 8) return SYSLOG[number];
  const steps = python ? PYTHON : LEVELS;
  return number >= 10 ? steps[Math.min(Math.floor(number / 10), steps.length) - 1] : null;
}

/**
 * The field that names the level; words inside its message say nothing about it.
 * @param {string} text
 * @returns {Level | null}
 */
function levelOfJson(text) {
  const mongo = MONGO_JSON.exec(text);
  if (mongo) return MONGO[mongo[1]];
  for (const found of text.matchAll(JSON_FIELD)) {
    const level =
      found[1] === undefined
        ? numbered(Number(found[2]), found[0].startsWith('"levelno"'))
        : LEVEL_OF_NAME.get(found[1].toLowerCase());
    if (level) return level;
  }
  return null;
}

/**
 * The level a line gives itself, or null.
 * @param {string} text
 * @returns {Level | null}
 */
export function levelOf(text) {
  if (text.length > LOOKED_AT) text = text.slice(0, LOOKED_AT);
  text = plainText(text).replace(/^[ \t]+/, "");
  if (text.startsWith("{")) return levelOfJson(text);
  let found = PRIORITY.exec(text);
  if (found) return SYSLOG[Number(found[1]) & 7];
  found = KLOG.exec(text);
  if (found) return GLOG[found[1]];
  found = REDIS_LINE.exec(text);
  if (found) return REDIS[found[1]];
  if (text.includes("l=") || text.includes("l:") || text.includes("y=") || text.includes("y:")) {
    for (const pair of text.matchAll(LOGFMT)) {
      const level = LEVEL_OF_NAME.get(pair[1].toLowerCase());
      if (level) return level;
    }
  }
  const head = text.slice(0, WORD_WITHIN);
  if (FAILURE.test(head)) return "error";
  if (!HINT.test(head)) return null;
  for (const word of head.matchAll(WORD)) {
    const level = LEVEL_OF_NAME.get((word[1] ?? word[2] ?? word[3]).toLowerCase());
    if (level) return level;
  }
  return null;
}

/** @type {Record<string, () => string>} */
const WORDS = {
  error: () => t("error"),
  warning: () => t("warn"),
  info: () => t("info"),
  debug: () => t("debug"),
  trace: () => t("trace"),
};

/** What a reader calls a level; "none": of a line that does not say. @param {Level | "none"} level */
export function levelWord(level) {
  return level === "none" ? t("no level") : WORDS[level]();
}
