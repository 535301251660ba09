// The shape of a state, and its word for those who cannot see it.

import { h, icon, setAttribute, setText } from "../lib/dom.js";
import { stateWord } from "./app_state.js";

/** @typedef {import("./app_state.js").Shown} Shown */

/**
 * @param {Shown} state
 * @returns {HTMLSpanElement}
 */
export function stateIcon(state) {
  const shape = icon(`state-${state}`, "state");
  const box = h("span", { class: "state-box" }, shape, h("span", { class: "quiet" }));
  showState(box, state);
  return box;
}

/**
 * @param {Element} box what stateIcon() made
 * @param {Shown} state
 */
export function showState(box, state) {
  const shape = /** @type {SVGElement} */ (box.firstElementChild);
  if (shape.dataset.state === state) return;
  shape.dataset.state = state;
  shape.querySelector("use")?.setAttribute("href", `#icon-state-${state}`);
  const word = stateWord(state);
  setText(/** @type {Element} */ (box.lastElementChild), word);
  setAttribute(box, "title", word);
}
