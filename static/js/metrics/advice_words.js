// Who holds an app up, and whether its limits fit, in words. Pure.

import { formatMeasured, t } from "../lib/i18n.js";
import { formatValue } from "../lib/units.js";

/** @typedef {import("../types/api.js").BusyWith} BusyWith */
/** @typedef {import("../types/api.js").SizedLimit} SizedLimit */
/** @typedef {import("../lib/units.js").Units} Units */

/** @param {BusyWith} busy */
export function busySentence(busy) {
  return `${waitsFor(busy)} ${because(busy)}`;
}

/** @param {BusyWith} busy */
function waitsFor({ resource, waits }) {
  const share = `${formatMeasured(waits * 100)} %`;
  switch (resource) {
    case "cpu":
      return t("It waits for a processor {share} of the time.", { share });
    case "memory":
      return t("It waits for memory {share} of the time.", { share });
    default:
      return t("It waits for the disk {share} of the time.", { share });
  }
}

/** @param {BusyWith} busy */
function because({ resource, cause, share, by }) {
  const part = `${formatMeasured(share * 100)} %`;
  switch (cause) {
    case "limit":
      return resource === "memory"
        ? t("Its own limit is why: {part} of it is full.", { part })
        : t("Its own limit is why: it holds it back {part} of the time.", { part });
    case "hypervisor":
      return t("The machine's host is why: it takes {part} of the processors away.", { part });
    case "neighbour":
      return by
        ? t("{app} makes the machine busy: {part} of what is used.", { app: by, part })
        : t("An app of another team makes the machine busy: {part} of what is used.", { part });
    case "itself":
      return t("It makes the machine busy itself: {part} of what is used.", { part });
    case "outside":
      return t("What is no app makes the machine busy: {part} of what is used.", { part });
    default:
      return t("Nobody alone makes the machine busy.");
  }
}

/**
 * @param {SizedLimit} limit
 * @param {Units} units
 * @returns {string} "" of one that fits
 */
export function limitSentence({ name, fit, limit, usual, most, wanted, days }, units) {
  if (fit !== "large" && fit !== "small") return "";
  const unit = name === "cpu" ? "cores" : "bytes";
  /** @param {number} value */
  const written = (value) => formatValue(unit, value, units);
  const values = {
    limit: written(limit),
    usual: written(usual),
    most: written(most),
    wanted: written(wanted),
    days: Math.floor(days),
  };
  if (name === "cpu") {
    return fit === "large"
      ? t(
          "The CPU limit is far too large: {limit}, of which in {days} days at most {most} were used. {wanted} would do.",
          values,
        )
      : t(
          "The CPU limit is too small: {limit} hold it back. In {days} days it mostly used up to {usual}; {wanted} would fit.",
          values,
        );
  }
  return fit === "large"
    ? t(
        "The memory limit is far too large: {limit}, of which in {days} days at most {most} were used. {wanted} would do.",
        values,
      )
    : t(
        "The memory limit is too small: {limit}, of which it mostly used up to {usual} in {days} days. {wanted} would fit.",
        values,
      );
}
