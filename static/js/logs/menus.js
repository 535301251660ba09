// The menus of the tool bar: popovers that hang under their buttons, wherever those stand.

const MARGIN = 8; // px to the edge of the window

/** Makes every menu of the log page open in place and say whether it is open. */
export function placeMenus() {
  for (const element of document.querySelectorAll("#log .menu[popover]")) {
    const menu = /** @type {HTMLElement} */ (element);
    const button = document.querySelector(`[popovertarget="${menu.id}"]`);
    if (!(button instanceof HTMLElement)) continue;
    button.setAttribute("aria-expanded", "false");
    menu.addEventListener("toggle", (event) => {
      const open = /** @type {ToggleEvent} */ (event).newState === "open";
      button.setAttribute("aria-expanded", String(open));
      if (open) place(menu, button);
    });
  }
}

/**
 * @param {HTMLElement} menu
 * @param {HTMLElement} button
 */
function place(menu, button) {
  const at = button.getBoundingClientRect();
  const left = Math.min(at.left, innerWidth - menu.offsetWidth - MARGIN);
  menu.style.top = `${at.bottom + 4}px`;
  menu.style.right = "auto";
  menu.style.left = `${Math.max(MARGIN, left)}px`;
  const first = menu.querySelector("input, button, a");
  if (first instanceof HTMLElement) first.focus();
}
