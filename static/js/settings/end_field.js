// When something ends: after some days, with a day of one's own, or never. For tokens and accounts.

import { h } from "../lib/dom.js";
import { t, tn } from "../lib/i18n.js";

const DAYS = [30, 90, 365];
export const USUAL = "90"; // for what is new: a secret that nobody thinks of any more ends by itself

/** @typedef {{days: number} | {ends_at: string | null} | {active: false}} End as the API takes it */

/**
 * @param {string} id
 * @param {string} label
 * @param {string} chosen one of the days, "date", "never", "now"
 * @param {{now?: boolean}} [more] `now`: it can end at once
 * @returns {{rows: HTMLElement[], read: () => End, reset: () => void}}
 */
export function endField(id, label, chosen, { now = false } = {}) {
  const choices = [
    ...(now ? [["now", t("Now")]] : []),
    ...DAYS.map((days) => [
      String(days),
      days === 365 ? t("After a year") : tn("After {n} day", "After {n} days", days),
    ]),
    ["date", t("With a day of one's own")],
    ["never", t("Never")],
  ];
  const select = h(
    "select",
    { class: "field", id },
    choices.map(([value, text]) => h("option", { value }, text)),
  );
  const day = h("input", {
    ...{ class: "field", id: `${id}-day`, type: "date", min: dayOf(new Date()) },
    ...{ disabled: true, required: true },
  });
  const dayRow = h(
    "div",
    { class: "form-row short", hidden: true },
    h("label", { for: day.id }, t("Last day")),
    day,
  );
  const show = () => {
    const own = select.value === "date";
    dayRow.hidden = !own;
    day.disabled = !own; // what is not shown is not asked for
  };
  const reset = () => {
    select.value = chosen;
    day.value = "";
    show();
  };
  select.addEventListener("change", () => {
    show();
    if (!day.disabled) day.focus();
  });
  reset();
  return {
    rows: [h("div", { class: "form-row short" }, h("label", { for: id }, label), select), dayRow],
    read: () => {
      if (select.value === "now") return { active: false };
      if (select.value === "never") return { ends_at: null };
      if (select.value === "date") return { ends_at: endOf(day.value).toISOString() };
      return { days: Number(select.value) };
    },
    reset,
  };
}

/**
 * The first moment after a day, as it is where the reader is.
 *
 * @param {string} day "2026-12-31"
 */
export function endOf(day) {
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year, month - 1, date + 1);
}

/**
 * Today, as a field for days has it.
 *
 * @param {Date} moment
 */
function dayOf(moment) {
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
}

/**
 * Whether what ends then is over (-1), ends within a week (0), or goes on (1).
 *
 * @param {string} endsAt RFC 3339
 */
export function howLong(endsAt) {
  const left = Date.parse(endsAt) - Date.now();
  if (left <= 0) return -1;
  return left <= 7 * 24 * 3600 * 1000 ? 0 : 1;
}
