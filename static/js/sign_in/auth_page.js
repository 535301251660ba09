// Pages without the frame: language, theme, and the eye that shows a password.

import { otherLanguage, setLanguage } from "../frame/language.js";
import "../lib/password_reveal.js";
import { nextTheme, showTheme } from "../frame/theme.js";

document.addEventListener("click", (event) => {
  const target = /** @type {Element} */ (event.target).closest("[data-action]");
  const action = /** @type {HTMLElement | null} */ (target)?.dataset.action;
  if (action === "language") setLanguage(otherLanguage());
  if (action === "theme") nextTheme();
});
showTheme();
