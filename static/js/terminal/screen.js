// A terminal's screen: xterm.js with its addons, in an element that it fills. It knows nothing of
// sockets; the live terminal, the panel beside the log and the replay all draw with it.

import { copyText } from "../lib/toast.js";
import { throttle } from "../lib/throttle.js";
import { openLink } from "./links.js";
import { guardOutput } from "./output_guard.js";
import { followTheme, matchColours, terminalColours } from "./colours.js";
import { isShortcut, mac } from "./key_presses.js";
import { BufferSearch } from "./buffer_search.js";
import { DrawQueue } from "./draw_queue.js";
import { Renderer } from "./renderer.js";
import { keepStylesOutOfThePage } from "./csp_styles.js";
import { sendReplacements } from "./replaced_text.js";
import { FitAddon, Terminal, UnicodeGraphemesAddon, WebLinksAddon } from "./xterm.js";

/**
 * `input`: what was typed, as bytes. `paste`: text to be pasted. `title`, `bell`.
 * `fits`: how many columns and rows there is room for, now and whenever that changes.
 * `found`: which match of how many is shown, whenever that changes.
 * `link`: a pointer is over a link, null when it has left it. `mayAnswer`, `mayCopy`: see
 * output_guard.js; without them nothing is. `drawsAgain`: what is drawn was drawn before: of its
 * titles only the last one is told.
 * `key`: a key press; true when it was for the page and not for the terminal.
 *
 * @typedef {{
 *   input?: (data: Uint8Array) => void,
 *   paste?: (text: string) => void,
 *   title?: (title: string) => void,
 *   bell?: () => void,
 *   fits?: (columns: number, rows: number) => void,
 *   found?: (found: Found) => void,
 *   link?: (address: string | null) => void,
 *   mayAnswer?: () => boolean,
 *   mayCopy?: () => boolean,
 *   drawsAgain?: () => boolean,
 *   key?: (event: KeyboardEvent) => boolean,
 * }} Handlers
 */

/** @typedef {import("./buffer_search.js").SearchOptions} SearchOptions */
/** @typedef {import("./buffer_search.js").Found} Found */

const SCROLLBACK = 10_000; // lines; about what the server's 1 MiB of output holds
const TITLE_EVERY = 250; // ms between two titles that are shown
const COPY_EVERY = 250; // ms between two copies of a program
const encoder = new TextEncoder();
keepStylesOutOfThePage();

export class Screen {
  /** @type {Terminal} */
  terminal;
  #fit = new FitAddon();
  #search;
  #following;
  #observer;
  #queue;
  /** Of what is drawn again. @type {string | null} */
  #lastTitle = null;
  #renderer;
  #showTitle = throttle(TITLE_EVERY, (/** @type {string} */ title) => this.handlers.title?.(title));
  #copyFor = throttle(COPY_EVERY, (/** @type {string} */ text) => void copyText(text));

  /**
   * @param {HTMLElement} element is filled; its size decides what fits
   * @param {Handlers} [handlers]
   * @param {{fontSize?: number, screenReader?: boolean, optionIsMeta?: boolean, readOnly?: boolean, columns?: number, rows?: number}} [options]
   */
  constructor(element, handlers = {}, options = {}) {
    this.element = element;
    this.handlers = handlers;
    const terminal = new Terminal({
      allowProposedApi: true, // for unicode versions and for marks of what is found
      cols: options.columns ?? 80,
      rows: options.rows ?? 24,
      fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--mono").trim(),
      fontSize: options.fontSize ?? 14,
      lineHeight: 1.15,
      cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      disableStdin: options.readOnly ?? false,
      screenReaderMode: options.screenReader ?? false,
      minimumContrastRatio: 4.5,
      // With Option many layouts write brackets, braces, pipes and at signs.
      macOptionIsMeta: options.optionIsMeta ?? false,
      // A program that uses the mouse gets it; with Option (elsewhere Shift) one selects.
      macOptionClickForcesSelection: true,
      rightClickSelectsWord: false,
      scrollback: SCROLLBACK,
      theme: terminalColours(),
      overviewRuler: { width: 12 },
      linkHandler: {
        activate: (event, address) => void openLink(event, address, false),
        hover: (_event, address) => this.#hover(address),
        leave: () => this.#hover(null),
      },
    });
    this.terminal = terminal;
    this.#queue = new DrawQueue(terminal, (columns, rows) => this.resize(columns, rows));
    this.#renderer = new Renderer(terminal, () => this.#measure());
    this.#search = new BufferSearch(terminal, (found) => handlers.found?.(found));
    this.#load();
    guardOutput(terminal, {
      mayAnswer: () => handlers.mayAnswer?.() ?? false,
      // A program may copy, as editors do over ssh.
      mayCopy: () => handlers.mayCopy?.() ?? false,
      title: (title) => this.#onTitle(title),
      copy: this.#copyFor,
    });
    terminal.open(element);
    this.#listen();
    this.#following = followTheme(() => this.#theme({}));
    this.#observer = new ResizeObserver(() => this.#resized());
    this.#observer.observe(element);
    // For programs that look at the page from outside, whichever renderer is at work.
    Object.assign(element, { screen: this });
  }

  #load() {
    const { terminal } = this;
    terminal.loadAddon(this.#fit);
    // Graphemes rather than the tables of Unicode 11: a family of emoji or a flag is one picture of
    // two cells, as people see it, and CJK is as wide as with the tables.
    terminal.loadAddon(new UnicodeGraphemesAddon());
    terminal.loadAddon(
      new WebLinksAddon((event, address) => void openLink(event, address, true), {
        hover: (_event, address) => this.#hover(address),
        leave: () => this.#hover(null),
      }),
    );
  }

  #listen() {
    const { terminal, handlers, element } = this;
    terminal.onData((text) => handlers.input?.(encoder.encode(text)));
    terminal.onBinary((text) =>
      handlers.input?.(Uint8Array.from(text, (char) => char.charCodeAt(0))),
    );
    terminal.onBell(() => handlers.bell?.());
    if (terminal.textarea)
      sendReplacements(terminal.textarea, (text) => terminal.input(text, true));
    terminal.attachCustomKeyEventHandler((event) => this.#onKey(event));
    // Before xterm.js, which would hand on a hundred megabytes as one key press.
    element.addEventListener("paste", (event) => this.#onPaste(event), true);
  }

  /**
   * @param {KeyboardEvent} event
   * @returns {boolean} whether the terminal gets it
   */
  #onKey(event) {
    if (event.type !== "keydown") return true;
    if (!mac && isShortcut(event, "c")) {
      event.preventDefault();
      void this.copy();
      return false;
    }
    // The browser pastes by itself, without asking its reader for leave.
    if (!mac && isShortcut(event, "v")) return false;
    if (event.shiftKey && event.key === "Insert") return false;
    if (this.handlers.key?.(event)) {
      event.preventDefault();
      event.stopPropagation();
      return false;
    }
    return true;
  }

  /** @param {ClipboardEvent} event */
  #onPaste(event) {
    const text = event.clipboardData?.getData("text/plain");
    event.stopPropagation();
    event.preventDefault();
    if (text) this.paste(text);
  }

  /** Hands on text as a paste: line ends as Enter sends them, in brackets where the program wants that. @param {string} text */
  paste(text) {
    if (this.terminal.options.disableStdin) return;
    this.terminal.scrollToBottom();
    this.handlers.paste?.(text);
  }

  /** Whether the program in the terminal wants pastes between brackets. */
  get bracketed() {
    return this.terminal.modes.bracketedPasteMode;
  }

  /** Whether somebody may type here. @param {boolean} readOnly */
  setReadOnly(readOnly) {
    this.terminal.options.disableStdin = readOnly;
  }

  // Drawing

  /**
   * Draws output, in the order of calls.
   *
   * @param {string | Uint8Array} data UTF-8; a character may be cut in two between calls
   * @param {() => void} [drawn] called once it has been parsed
   */
  write(data, drawn) {
    this.#queue.write(data, () => {
      drawn?.();
      if (this.#lastTitle !== null) this.#onTitle(this.#lastTitle);
    });
  }

  /** Pieces of output that were handed over and are not drawn yet. */
  get drawing() {
    return this.#queue.length;
  }

  /**
   * Sizes it once all is drawn that was written before; what is written later is drawn in that size.
   *
   * @param {number} columns
   * @param {number} rows
   */
  resizeAfterAll(columns, rows) {
    this.#queue.resize(columns, rows);
  }

  /**
   * Clears everything, also what has scrolled away, after what was written before.
   *
   * @param {string} [restore] sequences that bring back the modes of a program that runs
   */
  reset(restore = "") {
    this.write(`\x1bc${restore}`);
  }

  /** Takes what has scrolled away, and all but the line of the cursor. */
  clear() {
    this.terminal.clear();
  }

  /**
   * @param {number} columns
   * @param {number} rows
   */
  resize(columns, rows) {
    const { terminal } = this;
    if (terminal.cols === columns && terminal.rows === rows) return;
    terminal.resize(columns, rows);
  }

  /** How many columns and rows there is room for, null while it cannot be seen. */
  room() {
    if (!this.element.clientWidth || !this.element.clientHeight) return null;
    const found = this.#fit.proposeDimensions();
    if (!found || !(found.cols > 0) || !(found.rows > 0)) return null;
    return { columns: Math.min(found.cols, 1000), rows: Math.min(found.rows, 500) };
  }

  #resized() {
    this.#renderer.show(this.room() !== null);
    this.#measure();
  }

  /** Whoever draws rounds the width of a letter in a way of its own: there may be room for more. */
  #measure() {
    const room = this.room();
    if (room) this.handlers.fits?.(room.columns, room.rows);
  }

  /** "webgl" or "dom": who draws it. */
  get renderer() {
    return this.#renderer.name;
  }

  /** @param {import("./colours.js").Theme} change */
  #theme(change) {
    this.terminal.options.theme = { ...terminalColours(), ...change };
  }

  // Settings

  get fontSize() {
    return this.terminal.options.fontSize ?? 14;
  }

  /** @param {number} size px */
  setFontSize(size) {
    this.terminal.options.fontSize = size;
    this.#resized();
  }

  /** @param {boolean} on */
  setScreenReader(on) {
    this.terminal.options.screenReaderMode = on;
  }

  /** Whether Option is Meta on a Mac. @param {boolean} on */
  setOptionIsMeta(on) {
    this.terminal.options.macOptionIsMeta = on;
  }

  // Finding and copying

  /**
   * Goes to the next place that holds the text; the handler `found` is told how many there are. Never
   * holds up the page.
   *
   * @param {string} text
   * @param {SearchOptions} [options]
   */
  find(text, options = {}) {
    if (!text) return this.stopFinding();
    // The match one is at is selected, too, and a selection is drawn over all else.
    this.#theme({ selectionInactiveBackground: matchColours().activeMatchBackground });
    this.#search.find(text, options);
  }

  stopFinding() {
    this.#theme({});
    this.#search.stop();
    this.terminal.clearSelection();
  }

  /** Puts what is selected into the clipboard. @returns {Promise<boolean>} whether there was something */
  async copy() {
    const text = this.terminal.getSelection();
    return text ? copyText(text) : false;
  }

  /** All that is kept, as text. */
  text() {
    const buffer = this.terminal.buffer.active;
    const lines = [];
    for (let y = 0; y < buffer.length; y++) {
      const line = buffer.getLine(y);
      const text = line?.translateToString(!buffer.getLine(y + 1)?.isWrapped) ?? "";
      if (line?.isWrapped && lines.length) lines[lines.length - 1] += text;
      else lines.push(text);
    }
    return lines.join("\n").trimEnd();
  }

  focus() {
    this.terminal.focus();
  }

  blur() {
    this.terminal.blur();
  }

  /** @param {string} title */
  #onTitle(title) {
    const again = this.handlers.drawsAgain?.() ?? false;
    this.#lastTitle = again ? title : null;
    if (!again) this.#showTitle(title);
  }

  /** @param {string | null} address */
  #hover(address) {
    this.handlers.link?.(address);
  }

  /** Takes it out of the page. */
  close() {
    this.#showTitle.cancel();
    this.#copyFor.cancel();
    this.#search.close();
    this.#observer.disconnect();
    this.#following();
    this.#renderer.show(false);
    this.terminal.dispose();
  }
}
