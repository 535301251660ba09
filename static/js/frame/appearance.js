// How the page looks and speaks: light, dark or as the system says; Chinese or English. The server
// draws the page with both, from cookies.

import { lang, t } from "../lib/i18n.js";
import { setCookie } from "../lib/storage.js";

/** @typedef {"system" | "light" | "dark"} Theme */

/** @type {Theme[]} */
const ORDER = ["system", "light", "dark"];
const root = document.documentElement;

/** @returns {Theme} */
export function theme() {
  return /** @type {Theme} */ (root.dataset.theme) ?? "system";
}

/** @param {Theme} name */
export function setTheme(name) {
  if (name === "system") delete root.dataset.theme;
  else root.dataset.theme = name;
  setCookie("theme", name);
  showTheme();
}

export function nextTheme() {
  setTheme(ORDER[(ORDER.indexOf(theme()) + 1) % ORDER.length]);
}

/** @param {Theme} name */
function themeName(name) {
  return { system: t("Theme: system"), light: t("Theme: light"), dark: t("Theme: dark") }[name];
}

/** Makes every control of the theme on the page show the current one. */
export function showTheme() {
  const name = theme();
  for (const button of document.querySelectorAll('[data-action="theme"]')) {
    button.querySelector("use")?.setAttribute("href", `#icon-theme-${name}`);
    const label = button.querySelector("[data-theme-name]");
    if (label) label.textContent = themeName(name);
    else {
      button.setAttribute("aria-label", themeName(name));
      button.setAttribute("title", themeName(name));
    }
  }
  for (const choice of document.querySelectorAll('input[name="theme"]')) {
    const input = /** @type {HTMLInputElement} */ (choice);
    input.checked = input.value === name;
  }
}

export function otherLanguage() {
  return lang === "zh" ? "en" : "zh";
}

/** @param {string} language "en" or "zh" */
export function setLanguage(language) {
  setCookie("lang", language);
  location.reload();
}
