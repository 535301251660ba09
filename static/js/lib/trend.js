// Five minutes of a number as a small line. Where it was not measured there is no line.

import { setAttribute } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 58;
const HEIGHT = 16;

/**
 * The path of a line through the values, the newest at the right, the highest at the top. Pure.
 *
 * @param {(number | null)[]} values
 * @param {number} [least] the highest is at least this: what is next to nothing is not drawn large
 */
export function trendPath(values, least = 0) {
  const most = Math.max(least, ...values.map((value) => value ?? 0)) || 1;
  const step = WIDTH / Math.max(1, values.length - 1);
  let path = "";
  let open = false;
  values.forEach((value, at) => {
    if (value === null) {
      open = false;
      return;
    }
    const x = (at * step).toFixed(1);
    const y = (HEIGHT - 1 - (value / most) * (HEIGHT - 2)).toFixed(1);
    // A single value has no length: a dot is drawn of it.
    const alone = !open && (values[at + 1] ?? null) === null;
    path += `${open ? "L" : "M"}${x} ${y}${alone ? "h.1" : ""}`;
    open = true;
  });
  return path;
}

export class Trend {
  #path = document.createElementNS(SVG, "path");

  /** @param {number} [least] see trendPath */
  constructor(least = 0) {
    this.least = least;
    this.element = document.createElementNS(SVG, "svg");
    this.element.setAttribute("class", "spark trend");
    this.element.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.element.setAttribute("preserveAspectRatio", "none");
    this.element.setAttribute("aria-hidden", "true");
    this.element.append(this.#path);
  }

  /** @param {(number | null)[]} values */
  draw(values) {
    setAttribute(this.#path, "d", trendPath(values, this.least) || null);
  }
}
