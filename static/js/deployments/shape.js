// The shape that says a state without its colour, and the word that says it to a screen reader.

import { h, icon, setAttribute, setText } from "../lib/dom.js";

/**
 * @param {string} name of templates/icons.svg, without "state-"
 * @param {string} [word]
 * @returns {HTMLSpanElement}
 */
export function shape(name, word = "") {
  const box = h("span", { class: "state-box" }, icon(`state-${name}`, "state"), h("span", null));
  /** @type {Element} */ (box.lastElementChild).className = "quiet";
  turnShape(box, name, word);
  return box;
}

/**
 * @param {Element} box what shape() made
 * @param {string} name
 * @param {string} word
 */
export function turnShape(box, name, word) {
  const drawn = /** @type {SVGElement} */ (box.firstElementChild);
  setAttribute(drawn, "data-state", name);
  const use = /** @type {Element} */ (drawn.querySelector("use"));
  setAttribute(use, "href", `#icon-state-${name}`);
  setText(/** @type {Element} */ (box.lastElementChild), word);
  setAttribute(box, "title", word || null);
}
