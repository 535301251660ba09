// Names where there is little room: what is cut is their middle, since names that begin alike differ
// at their ends.

import { h } from "./dom.js";

const TAIL = 12; // characters at the end that are never cut

/**
 * A name in an element that cuts it where it has no room. Whoever does not see it is told all of it.
 *
 * @param {string} name
 * @param {string} [className]
 */
export function nameElement(name, className = "") {
  if (name.length <= 2 * TAIL) return h("span", { class: `cut ${className}`.trim() }, name);
  return h(
    "span",
    { class: `cut-middle ${className}`.trim() },
    h("span", { class: "quiet" }, name),
    h("span", { class: "cut", "aria-hidden": "true" }, name.slice(0, -TAIL)),
    h("span", { "aria-hidden": "true" }, name.slice(-TAIL)),
  );
}

/**
 * A name in so many characters at most: of what is left out, and of its beginning, less than of its end.
 *
 * @param {string} name
 * @param {number} most
 */
export function shortName(name, most) {
  const all = [...name];
  if (all.length <= most) return name;
  const head = Math.floor((most - 1) / 3);
  return `${all.slice(0, head).join("")}…${all.slice(all.length - (most - 1 - head)).join("")}`;
}
