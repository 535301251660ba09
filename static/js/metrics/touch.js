// Fingers on a chart: one moves the crosshair, a tap picks a moment, two mark what is between them.
// Moving up or down goes on scrolling the page.

/**
 * @typedef {object} Touched positions in px from the left of the window
 * @property {(x: number) => void} move
 * @property {(x: number) => void} tap
 * @property {(a: number, b: number) => void} mark
 */

const TAP = 300; // ms
const NEAR = 10; // px

/**
 * @param {HTMLElement} over
 * @param {Touched} touched
 */
export function bindTouch(over, { move, tap, mark }) {
  /** By pointer, where it is now. @type {Map<number, number>} */
  const fingers = new Map();
  /** Where the two were last. @type {[number, number] | null} */
  let between = null;
  let begun = { at: 0, x: 0 };
  over.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch") return;
    over.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, event.clientX);
    if (fingers.size === 1) {
      begun = { at: event.timeStamp, x: event.clientX };
      move(event.clientX);
    }
  });
  over.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, event.clientX);
    const [a, b] = fingers.values();
    if (fingers.size === 2) between = [a, b];
    else if (fingers.size === 1 && !between) move(event.clientX);
  });
  over.addEventListener("pointerup", (event) => {
    if (!fingers.delete(event.pointerId) || fingers.size) return;
    const still = Math.abs(event.clientX - begun.x) < NEAR && event.timeStamp - begun.at < TAP;
    if (between) mark(...between);
    else if (still) tap(event.clientX);
    between = null;
  });
  over.addEventListener("pointercancel", (event) => {
    fingers.delete(event.pointerId);
    if (!fingers.size) between = null;
  });
}
