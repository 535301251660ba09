// Who has the focus may be drawn anew, as a row of a list is: it goes on to what says the same.

/** @param {Element} element */
const labelOf = (element) => element.getAttribute("aria-label") ?? element.textContent;

/**
 * @param {ParentNode} box where to look
 * @param {Element} gone
 * @returns {HTMLElement | undefined} what is of the same kind, says the same and can be seen
 */
export function successorOf(box, gone) {
  const all = /** @type {NodeListOf<HTMLElement>} */ (box.querySelectorAll(gone.localName));
  return [...all].find((one) => labelOf(one) === labelOf(gone) && one.checkVisibility());
}
