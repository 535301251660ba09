// What is copied of a log: a row, or a selection of them, with all that they stand for.

import { formatNumber, t } from "../lib/i18n.js";
import { copyAndSay } from "../lib/toast.js";
import { textOf } from "./entry.js";
import { membersOf } from "./repeats.js";
import { timeOfDay } from "./times.js";

/** @typedef {import("./entry.js").Entry} Entry */
/** @typedef {import("./log_model.js").LogModel} LogModel */

/**
 * The texts of all that a row stands for; what of it is not in memory is said.
 * @param {Entry} entry
 * @param {LogModel} model
 */
export function copyEntry(entry, model) {
  const all = membersOf(entry, model.entries);
  const came = all.length > 1 && entry.run ? entry.run.all : all.length;
  const said =
    came > all.length
      ? t("Copied: {n} of {all}", { n: formatNumber(all.length), all: formatNumber(came) })
      : t("Copied");
  return copyAndSay(all.map(textOf).join("\n"), said);
}

/**
 * What a selection copies of a row: a line each of what it stands for; null for what is no line.
 * @param {Entry | null} entry
 * @param {LogModel} model
 * @param {{ times: boolean, utc: boolean }} settings
 */
export function linesOf(entry, model, { times, utc }) {
  if (!entry?.row) return null;
  return membersOf(entry, model.entries).map((one) =>
    times ? `${timeOfDay(one.time, utc)} ${textOf(one)}` : textOf(one),
  );
}

/**
 * What a selection over several rows copies: the lines that `copied` says of each, whatever the columns.
 * @param {HTMLElement} slice holds the rows
 * @param {(element: Element) => string[] | null} copied null: what it shows
 */
export function copySelections(slice, copied) {
  slice.addEventListener("copy", (event) => {
    const selection = getSelection();
    if (!selection || selection.isCollapsed || !selection.rangeCount) return;
    const range = selection.getRangeAt(0);
    const rows = [...slice.children].filter((row) => range.intersectsNode(row));
    if (rows.length < 2) return;
    const lines = rows.flatMap((row) => {
      const its = copied(row);
      if (its) return its;
      const text = row.querySelector(".row-words")?.textContent ?? "";
      const time = row.querySelector(".row-time")?.textContent;
      return [time ? `${time} ${text}` : text];
    });
    event.clipboardData?.setData("text/plain", lines.join("\n"));
    event.preventDefault();
  });
}
