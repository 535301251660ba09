// Copying: a row, a link to it, a selection over several rows.

import { copy } from "../lib/clipboard.js";
import { t } from "../lib/i18n.js";
import { stripAnsi } from "../lib/ansi.js";
import { say } from "./toast.js";

/** @typedef {import("./log_model.js").Entry} Entry */

/**
 * The text of an entry as the container wrote it, without colours.
 * @param {Entry} entry
 */
export function textOf(entry) {
  if (!entry.row) return "";
  return [entry.row, ...(entry.more ?? [])].map((row) => stripAnsi(row[4])).join("\n");
}

/**
 * @param {string} text
 * @param {string} done what to say when it is copied
 */
export async function copyText(text, done) {
  if (!(await copy(text))) return say(t("The browser does not let this page copy"));
  say(done);
}

/**
 * What a selection over several rows copies: one line a row, time and text, whatever the columns.
 * @param {HTMLElement} slice holds the rows
 * @param {(element: Element) => Entry | null} entryOf
 */
export function copySelections(slice, entryOf) {
  slice.addEventListener("copy", (event) => {
    const selection = getSelection();
    if (!selection || selection.isCollapsed || !selection.rangeCount) return;
    const range = selection.getRangeAt(0);
    const rows = [...slice.children].filter((row) => range.intersectsNode(row));
    if (rows.length < 2) return;
    const lines = rows.map((row) => {
      const entry = entryOf(row);
      if (!entry) return "";
      const text = entry.row ? textOf(entry) : (row.querySelector(".row-words")?.textContent ?? "");
      const time = row.querySelector(".row-time")?.textContent;
      return time ? `${time} ${text}` : text;
    });
    event.clipboardData?.setData("text/plain", lines.join("\n"));
    event.preventDefault();
  });
}

/**
 * The longest run of words of a line without numbers and ids in it.
 * @param {string} text
 */
export function commonPart(text) {
  const runs = text.split(/\S*\d\S*/).map((run) => run.trim());
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), "");
  return (longest.length >= 3 ? longest : text.trim()).slice(0, 200);
}
