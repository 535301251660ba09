// What a row says of the entries that it stands for beside its own.

import { h } from "../lib/dom.js";
import { formatNumber, t } from "../lib/i18n.js";
import { timeOfDay } from "./times.js";

/** @typedef {import("./entry.js").Entry} Entry */
/** @typedef {import("./row_view.js").DrawContext} DrawContext */

/**
 * How often it came again, from when to when; shows all of them, or folds them.
 * @param {Entry} entry
 * @param {DrawContext} context
 */
export function drawRun(entry, context) {
  const { run } = entry;
  if (!run || run.head !== entry || run.all < 2) return [];
  const { utc } = context.settings;
  const often = `×${formatNumber(run.all)}${run.unsure ? "+" : ""}`;
  const [since, until] = [run.since, run.time].map((time) => timeOfDay(time, utc).slice(0, 8));
  const words = run.open
    ? t("Came {n} times, from {since} to {until}: fold them", { n: often.slice(1), since, until })
    : t("Came {n} times, from {since} to {until}: show them", { n: often.slice(1), since, until });
  const button = h(
    "button",
    {
      class: "row-again",
      type: "button",
      dataset: { key: "again" },
      title: words,
      "aria-label": `${often} – ${until} ${words}`,
      "aria-expanded": String(run.open),
      tabindex: entry === context.cursor ? "0" : "-1",
      onclick: () => context.act("spread", entry),
    },
    often,
    h("span", { class: "row-until" }, ` – ${until}`),
  );
  return [button];
}
