// Menus hang under the button that opens them (popovers have no place of their own): at its right
// edge, or with `data-hang="left"` at its left one, where they also take the focus.

import { isTyping } from "./dom.js";

const MARGIN = 8; // px to the edge of the window

/**
 * @param {HTMLElement} menu a popover
 * @param {HTMLElement} button opens it
 */
export function hangMenu(menu, button) {
  button.setAttribute("aria-expanded", "false");
  menu.addEventListener("toggle", (event) => {
    const open = /** @type {ToggleEvent} */ (event).newState === "open";
    button.setAttribute("aria-expanded", String(open));
    if (!open) return;
    place(menu, shown(button).getBoundingClientRect());
    if (menu.dataset.hang === "left") first(menu)?.focus();
  });
  menu.addEventListener("keydown", (event) => {
    const { target } = event;
    if (event.key === "Enter" && target instanceof HTMLInputElement && target.type === "checkbox") {
      event.preventDefault();
      target.click();
      return;
    }
    // A field in a menu has its own use for them.
    if (isTyping(target)) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const items = [...menu.querySelectorAll("a, button, input, select")].filter(isSeen);
    const at = items.indexOf(/** @type {Element} */ (document.activeElement));
    const next = items[(at + step + items.length) % items.length];
    if (next instanceof HTMLElement) next.focus();
  });
}

/** What is seen of a button: it, or the one of the menu that it is in where there is no room. @param {HTMLElement} button */
function shown(button) {
  const { behind } = button.dataset;
  return (behind && !isSeen(button) && document.getElementById(behind)) || button;
}

/**
 * The entries of a menu that stand for buttons: each presses its own, which may open a menu of its own.
 * @param {HTMLElement} menu
 */
function pressForButtons(menu) {
  menu.addEventListener("beforetoggle", () => {
    // What the page does not offer now is not offered here either.
    for (const item of menu.querySelectorAll("[data-presses]")) {
      const { presses = "" } = /** @type {HTMLElement} */ (item).dataset;
      /** @type {HTMLElement} */ (item).hidden = document.getElementById(presses)?.hidden ?? true;
    }
  });
  for (const item of menu.querySelectorAll("[data-presses]")) {
    const { presses = "" } = /** @type {HTMLElement} */ (item).dataset;
    item.addEventListener("click", () => {
      menu.hidePopover();
      const button = document.getElementById(presses);
      // From where the keys go back to when what it opens is closed.
      if (button) shown(button).focus();
      button?.click();
    });
  }
}

/**
 * @param {HTMLElement} menu
 * @param {DOMRect} at of its button
 */
function place(menu, at) {
  menu.style.top = `${at.bottom + 4}px`;
  if (menu.dataset.hang === "left") {
    const left = Math.min(at.left, innerWidth - menu.offsetWidth - MARGIN);
    menu.style.right = "auto";
    menu.style.left = `${Math.max(MARGIN, left)}px`;
  } else {
    menu.style.right = `${Math.max(MARGIN, innerWidth - at.right)}px`;
  }
}

/**
 * @param {HTMLElement} menu
 * @returns {HTMLElement | null}
 */
function first(menu) {
  return menu.querySelector("input, button, a");
}

/** @param {Element} element */
function isSeen(element) {
  return element.getClientRects().length > 0;
}

/** Every menu that the page was drawn with. */
export function hangMenus() {
  for (const menu of document.querySelectorAll(".menu[popover]")) {
    const button = document.querySelector(`[popovertarget="${menu.id}"]`);
    if (!(menu instanceof HTMLElement && button instanceof HTMLElement)) continue;
    hangMenu(menu, button);
    pressForButtons(menu);
  }
}
