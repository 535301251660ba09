// Keys that a telephone's keyboard does not have.

import { h } from "../lib/dom.js";
import { t } from "../lib/i18n.js";

/** @typedef {import("./screen.js").Screen} Screen */

export class TouchKeys {
  #ctrl = this.#key("Ctrl", () => this.#setHeld(!this.#held));
  #held = false;
  element = h(
    "div",
    { class: "term-keys", role: "group", "aria-label": t("Keys") },
    this.#key("Esc", () => this.#press("\x1b")),
    this.#key("Tab", () => this.#press("\t")),
    this.#ctrl,
    this.#key("←", () => this.#arrow("D"), t("Left")),
    this.#key("↑", () => this.#arrow("A"), t("Up")),
    this.#key("↓", () => this.#arrow("B"), t("Down")),
    this.#key("→", () => this.#arrow("C"), t("Right")),
    ...["|", "/", "-", "~"].map((sign) => this.#key(sign, () => this.#press(sign))),
  );

  /** @param {() => Screen} screen */
  constructor(screen) {
    this.screen = screen;
    this.#ctrl.setAttribute("aria-pressed", "false");
  }

  /**
   * What was typed, with the Ctrl that is held: then `c` is ^C.
   *
   * @param {Uint8Array} bytes
   */
  with(bytes) {
    if (!this.#held || bytes.length !== 1) return bytes;
    this.#setHeld(false);
    const [code] = bytes;
    return code >= 0x3f && code < 0x7f
      ? new Uint8Array([code === 0x3f ? 0x7f : code & 0x1f])
      : bytes;
  }

  /** @param {boolean} held */
  #setHeld(held) {
    this.#held = held;
    this.#ctrl.ariaPressed = String(held);
    this.screen().focus();
  }

  /** @param {string} text */
  #press(text) {
    this.screen().terminal.input(text, true);
    this.screen().focus();
  }

  /** @param {string} letter */
  #arrow(letter) {
    const { applicationCursorKeysMode } = this.screen().terminal.modes;
    this.#press(`\x1b${applicationCursorKeysMode ? "O" : "["}${letter}`);
  }

  /**
   * @param {string} label
   * @param {() => void} run
   * @param {string} [name]
   */
  #key(label, run, name) {
    const button = h("button", { class: "term-key", type: "button", "aria-label": name }, label);
    // The keyboard on the screen stays open only while the terminal keeps the focus.
    button.addEventListener("pointerdown", (event) => event.preventDefault());
    button.addEventListener("click", run);
    return button;
  }
}
