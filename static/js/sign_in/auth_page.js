// Pages without the frame: language, theme, and the eye that shows a password.

import { nextTheme, otherLanguage, setLanguage, showTheme } from "../frame/appearance.js";
import { revealPasswords } from "../lib/form.js";

document.addEventListener("click", (event) => {
  const target = /** @type {Element} */ (event.target).closest("[data-action]");
  const action = /** @type {HTMLElement | null} */ (target)?.dataset.action;
  if (action === "language") setLanguage(otherLanguage());
  if (action === "theme") nextTheme();
});
showTheme();
revealPasswords();
