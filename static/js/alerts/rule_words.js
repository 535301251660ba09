// What a rule looks at, in words. Pure.

import { formatDuration, t, tn } from "../lib/i18n.js";
import { formatValue, USUAL } from "../lib/units.js";
import { showAmount } from "./amounts.js";

/** @typedef {import("../types/api.js").AlertRule} AlertRule */

/** @param {Pick<AlertRule, "kind" | "condition" | "wait">} rule */
export function about({ kind, condition, wait }) {
  const { begin, within, text, occurrence, days } = /** @type {any} */ (condition);
  const minutes = Math.round((within ?? 0) / 60);
  if (kind === "log") {
    return tn(
      "{n} line with “{text}” within {minutes} min",
      "{n} lines with “{text}” within {minutes} min",
      begin,
      { n: begin, text, minutes: Math.max(minutes, 1) },
    );
  }
  if (kind === "metric" || kind === "traffic") {
    const words = kind === "metric" ? aboutMetric(condition) : aboutTraffic(condition);
    return wait ? t("{what}, for {time}", { what: words, time: formatDuration(wait) }) : words;
  }
  switch (occurrence) {
    case "died":
      return t("ended, and nobody had asked for it");
    case "oom":
      return t("the kernel killed a process for want of memory");
    case "crash-loop":
      return t("{n} ends within {minutes} minutes", { n: begin, minutes });
    case "unhealthy":
      return t("its health check fails for {seconds} s", { seconds: wait });
    case "deployment-failed":
      return t("a deployment failed");
    case "certificate":
      return t("fewer than {n} days left", { n: begin });
    default:
      return days
        ? t("full to {share} %, or in {days} days", { share: percent(begin), days })
        : t("full to {share} %", { share: percent(begin) });
  }
}

/** @param {any} condition */
function aboutMetric({ metric, begin, of, below }) {
  const amount = of
    ? t("{of}: {share} %", { share: percent(begin), of })
    : showAmount(metric, begin);
  return below
    ? t("{metric} under {amount}", { metric, amount })
    : t("{metric} over {amount}", { metric, amount });
}

/** @param {any} condition */
function aboutTraffic({ measure, begin, address, below }) {
  const amount = showMeasure(measure, begin);
  let words;
  if (measure === "errors")
    words = below
      ? t("fewer than {amount} of the requests fail", { amount })
      : t("{amount} of the requests fail", { amount });
  else if (measure === "requests")
    words = below ? t("fewer than {amount}", { amount }) : t("more than {amount}", { amount });
  else
    words = below
      ? t("response time ({measure}) under {amount}", { measure, amount })
      : t("response time ({measure}) over {amount}", { measure, amount });
  return address ? t("{address}: {what}", { address, what: words }) : words;
}

/** @param {string} measure @param {number} value */
function showMeasure(measure, value) {
  if (measure === "errors") return `${Number((value * 100).toPrecision(3))} %`;
  if (measure === "requests") return t("{n} requests/s", { n: Number(value.toPrecision(3)) });
  return formatValue("s", value, USUAL, "http.latency");
}

/**
 * What a rule that is made is called until somebody calls it something else: a team reads several
 * languages, so it is of none.
 *
 * @param {Record<string, string>} values of its form; `kind` is what it looks at
 * @returns {string} "" where nothing says what it is about
 */
export function plainName(values) {
  const { kind, app = "", begin = "", text = "", address = "", measure = "" } = values;
  const sign = values.below ? "<" : ">";
  const number = (/** @type {string} */ unit) => (begin ? ` ${sign} ${begin}${unit}` : "");
  if (kind === "log") return text && `“${text}”`.slice(0, NAME);
  if (kind === "metric") {
    const { metric = "", of = "" } = values;
    const what = [app, of ? `${metric} / ${of}` : metric].filter(Boolean).join(" ");
    return begin ? (what + number(of ? " %" : "")).slice(-NAME) : "";
  }
  const what = address || app;
  if (kind !== "traffic" || !what) return "";
  const units = { errors: " %", requests: "/s" };
  const unit = units[/** @type {keyof typeof units} */ (measure)] ?? " s";
  const said =
    (measure === "errors" ? " 5xx" : measure === "requests" ? "" : ` ${measure}`) + number(unit);
  return what.slice(0, NAME - said.length) + said;
}

const NAME = 100; // characters

/** @param {number} share */
export function percent(share) {
  return Number((share * 100).toPrecision(12));
}

/**
 * What a preview says, "" where nothing can be said.
 *
 * @param {import("../types/api.js").AlertRulePreview} found
 * @param {{ kind: string, condition: any }} rule
 */
export function previewWords(found, rule) {
  const words = wouldHaveBeen(found, rule);
  if (!words || !found.now.length) return words;
  const now = found.now.map((one) => nowWords(one, rule)).join(", ");
  return `${words} · ${t("now: {what}", { what: now })}`;
}

/** @param {import("../types/api.js").IsNow} one @param {{ kind: string, condition: any }} rule */
function nowWords({ what, value, days }, { kind, condition }) {
  if (kind === "traffic") return `${what} ${showMeasure(condition.measure, value)}`;
  if (kind === "metric") {
    const { of, metric } = condition;
    return `${what} ${of ? `${percent(Number(value.toPrecision(3)))} %` : showAmount(metric, value)}`;
  }
  if (condition.occurrence === "certificate")
    return tn("{what} {n} day left", "{what} {n} days left", Math.floor(value), {
      what,
      n: Math.floor(value),
    });
  const share = `${percent(Number(value.toPrecision(3)))} %`;
  if (days === null) return `${what} ${share}`;
  return t("{what} {share}, full in {days} days", { what, share, days: Math.floor(days) });
}

/**
 * @param {import("../types/api.js").AlertRulePreview} found
 * @param {{ kind: string, condition: any }} rule
 */
function wouldHaveBeen({ known, apps, looked_at: lookedAt, of }, { kind, condition }) {
  if (known === null) return "";
  if (!of && condition.occurrence === "certificate") return t("No domain has a certificate now.");
  if (!of && kind === "traffic") return t("It is about no app that was asked for anything.");
  if (!of && condition.occurrence !== "disk") return t("It is about no app that there is now.");
  if (!known) return t("Nothing of this was measured in the last 24 hours.");
  const count = apps.reduce((sum, one) => sum + one.began.length, 0);
  const parts = [
    count
      ? tn(
          "Would have been an alert {n} time in the last 24 hours",
          "Would have been an alert {n} times in the last 24 hours",
          count,
          { n: count },
        )
      : t("Would have been no alert in the last 24 hours"),
  ];
  if (count && of > 1) {
    const named = apps.slice(0, SHOWN).map(({ app, began }) => `${app} ${began.length}`);
    parts.push(`${named.join(", ")}${apps.length > SHOWN ? " …" : ""}`);
  }
  if (known < 0.95)
    parts.push(t("known of that time: {share} %", { share: Math.ceil(known * 100) }));
  if (lookedAt < of) parts.push(t("{n} of {of} apps looked at", { n: lookedAt, of }));
  return parts.join(" · ");
}

const SHOWN = 3; // apps that are named
