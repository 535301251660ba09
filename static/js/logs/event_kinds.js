// What is said of an event. The kinds stand in one table, the server's: it comes with the page, in
// the reader's language.

import { fill, formatBytes, formatNumber } from "../lib/i18n.js";

/** @typedef {import("./entry.js").LogEvent} LogEvent */
/** @typedef {"ok" | "info" | "warning" | "error"} Tone */

/**
 * `when`: the values that a field may have; null is a field that is not there.
 * @typedef {{ words: string, tone: Tone, sign: string, when: Record<string, unknown[]> }} Phrase
 */

/**
 * By field: `names` those of values that are numbers, `amounts` how a count is written.
 * @typedef {{
 *   kinds: Record<string, Phrase[]>,
 *   names: Record<string, Record<string, string>>,
 *   amounts: Record<string, "number" | "bytes">,
 * }} EventKinds
 */

const drawn = globalThis.document?.getElementById("event-kinds")?.textContent;

/** @type {EventKinds} */
const ofPage = drawn ? JSON.parse(drawn) : { kinds: {}, names: {}, amounts: {} };

/**
 * What happened, in words, and how bad it is. Of a kind that the table does not have: its own name.
 * @param {LogEvent} event
 * @param {EventKinds} [table]
 * @returns {{ words: string, tone: Tone, sign: string }}
 */
export function describe({ kind, data }, table = ofPage) {
  const phrases = Object.hasOwn(table.kinds, kind) ? table.kinds[kind] : [];
  const phrase = phrases.find(({ when }) =>
    Object.entries(when).every(([field, values]) => values.includes(data[field] ?? null)),
  );
  if (!phrase) return { words: kind, tone: "info", sign: "●" };
  const shown = Object.entries(data).map(([field, value]) => [
    field,
    table.names[field]?.[String(value)] ?? written(value, table.amounts[field]),
  ]);
  return {
    words: fill(phrase.words, Object.fromEntries(shown)),
    tone: phrase.tone,
    sign: phrase.sign,
  };
}

/**
 * @param {unknown} value
 * @param {"number" | "bytes"} [amount] how it is written, if it counts something
 */
function written(value, amount) {
  if (!amount || typeof value !== "number") return String(value);
  return amount === "bytes" ? formatBytes(value) : formatNumber(value);
}
