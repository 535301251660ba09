// A short word over the page: about what was just done, seen for a moment and read out; or about
// what is under way, until it is over. And copying, which is done out of sight and so has to say it.

import { setText } from "./dom.js";
import { t } from "./i18n.js";

/**
 * Puts text into the clipboard, also where a page has none.
 *
 * @param {string} text
 * @returns {Promise<boolean>} false where the browser does not allow it
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Over plain HTTP a page has no clipboard; the older way still works.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "quiet";
    // Inside of an open dialog: nothing outside of it can have the focus.
    (document.querySelector("dialog:modal") ?? document.body).append(area);
    const focused = document.activeElement;
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
    return copied;
  }
}

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
