// What differs between two releases, as a table: field by field, before and after.

import { h } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { valueText } from "../lib/written_value.js";

/** @typedef {import("../types/api.js").Change} Change */

/**
 * @param {Change[]} changes
 * @param {{before: string | null, after: string}} heads what the two are called; null: there is none
 *   before
 * @returns {HTMLElement}
 */
export function drawDifference(changes, heads) {
  if (!changes.length) return h("p", { class: "muted" }, t("Nothing differs."));
  return h(
    "table",
    { class: "difference" },
    h(
      "thead",
      null,
      h(
        "tr",
        null,
        h("th", { scope: "col" }, t("Field")),
        heads.before !== null && h("th", { scope: "col" }, heads.before),
        h("th", { scope: "col" }, heads.after),
      ),
    ),
    h(
      "tbody",
      null,
      changes.map((change) => row(change, heads.before !== null)),
    ),
  );
}

/**
 * @param {Change} change
 * @param {boolean} both
 */
function row({ field, before, after }, both) {
  return h(
    "tr",
    null,
    h("th", { scope: "row", class: "mono" }, field),
    both && side(field, before, "del"),
    side(field, after, "ins"),
  );
}

/**
 * @param {string} field
 * @param {unknown} value
 * @param {"del" | "ins"} how
 */
function side(field, value, how) {
  const given = value !== null && value !== undefined;
  return h(
    "td",
    { class: given ? `difference-${how}` : "difference-none" },
    given ? h(how, { class: "mono" }, valueText(field, value)) : t("not given"),
  );
}
