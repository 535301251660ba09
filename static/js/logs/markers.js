// Full-width rows that are not lines: what happened to a container, and lines that are missing.

import { h } from "../lib/dom.js";
import { formatNumber, t, tn } from "../lib/i18n.js";
import { visible } from "./text.js";
import { day, exact, timeOfDay } from "./times.js";

/** @typedef {import("./log_model.js").Entry} Entry */
/** @typedef {import("./log_model.js").Gap} Gap */
/** @typedef {import("./log_model.js").LogEvent} LogEvent */
/** @typedef {import("./log_model.js").Row} Row */
/** @typedef {import("./row_view.js").DrawContext} DrawContext */

/** @type {Record<number, string>} signals that end containers */
const SIGNALS = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  13: "SIGPIPE",
  15: "SIGTERM",
};

/**
 * What happened, in words, and how bad it is.
 * @param {LogEvent} event
 * @returns {{ words: string, tone: "ok" | "warn" | "bad" | "plain", shape: string }}
 */
export function describe(event) {
  const { data } = event;
  switch (event.kind) {
    case "create":
      return { words: t("created"), tone: "plain", shape: "○" };
    case "start":
      return { words: t("started up"), tone: "ok", shape: "▶" };
    case "restart":
      return { words: t("restarted"), tone: "warn", shape: "↻" };
    case "die":
      return describeEnd(Number(data.exit_code ?? NaN), data.oom_killed === true);
    case "oom":
      return {
        words: t("ran out of memory: the kernel killed a process"),
        tone: "bad",
        shape: "✕",
      };
    case "health":
      return describeHealth(String(data.status ?? ""));
    case "pause":
      return { words: t("paused"), tone: "warn", shape: "❙❙" };
    case "unpause":
      return { words: t("resumed"), tone: "ok", shape: "▶" };
    case "remove":
      return { words: t("removed"), tone: "plain", shape: "−" };
    case "action":
      return {
        words: describeAction(String(data.who ?? ""), String(data.what ?? "")),
        tone: "plain",
        shape: "●",
      };
    default:
      return { words: event.kind, tone: "plain", shape: "●" };
  }
}

/**
 * @param {number} code
 * @param {boolean} oom
 * @returns {ReturnType<typeof describe>}
 */
function describeEnd(code, oom) {
  if (Number.isNaN(code)) return { words: t("ended"), tone: "warn", shape: "■" };
  const signal = code > 128 ? (SIGNALS[code - 128] ?? "") : "";
  if (oom)
    return {
      words: t("died, out of memory, exit code {code}", { code: String(code) }),
      tone: "bad",
      shape: "✕",
    };
  if (code === 0) return { words: t("ended, exit code 0"), tone: "plain", shape: "■" };
  const words = signal
    ? t("died, exit code {code} ({signal})", { code: String(code), signal })
    : t("died, exit code {code}", { code: String(code) });
  return { words, tone: "bad", shape: "✕" };
}

/**
 * @param {string} status
 * @returns {ReturnType<typeof describe>}
 */
function describeHealth(status) {
  if (status === "healthy") return { words: t("health check passes"), tone: "ok", shape: "✓" };
  if (status === "unhealthy") return { words: t("health check fails"), tone: "bad", shape: "✕" };
  return { words: t("health check is starting"), tone: "warn", shape: "○" };
}

/**
 * @param {string} who
 * @param {string} what a word for programs
 */
function describeAction(who, what) {
  if (what === "terminal-open") return t("{name} opened a terminal", { name: who });
  if (what === "terminal-end") return t("a terminal of {name} ended", { name: who });
  if (what === "file-put") return t("{name} put a file into the container", { name: who });
  if (what === "file-get") return t("{name} took a file from the container", { name: who });
  if (what === "file-broken")
    return t("a file of {name} broke off, its beginning may be left", { name: who });
  return `${who}: ${what}`;
}

/**
 * @param {Entry} entry
 * @param {LogEvent} event
 * @param {DrawContext} context
 */
export function drawEvent(entry, event, context) {
  const { words, tone, shape } = describe(event);
  const element = frame(event.time, context, tone, shape);
  const name = event.container ? context.instance(event.container).name : event.app;
  element.append(
    h("span", { class: "row-who-event" }, visible(name)),
    h("span", { class: "row-words" }, visible(words)),
  );
  return element;
}

/**
 * @param {string} time "" when it is not known
 * @param {DrawContext} context
 * @param {string} tone
 * @param {string} shape
 */
function frame(time, context, tone, shape) {
  const element = h("article", { class: "row row-marker" });
  element.dataset.tone = tone;
  if (time) {
    const { utc } = context.settings;
    element.append(
      h(
        "time",
        { class: "row-time", title: exact(time, utc), datetime: time },
        `${day(time, utc)} ${timeOfDay(time, utc).slice(0, 8)}`,
      ),
    );
  }
  element.append(h("span", { class: "row-shape", "aria-hidden": "true" }, shape));
  return element;
}

/**
 * A line of CloudBang's own: what the engine dropped before it could be read.
 * @param {Entry} entry
 * @param {Row} row
 * @param {DrawContext} context
 */
export function drawMarker(entry, row, context) {
  const element = frame(row[1], context, "warn", "≠");
  element.append(h("span", { class: "row-words" }, markerWords(row[4])));
  return element;
}

/**
 * The server writes its own lines in English; the one it writes is said in the reader's language.
 * @param {string} text
 */
function markerWords(text) {
  const found =
    /^lines between (\S+) and (\S+) were dropped by the engine before they could be read/.exec(
      text,
    );
  if (!found) return visible(text);
  return t("the engine dropped lines between {from} and {to} before they could be read", {
    from: timeOfDay(found[1], false),
    to: timeOfDay(found[2], false),
  });
}

/**
 * @param {Entry} entry
 * @param {Gap} gap
 * @param {DrawContext} context
 */
export function drawGap(entry, gap, context) {
  const count = gap.to - gap.from + 1;
  const element = frame("", context, "warn", "≠");
  const expired = gap.reason === "expired";
  const words = expired
    ? tn("{n} line is no longer kept", "{n} lines are no longer kept", count)
    : tn(
        "{n} line was skipped: this page was too slow for it",
        "{n} lines were skipped: this page was too slow for them",
        count,
      );
  element.append(
    h(
      "span",
      { class: "row-words", title: `#${formatNumber(gap.from)} – #${formatNumber(gap.to)}` },
      words,
    ),
  );
  if (!expired) {
    const button = h("button", {
      class: "small-action",
      type: "button",
      onclick: () => context.act("load-gap", entry),
    });
    button.disabled = gap.loading === true;
    button.append(gap.loading ? t("Loading …") : t("Load them"));
    element.append(button);
  }
  return element;
}
