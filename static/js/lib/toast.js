// A short word over the page: about what was just done, seen for a moment and read out; or about
// what is under way, until it is over.

import { copyText } from "./clipboard.js";
import { setText } from "./dom.js";
import { t } from "./i18n.js";

const SEEN = 2_500; // ms

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/**
 * @param {string} words "" takes away what is there
 * @param {{stays?: boolean}} [how] `stays`: until something else is said
 */
export function toast(words, { stays = false } = {}) {
  const box = document.querySelector(".toast");
  if (!(box instanceof HTMLElement)) throw new Error("the page has no .toast");
  clearTimeout(timer);
  setText(box, words);
  box.hidden = !words;
  if (words && !stays) timer = setTimeout(() => (box.hidden = true), SEEN);
}

/**
 * Copies, and says whether it was allowed to.
 *
 * @param {string} text
 * @param {string} done what to say when it is copied
 */
export async function copyAndSay(text, done) {
  toast((await copyText(text)) ? done : t("The browser does not let this page copy"));
}
