// How bad a line is, read off its text. The same tables as cloudbang/domain/levels.py, so that a
// filter shows the same lines whether the server or the page applies it; tests/data/levels.json
// holds both to the same answers.

import { t } from "../lib/i18n.js";
import { stripAnsi } from "../lib/ansi.js";

/** @typedef {"trace" | "debug" | "info" | "warning" | "error"} Level */

/** @type {readonly Level[]} from harmless to bad */
export const LEVELS = ["trace", "debug", "info", "warning", "error"];

const LOOKED_AT = 2048; // characters of a line that are looked at
const WORD_WITHIN = 160; // characters within which a bare word such as ERROR counts

/** @type {Record<Level, string>} what writers call a level */
const NAMES = {
  trace: "trace trc trce finest finer verbose vrb verb all",
  debug: "debug dbg dbug debu fine config debug1 debug2 debug3 debug4 debug5 调试",
  info: "info inf information informational notice log note system success ok 信息",
  warning: "warning warn wrn wrng 警告",
  error:
    "error err erro eror fail failure severe critical crit fatal ftl fata panic pnc pani " +
    "emerg emergency alert dpanic 错误 严重 致命",
};

/** @type {Map<string, Level>} */
const LEVEL_OF_NAME = new Map(
  LEVELS.flatMap((level) =>
    NAMES[level].split(" ").map((name) => /** @type {[string, Level]} */ ([name, level])),
  ),
);

/** @type {readonly Level[]} */
const SYSLOG = ["error", "error", "error", "error", "warning", "info", "info", "debug"];
/** @type {Record<string, Level>} */
const GLOG = { I: "info", W: "warning", E: "error", F: "error" };
/** @type {Record<string, Level>} */
const REDIS = { ".": "debug", "-": "debug", "*": "info", "#": "warning" };
/** @type {Record<string, Level>} */
const MONGO = { F: "error", E: "error", W: "warning", I: "info", D: "debug" };
/** @type {readonly Level[]} */
const PYTHON = ["debug", "info", "warning", "error", "error"];

const JSON_LEVEL =
  /"(?:level|lvl|severity|levelname|log\.level|loglevel|log_level|level_name|@l|@level|levelno|severity_text|severityText|LogLevel|Level|Severity)"\s*:\s*(?:"([^"]{1,20})"|(\d{1,3})\b)/g;
const MONGO_JSON = /^\{"t":\{"\$date":"[^"]*"\},\s*"s":\s*"([FEWID])/;
const LOGFMT =
  /(?:^|[\s,{])(?:level|lvl|severity|loglevel|log_level|log\.level)[=:] ?"?([A-Za-z]{2,13})\b/g;
const PRIORITY = /^<([0-9]{1,3})>/;
const KLOG = /^([IWEF])[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2}/;
const REDIS_LINE = /^[0-9]+:[XCSM] [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:.]{8,15} ([.\-*#]) /;
// A word in capitals that stands alone, a word of any case in brackets, a word with a colon where
// a line or its message starts. The leftmost of them is the level.
const WORD =
  /(?:^|[\s[(<|.:"'}-])(TRACE|DEBUG[1-5]?|INFO|INFORMATION|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|CRIT|SEVERE|PANIC|EMERG|ALERT|LOG(?=:  )|TRC|DBG|INF|WRN|ERR|FTL|PNC|TRCE|DEBU|ERRO|FATA|PANI|FINEST|FINER|FINE)(?=$|[\s\])>|:,["'(])|[[(<【]\s*([A-Za-z]{3,13}|调试|信息|警告|错误|严重|致命)\s*[\])>】]|(?:^|[0-9Z\])]\s+)(trace|debug|info|information|notice|warn|warning|error|err|fatal|critical|crit|fail|trce|dbug|panic|verbose|调试|信息|警告|错误|严重|致命)(?:\[[0-9]+\])?[::]/g;
const HINT = /[A-Z]{3}|[[(<【::]/; // without one of these WORD finds nothing
const FAILURE =
  /^(?:Traceback \(most recent call last\):|panic: |fatal error: |Exception in thread "|Unhandled exception|Unhandled Exception|Caused by: |Uncaught |(?:[A-Za-z_$][\w$]*[.:]{1,2})*[A-Z][\w$]*(?:Error|Exception|Failure)(?::|$| \[)|thread '[^']*' panicked at |Segmentation fault)/;

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
  for (const found of text.matchAll(JSON_LEVEL)) {
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
  if (text.includes("\x1b")) text = stripAnsi(text);
  text = text.replace(/^[ \t\r]+/, "");
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
