// Menus hang under the button that opens them (popovers have no place of their own).

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
    const at = button.getBoundingClientRect();
    menu.style.top = `${at.bottom + 4}px`;
    menu.style.right = `${Math.max(8, innerWidth - at.right)}px`;
  });
  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const items = [...menu.querySelectorAll("a, button")].filter(isSeen);
    const at = items.indexOf(/** @type {Element} */ (document.activeElement));
    const next = items[(at + step + items.length) % items.length];
    if (next instanceof HTMLElement) next.focus();
  });
}

/** @param {Element} element */
function isSeen(element) {
  return element.getClientRects().length > 0;
}

for (const menu of document.querySelectorAll(".menu[popover]")) {
  const button = document.querySelector(`[popovertarget="${menu.id}"]`);
  if (menu instanceof HTMLElement && button instanceof HTMLElement) hangMenu(menu, button);
}
