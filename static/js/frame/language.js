// The two languages of the pages. The server draws the page with the one in the cookie.

import { lang } from "../lib/i18n.js";
import { setCookie } from "../lib/storage.js";

export function otherLanguage() {
  return lang === "zh" ? "en" : "zh";
}

/** @param {string} language "en" or "zh" */
export function setLanguage(language) {
  setCookie("lang", language);
  location.reload();
}
