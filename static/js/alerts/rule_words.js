// What a rule looks at, in words. Pure.

import { formatDuration, t, tn } from "../lib/i18n.js";
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
  if (kind === "metric") {
    const words = aboutMetric(condition);
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

/** @param {number} share */
export function percent(share) {
  return Number((share * 100).toPrecision(12));
}

/**
 * What a preview says, "" where nothing can be said.
 *
 * @param {import("../types/api.js").AlertRulePreview} found
 */
export function previewWords({ known, apps, looked_at: lookedAt, of }) {
  if (known === null) return "";
  if (!of) return t("It is about no app that there is now.");
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
