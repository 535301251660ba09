// One terminal on a page: bar, lines about what is the matter, screen, end. It can stand anywhere:
// `mountTerminal(element, {session})`.

import { Problem } from "../lib/api.js";
import { copyText } from "../lib/toast.js";
import { h } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { t } from "../lib/i18n.js";
import { attachFiles } from "./file_drop.js";
import { createTerminal, shellFolder, tabId } from "./terminal_api.js";
import { TerminalSocket } from "./terminal_socket.js";
import { EndPanel } from "./end_panel.js";
import { isShortcut, leavesTerminal } from "./key_presses.js";
import { LINK_KEY, targetOf } from "./links.js";
import { looksBusy, nameOfSession } from "./session_info.js";
import { preferences } from "./preferences.js";
import { ViewBar } from "./view_bar.js";
import { Screen } from "./screen.js";
import { SearchBar } from "./search_bar.js";
import { openShare } from "./share.js";
import { confirm } from "../lib/dialog.js";
import { TouchKeys } from "./touch_keys.js";
import { Banners } from "./banners.js";

/** @typedef {import("./terminal_socket.js").Ticket} Ticket */
/** @typedef {import("./terminal_socket.js").Said} Said */
/** @typedef {import("./terminal_api.js").TerminalRequest} TerminalRequest */
/**
 * What is to be shown: a `ticket` for a new terminal, or a `session` to come back to (with the
 * `key` of a link that somebody shared). `request`: what the ticket is for, to ask for it again.
 * `name`: what it is called until it says so itself.
 * `opens`: whether the reader may open new ones. `changed`: its session, name or phase did.
 * `leave`: where the keyboard goes; to the bar unless told. `key`: a key press of the page around;
 * true when it was used. `choose`: lets the reader choose what to open instead.
 *
 * @typedef {{
 *   ticket?: Ticket, session?: string, key?: string, request?: TerminalRequest, name?: string, opens?: boolean,
 *   focus?: boolean, changed?: (view: TerminalView) => void, bell?: () => void,
 *   leave?: () => void, onKey?: (event: KeyboardEvent) => boolean, choose?: () => void,
 * }} Options
 */

/** @param {HTMLElement} element @param {Options} options */
export const mountTerminal = (element, options) => new TerminalView(element, options);

export class TerminalView {
  /** @type {TerminalSocket} */
  socket;
  /** @type {Screen} */
  screen;
  title = "";
  #banners = new Banners();
  #bar;
  #search = new SearchBar(() => this.screen);
  #keys = new TouchKeys(() => this.screen);
  #end = new EndPanel();
  #holder = h("div", { class: "term-screen" });
  #link = h("div", { class: "term-link mono", hidden: true });
  /** What there is room for. */
  #room = { columns: 80, rows: 24 };
  /** What all share. */
  #size = this.#room;
  /** Ids of those whose window is the smallest. @type {number[]} */
  #smallest = [];
  #ticker;
  #closed = false;
  /** It is said that the image of a toolbox is on its way. */
  #pulling = false;
  /** It is said how far a paste has come. */
  #pasting = false;

  /**
   * @param {HTMLElement} element is filled
   * @param {Options} options
   */
  constructor(element, options) {
    this.options = options;
    this.#bar = new ViewBar({
      share: () => this.share(),
      take: () => this.socket.take(),
      find: () => this.#search.open(),
      end: () => void this.end(),
      copy: () => void this.#copy(),
      paste: () => void this.#paste(),
      all: () => void this.#copyAll(),
      clear: () => this.screen.clear(),
      full: () => void this.fullScreen(),
    });
    this.element = h(
      "section",
      { class: "term", "aria-label": t("Terminal") },
      this.#bar.element,
      this.#banners.element,
      this.#search.element,
      h("div", { class: "term-body" }, this.#holder, this.#link),
      this.#end.element,
      this.#keys.element,
    );
    element.replaceChildren(this.element);
    this.screen = this.#makeScreen();
    this.#size = this.#room = this.screen.room() ?? this.#room;
    this.screen.resize(this.#room.columns, this.#room.rows);
    this.socket = this.#connect(options);
    this.#ticker = setInterval(() => this.#banners.showAway(this.socket), 1000);
    preferences.addEventListener("change", this.#prefer);
    attachFiles(this);
    if (options.focus) this.focus();
  }

  // For the page around

  /** The id of its session, "" while there is none. */
  get id() {
    return this.socket.id;
  }

  get name() {
    return nameOfSession(this.socket.session) || this.options.name || t("Terminal");
  }

  /** Whether a program other than a waiting shell seems to be at work. */
  get busy() {
    return this.socket.phase === "attached" && looksBusy(this.screen.terminal);
  }

  /** The folder its shell is in now. */
  shellFolder() {
    return shellFolder(this.id);
  }

  focus() {
    (this.socket.over ? this.#end : this.screen).focus();
  }

  /** Puts a button into its bar. @param {HTMLElement} button */
  addTool(button) {
    this.#bar.add(button);
  }

  /** Puts an entry into its menu. @param {HTMLElement} entry with the class menu-item */
  addEntry(entry) {
    this.#bar.menu.append(entry);
  }

  /**
   * Shows a line under the bar; null takes it away.
   *
   * @param {string} name
   * @param {import("./banners.js").Banner | null} banner
   */
  setBanner(name, banner) {
    this.#banners.set(name, banner);
  }

  /** Leaves the session, which goes on on the server, and takes the view out of the page. */
  close() {
    this.#closed = true;
    clearInterval(this.#ticker);
    preferences.removeEventListener("change", this.#prefer);
    this.socket.close();
    this.screen.close();
    this.element.remove();
  }

  /** Ends the session; asks first when something runs in it. @returns {Promise<boolean>} whether it is ending */
  async end() {
    if (this.socket.phase !== "attached") return false;
    if (this.busy && !(await sureToEnd(this.name))) {
      this.focus();
      return false;
    }
    return this.socket.end();
  }

  share() {
    openShare(this.socket, () => this.focus());
  }

  async fullScreen() {
    if (document.fullscreenElement) await document.exitFullscreen();
    else {
      await this.element.requestFullscreen();
      await this.#lockKeys();
    }
    this.focus();
  }

  /** Editors need Escape, shells Ctrl+W: where the browser lets go of them, holding Escape leaves
   *  full screen, and it has its own keys again. */
  async #lockKeys() {
    const { keyboard } = /** @type {any} */ (navigator);
    const keys = preferences.fullKeys ? ["Escape", "KeyW", "KeyT", "KeyN"] : ["Escape"];
    await keyboard?.lock?.(keys).catch(() => {});
  }

  // The socket

  #makeScreen() {
    return new Screen(
      this.#holder,
      {
        input: (bytes) => this.#onInput(bytes),
        paste: (text) => this.#onPaste(text),
        title: (title) => this.#onTitle(title),
        bell: () => this.options.bell?.(),
        fits: (columns, rows) => this.#onRoom(columns, rows),
        found: (found) => this.#search.found(found),
        link: (address) => this.#showLink(address),
        mayAnswer: () => this.socket.mayAnswer,
        mayCopy: () => this.socket.mayCopy,
        drawsAgain: () => this.socket.drawsAgain,
        key: (event) => this.#onKey(event),
      },
      {
        fontSize: preferences.fontSize,
        screenReader: preferences.screenReader,
        optionIsMeta: preferences.optionIsMeta,
      },
    );
  }

  /** @param {{ticket?: Ticket, session?: string, key?: string}} entry */
  #connect(entry) {
    const socket = new TerminalSocket(entry, this.#room, tabId, {
      output: (bytes, drawn) => {
        if (this.#pulling) this.#pulled();
        this.screen.write(bytes, drawn);
      },
      reset: (restore, skipped) => this.#onReset(restore, skipped),
      resize: (columns, rows) => this.screen.resizeAfterAll(columns, rows),
      size: (columns, rows, by) => this.#onSize(columns, rows, by),
      changed: () => this.#show(),
      notice: (said) => {
        this.#banners.showNotice(said);
        this.#pulling ||= said.code === "pulling";
      },
      error: (said) => this.#banners.showError(said),
      input: () => this.#showInput(),
    });
    socket.addEventListener("state", () => {
      if (socket === this.socket) this.#show();
    });
    this.socket = socket;
    this.#end.hide();
    socket.start();
    return socket;
  }

  /** Opens another one in the place of this one. @param {Partial<TerminalRequest>} change */
  async #again(change) {
    const before = this.socket.session ?? this.options.request;
    if (!before) return;
    const { container, command, user, folder, kind } = before;
    const same = kind === "toolbox" ? { kind } : { command, user, folder };
    try {
      const ticket = await createTerminal({ container, ...same, ...change });
      if (this.#closed) return;
      this.#renew({ ticket });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.#end.fail(sentence(error));
    }
  }

  /** @param {{ticket?: Ticket, session?: string, key?: string}} entry */
  #renew(entry) {
    this.socket.close();
    this.#banners.clear();
    this.screen.reset();
    this.title = "";
    this.#connect(entry);
    this.#show();
    this.focus();
  }

  // What comes

  /**
   * @param {string} restore
   * @param {number} skipped bytes
   */
  #onReset(restore, skipped) {
    this.screen.reset(restore);
    if (!skipped) return;
    this.#banners.pass(
      "skipped",
      t("This page was too slow for all that was printed: a part is left out."),
    );
  }

  /**
   * @param {number} columns
   * @param {number} rows
   * @param {number[]} by
   */
  #onSize(columns, rows, by) {
    this.#size = { columns, rows };
    this.#smallest = by;
    this.#bar.showSize(this.socket, this.#room, this.#size, by);
  }

  /** @param {string} title */
  #onTitle(title) {
    this.title = title;
    this.#show();
  }

  /** The first output: what it came from is here. */
  #pulled() {
    this.#pulling = false;
    this.#banners.set("pulling", null);
  }

  // What is done

  /** @param {Uint8Array} bytes */
  #onInput(bytes) {
    const typed = this.#keys.with(bytes);
    const { socket } = this;
    const stops = typed.length === 1 && (typed[0] === 3 || typed[0] === 27);
    if (stops && socket.input.pasting) {
      socket.cancelPaste();
      if (typed[0] === 27) return;
    }
    if (socket.type(typed) || !socket.mayType) return;
    this.#banners.pass("held", t("No more keys can wait for the connection."));
  }

  /** @param {string} text */
  #onPaste(text) {
    this.socket.paste(text, this.screen.bracketed);
  }

  /**
   * @param {number} columns
   * @param {number} rows
   */
  #onRoom(columns, rows) {
    this.#room = { columns, rows };
    this.socket?.resize(columns, rows);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (leavesTerminal(event)) {
      if (this.options.leave) this.options.leave();
      else this.#bar.focus();
      return true;
    }
    if (isShortcut(event, "f")) {
      this.#search.open();
      return true;
    }
    // The screen hands on no keys where nobody may type.
    const { mode, phase } = this.socket;
    const types = event.key.length === 1 || event.key === "Enter";
    if (mode === "watch" && phase === "attached" && types) this.#banners.showReadOnly();
    return this.options.onKey?.(event) ?? false;
  }

  async #copy() {
    if (!(await this.screen.copy())) this.#banners.pass("copied", t("Nothing is selected"));
    this.focus();
  }

  async #copyAll() {
    const done = await copyText(this.screen.text());
    this.#banners.pass("copied", done ? t("Copied") : t("The browser does not let this page copy"));
    this.focus();
  }

  async #paste() {
    this.focus();
    try {
      this.screen.paste(await navigator.clipboard.readText());
    } catch {
      this.#banners.pass(
        "copied",
        t("The browser does not let this page paste: press Ctrl+Shift+V."),
      );
    }
  }

  #prefer = () => {
    this.screen.setFontSize(preferences.fontSize);
    this.screen.setScreenReader(preferences.screenReader);
    this.screen.setOptionIsMeta(preferences.optionIsMeta);
    if (document.fullscreenElement === this.element) void this.#lockKeys();
  };

  // What is shown

  #show() {
    const { socket } = this;
    const facts = [this.title, socket.session?.user].filter(Boolean).join(" · ");
    this.#bar.show(socket, { name: this.name, facts, opens: this.options.opens });
    this.#bar.showSize(socket, this.#room, this.#size, this.#smallest);
    this.element.setAttribute("aria-label", t("Terminal in {name}", { name: this.name }));
    this.element.dataset.phase = socket.phase;
    this.element.dataset.mode = socket.mode;
    this.screen.setReadOnly(socket.over);
    if (socket.over) this.#showEnd();
    this.#banners.showAway(socket);
    this.#showInput();
    this.options.changed?.(this);
  }

  #showEnd() {
    const { socket } = this;
    if (socket.phase === "closed") return;
    this.#banners.clear();
    this.#end.show(socket, {
      again:
        this.options.opens && (socket.session ?? this.options.request)
          ? (change) => void this.#again(change)
          : null,
      choose: this.options.opens ? this.options.choose : undefined,
      back: () => this.#renew({ session: socket.id, key: socket.key }),
    });
    if (this.element.contains(document.activeElement)) this.#end.focus();
  }

  /** After every key: there is a paste to be told of in few of them. */
  #showInput() {
    const { socket } = this;
    if (!socket.input.pasting && !this.#pasting) return;
    this.#pasting = socket.input.pasting !== null;
    this.#banners.showPaste(socket, () => {
      socket.cancelPaste();
      this.focus();
    });
  }

  /** @param {string | null} address */
  #showLink(address) {
    this.#link.hidden = !address;
    if (!address) return;
    const { host, address: whole } = targetOf(address);
    const says = host
      ? t("{key}+click opens a page of {host}:", { key: LINK_KEY, host })
      : t("This leads to no page and is not opened:");
    this.#link.replaceChildren(says, " ", h("span", { dir: "ltr" }, whole));
  }
}

/**
 * @param {string} name
 * @returns {Promise<boolean>}
 */
async function sureToEnd(name) {
  const chosen = await confirm(
    t("End this terminal?"),
    t("Something seems to run in {name}. Ending the terminal ends it, too.", { name }),
    { end: { verb: t("End it"), danger: true }, keep: { verb: t("Cancel") } },
  );
  return chosen === "end";
}
