// Times that stay true while they are looked at: one timer for all of them.

import { formatRelative, formatTime } from "./i18n.js";

const EVERY = 5_000; // ms

/**
 * Shows how long ago in a <time>, exactly on hover, and keeps it right. An element that has left
 * the page is forgotten by itself: the page is asked for them each time.
 *
 * @param {HTMLTimeElement} element
 * @param {string | null} time RFC 3339
 * @param {string} [what] happened then; stands before the exact time
 */
export function showRelative(element, time, what = "") {
  if (!time) {
    element.removeAttribute("datetime");
    element.textContent = "";
    element.title = "";
    return;
  }
  if (element.dateTime === time && element.dataset.what === what) return;
  element.dateTime = time;
  element.dataset.relative = "";
  element.dataset.what = what;
  element.title = `${what} ${formatTime(time)}`.trim();
  element.textContent = formatRelative(time);
}

function refresh() {
  if (document.visibilityState !== "visible") return;
  const now = Date.now();
  for (const element of document.querySelectorAll("time[data-relative]")) {
    const time = /** @type {HTMLTimeElement} */ (element);
    const text = formatRelative(time.dateTime, now);
    if (time.textContent !== text) time.textContent = text;
  }
}

setInterval(refresh, EVERY);
document.addEventListener("visibilitychange", refresh);
