// What is known of a kill for want of memory, in words. Pure.

import { t } from "../lib/i18n.js";
import { formatValue } from "../lib/units.js";

/** @typedef {import("../lib/units.js").Units} Units */

/**
 * What the event keeps, in bytes: see docs/protocols/events.md.
 *
 * @typedef {object} Facts
 * @property {number} [limit]
 * @property {number} [used]
 * @property {number} [peak]
 * @property {number} [anon]
 * @property {number} [shared]
 * @property {number} [file]
 * @property {number} [machine]
 * @property {number} [machine_used]
 * @property {string} [filled]
 */

/**
 * Which limit it was.
 *
 * @param {Facts} facts
 * @param {Units} units
 */
export function limitSentence({ limit, used, machine, machine_used: all }, units) {
  if (limit !== undefined) {
    return t("Out of memory: its limit of {limit} was full, and the kernel killed a process.", {
      limit: formatValue("bytes", limit, units),
    });
  }
  if (used !== undefined && machine !== undefined && all !== undefined) {
    return t(
      "Out of memory: the kernel killed a process. It has no limit of its own; of the machine's {all}, {used} were in use.",
      { all: formatValue("bytes", machine, units), used: formatValue("bytes", all, units) },
    );
  }
  return t("Out of memory: the kernel killed a process.");
}

/**
 * What filled it.
 *
 * @param {Facts} facts
 */
export function filledSentence({ filled, used, anon }) {
  switch (filled) {
    case "anon":
      return t("Most of it was what its programs keep for themselves.");
    case "shared":
      return t("Most of it was shared memory, or files in a tmpfs.");
    case "file":
      return t("Most of it was what the kernel keeps of files.");
  }
  if (used === undefined) return t("It came too fast to be measured: what filled it is not known.");
  return anon === undefined
    ? t("What filled it was not measured.")
    : t("No part of it was more than half.");
}

/**
 * What was measured just before.
 *
 * @param {Facts} facts
 * @param {Units} units
 * @returns {[string, string][]}
 */
export function numbers(facts, units) {
  /** @type {[string, number | undefined][]} */
  const all = [
    [t("Limit"), facts.limit],
    [t("Highest"), facts.peak],
    [t("In use just before"), facts.used],
    [t("Of its programs"), facts.anon],
    [t("Shared, tmpfs"), facts.shared],
    [t("Of files"), facts.file],
  ];
  /** @type {[string, string][]} */
  const found = [];
  for (const [name, value] of all) {
    if (value !== undefined) found.push([name, formatValue("bytes", value, units)]);
  }
  return found;
}
