// What a key press is called, and keys pressed one after the other. Pure, for its tests.

/**
 * The name of a key press, or "" when it is only a modifier or belongs to the browser or system.
 *
 * @param {Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">} event
 * @param {boolean} mac
 */
export function nameOf(event, mac) {
  const { key } = event;
  if (["Shift", "Control", "Alt", "Meta", "Dead", "Process"].includes(key)) return "";
  const mod = mac ? event.metaKey : event.ctrlKey;
  const other = mac ? event.ctrlKey : event.metaKey;
  if (event.altKey || other) return "";
  const name = key === " " ? "space" : key;
  return mod ? `mod+${name.toLowerCase()}` : name;
}

const WITHIN = 1_200; // ms between the keys of one sequence

/** Recognises "g l" from "g" and then "l". */
export class Sequence {
  #before = "";
  #at = -Infinity;

  /**
   * What the press completes among the known keys ("g l", "j"), "begun" when it starts one of
   * several, "" when it is none.
   *
   * @param {string} name
   * @param {number} at ms
   * @param {string[]} known
   */
  press(name, at, known) {
    const before = at - this.#at <= WITHIN ? this.#before : "";
    this.#before = "";
    const both = before ? `${before} ${name}` : name;
    for (const keys of before ? [both, name] : [name]) {
      if (known.includes(keys)) return keys;
      if (known.some((one) => one.startsWith(`${keys} `))) {
        this.#before = keys;
        this.#at = at;
        return "begun";
      }
    }
    return "";
  }
}
