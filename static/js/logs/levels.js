// How bad a line is, which the server decides; here it has its words.

import { t } from "../lib/i18n.js";

/** @typedef {"trace" | "debug" | "info" | "warning" | "error"} Level */

/** From harmless to bad. @type {readonly Level[]} */
export const LEVELS = ["trace", "debug", "info", "warning", "error"];

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
