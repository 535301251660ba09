// Full-width rows that are not lines: what happened to a container, and lines that are missing.

import { h } from "../lib/dom.js";
import { formatNumber, t, tn } from "../lib/i18n.js";
import { describe } from "./events.js";
import { visible } from "./text.js";
import { day, exact, timeOfDay } from "./times.js";

/** @typedef {import("./log_model.js").Entry} Entry */
/** @typedef {import("./log_model.js").Gap} Gap */
/** @typedef {import("./log_model.js").LogEvent} LogEvent */
/** @typedef {import("./log_model.js").Row} Row */
/** @typedef {import("./row_view.js").DrawContext} DrawContext */

/**
 * @param {Entry} entry
 * @param {LogEvent} event
 * @param {DrawContext} context
 */
export function drawEvent(entry, event, context) {
  const { words, tone, sign } = describe(event);
  const element = frame(event.time, context, tone, sign);
  const name = event.container
    ? context.instance(event.container, context.ofMany ? event.app : "").name
    : event.app;
  element.append(
    h("span", { class: "row-who-event" }, visible(name)),
    h("span", { class: "row-words" }, visible(words)),
  );
  const { deployment } = event.data;
  if (typeof deployment === "number") {
    element.append(
      h("a", { class: "small-action", href: `/deployments/${deployment}` }, t("Show it")),
    );
  }
  return element;
}

/**
 * @param {string} time "" when it is not known
 * @param {DrawContext} context
 * @param {import("./events.js").Tone} tone
 * @param {string} sign
 */
function frame(time, context, tone, sign) {
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
  element.append(h("span", { class: "row-shape", "aria-hidden": "true" }, sign));
  return element;
}

/**
 * A line of CloudBang's own: what the engine dropped before it could be read.
 * @param {Entry} entry
 * @param {Row} row
 * @param {DrawContext} context
 */
export function drawMarker(entry, row, context) {
  const element = frame(row[1], context, "warning", "≠");
  element.append(h("span", { class: "row-words" }, markerWords(row[4], context.settings.utc)));
  return element;
}

/**
 * The server writes its own lines in English; the one it writes is said in the reader's language.
 * @param {string} text
 * @param {boolean} utc
 */
function markerWords(text, utc) {
  const found = /^(lines|whether lines) between (\S+) and (\S+) were dropped by the engine\b/.exec(
    text,
  );
  const said = /^the engine said of this log: (.+)/s.exec(text);
  if (said) {
    const words = { words: visible(said[1]) };
    return t("lines may be missing here: the engine said of this log: {words}", words);
  }
  if (!found) return visible(text);
  const times = { from: timeOfDay(found[2], utc), to: timeOfDay(found[3], utc) };
  return found[1] === "lines"
    ? t("the engine dropped lines between {from} and {to} before they could be read", times)
    : t(
        "whether the engine dropped lines between {from} and {to} is not known: it could not be asked while it had them",
        times,
      );
}

/**
 * @param {Entry} entry
 * @param {Gap} gap
 * @param {DrawContext} context
 */
export function drawGap(entry, gap, context) {
  const count = gap.to - gap.from + 1;
  const element = frame("", context, "warning", "≠");
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
