// A list that is drawn anew while somebody is in it: focus stays on the same button, and what somebody
// is about to confirm stays until they have left it.

import { setChildren } from "../lib/dom.js";
import { successorOf } from "../lib/successor.js";

/**
 * @param {HTMLElement} list
 * @param {HTMLElement[]} rows
 * @param {() => Promise<unknown>} again
 */
export function refill(list, rows, again) {
  const active = list.contains(document.activeElement) ? document.activeElement : null;
  if (active instanceof HTMLElement && active.dataset.sure) {
    active.addEventListener("blur", () => void again(), { once: true });
    return;
  }
  setChildren(list, rows);
  if (active) successorOf(list, active)?.focus();
}
