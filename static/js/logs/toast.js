// A short word about what was just done: seen for a moment, and read out.

import { byId, setText } from "../lib/dom.js";

const SEEN = 2_500; // ms

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {string} words */
export function say(words) {
  const element = byId("log-said");
  setText(element, words);
  element.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(() => (element.hidden = true), SEEN);
}
