// The last minute of an app's rate as a small line: whether it is steady, rising or coming in
// bursts is seen without reading a number.

const SVG = "http://www.w3.org/2000/svg";
const SECONDS = 60;
const WIDTH = 60;
const HEIGHT = 16;

/**
 * The points of a line through the values, the newest at the right, the highest at the top. Pure.
 *
 * @param {number[]} values
 * @param {number} width of all SECONDS values
 * @param {number} height
 */
export function points(values, width = WIDTH, height = HEIGHT) {
  const most = Math.max(...values, 1);
  const step = width / (SECONDS - 1);
  const start = width - (values.length - 1) * step;
  return values
    .map((value, at) => {
      const x = (start + at * step).toFixed(1);
      const y = (height - 1 - (value / most) * (height - 2)).toFixed(1);
      return `${x},${y}`;
    })
    .join(" ");
}

export class Sparkline {
  /** @type {number[]} */
  #values = [];
  #line = document.createElementNS(SVG, "polyline");

  constructor() {
    this.element = document.createElementNS(SVG, "svg");
    this.element.setAttribute("class", "spark");
    this.element.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.element.setAttribute("aria-hidden", "true");
    this.element.append(this.#line);
  }

  /** One second more. @param {number} rate */
  add(rate) {
    // An app that has said nothing for a minute has no line, and costs nothing.
    if (!rate && this.#values.every((value) => value === 0)) {
      if (this.#values.length) {
        this.#values = [];
        this.#line.removeAttribute("points");
      }
      return;
    }
    this.#values.push(rate);
    if (this.#values.length > SECONDS) this.#values.shift();
    this.#line.setAttribute("points", points(this.#values));
  }
}
