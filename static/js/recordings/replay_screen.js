// The screen a recording is played on: as many columns and rows as were recorded, in letters as
// large as there is room for.

import { Screen } from "../terminal/screen.js";
import { SerializeAddon } from "./serialize.js";

/** @typedef {import("./player.js").Sink} Sink */

const LETTERS = { least: 4, most: 18 }; // px
const KEPT = 1_000; // lines of what has scrolled away that a keyframe keeps

/** @implements {Sink} */
export class ReplayScreen {
  #serialize = new SerializeAddon();
  #fitting = false;

  /**
   * @param {HTMLElement} box what room there is
   * @param {HTMLElement} element holds the screen
   */
  constructor(box, element) {
    this.box = box;
    this.screen = new Screen(element, {}, { readOnly: true });
    const { terminal } = this.screen;
    terminal.options.cursorBlink = false;
    terminal.loadAddon(this.#serialize);
    // Nobody types here: the keys are the player's. What is selected can still be copied.
    const field = terminal.textarea;
    if (field) {
      field.tabIndex = -1;
      field.addEventListener("focus", () => field.blur());
    }
    document.addEventListener("copy", (event) => this.#copy(event));
    new ResizeObserver(() => this.fit()).observe(box);
  }

  /** @param {ClipboardEvent} event */
  #copy(event) {
    const text = this.screen.terminal.getSelection();
    if (!text || getSelection()?.isCollapsed === false) return;
    event.clipboardData?.setData("text/plain", text);
    event.preventDefault();
  }

  /**
   * @param {number} columns
   * @param {number} rows
   */
  reset(columns, rows) {
    this.screen.terminal.reset();
    this.resize(columns, rows);
  }

  /**
   * @param {number} columns
   * @param {number} rows
   */
  resize(columns, rows) {
    this.screen.resize(columns, rows);
    this.fit();
  }

  /** @param {string} text */
  write(text) {
    return /** @type {Promise<void>} */ (
      new Promise((resolve) => this.screen.write(text, () => resolve()))
    );
  }

  /**
   * Out of sight xterm.js only reads and draws nothing: a long way is a fraction of the time.
   * @param {boolean} on
   */
  away(on) {
    this.screen.element.classList.toggle("replay-away", on);
  }

  /** Goes to the last place where a text is seen. @param {string} text */
  find(text) {
    this.screen.find(text, { back: true, once: true });
  }

  keep() {
    return this.#serialize.serialize({ scrollback: KEPT });
  }

  /** Letters as large as the recorded size leaves room for. */
  fit() {
    if (this.#fitting) return;
    this.#fitting = true;
    // After xterm.js has measured its letters, once for many sizes in a row.
    requestAnimationFrame(() => {
      this.#fitting = false;
      const drawn = this.screen.element.querySelector(".xterm-screen");
      if (!drawn?.clientWidth || !this.box.clientWidth) return;
      const { fontSize } = this.screen;
      const room = { width: this.box.clientWidth - 24, height: this.box.clientHeight - 16 };
      const scale = Math.min(room.width / drawn.clientWidth, room.height / drawn.clientHeight);
      const wanted = Math.floor(fontSize * scale * 2) / 2;
      const size = Math.max(LETTERS.least, Math.min(LETTERS.most, wanted));
      if (size === fontSize) return;
      this.screen.setFontSize(size);
      // Cells are whole pixels: what fits by arithmetic may be one pixel too wide.
      if (size < fontSize || scale > 1.05) this.fit();
    });
  }
}
