// The terminal in the panel of the log page: one at a time, of an instance of that app.

import { recallInTab, rememberInTab } from "../lib/storage.js";
import { Problem } from "../lib/api.js";
import { h, icon } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { inventory } from "../live/inventory.js";
import { bindTerminalKeys } from "./keys.js";
import { OpenForm } from "./open_form.js";
import { createTerminal } from "./terminal_api.js";
import { mountTerminal } from "./view.js";

/** @typedef {import("./terminal_api.js").TerminalRequest} TerminalRequest */
/** @typedef {import("./view.js").TerminalView} TerminalView */
/** @typedef {import("./view.js").Options} Options */

/**
 * The styles of a terminal: the log page does without them until there is one.
 *
 * @param {string} href
 */
function loadStyles(href) {
  if (document.querySelector(`link[href="${href}"]`)) return undefined;
  const link = h("link", { rel: "stylesheet", href });
  document.head.append(link);
  // One that does not come must not keep the terminal away.
  return new Promise((done) => (link.onload = link.onerror = done));
}

let keysBound = false;

export class PanelTerminal {
  /** @type {TerminalView | null} */
  #view = null;
  #form;
  #closed = false;

  /**
   * @param {HTMLElement} box
   * @param {string} app
   * @param {{tools: () => HTMLElement[], leave: () => void, close: () => void}} page
   */
  constructor(box, app, page) {
    this.box = box;
    this.app = app;
    this.page = page;
    this.#form = new OpenForm(app, {
      open: (request, name) => this.#open(request, name),
      back: (one) => this.#mount({ session: one.id, name: one.name, focus: true }),
      shown: () => (this.#view ? [this.#view.id] : []),
      recording: box.dataset.recording === "yes",
    });
    if (!keysBound) bindTerminalKeys(false);
    keysBound = true;
  }

  /**
   * Comes back to the one that was here; else opens one where it is clear in which instance.
   *
   * @param {string} container the instance whose lines are shown, "" for all
   * @param {boolean} focus
   */
  async start(container, focus) {
    await loadStyles(this.box.dataset.styles ?? "");
    if (this.#closed) return;
    const session = this.#remembered;
    if (session) return this.#mount({ session, focus });
    const running = (inventory.apps.get(this.app)?.instances ?? []).filter(
      (one) => one.state === "running",
    );
    const wanted = container
      ? running.find((one) => one.id.startsWith(container))
      : running.length === 1
        ? running[0]
        : undefined;
    if (!wanted || !focus) return this.#showForm(focus);
    try {
      await this.#open({ container: wanted.id }, wanted.name);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.#showForm(focus);
      this.#form.fail(error);
    }
  }

  focus() {
    if (this.#view) this.#view.focus();
    else this.#form.focus();
  }

  close() {
    this.#closed = true;
    this.#view?.close();
    this.#view = null;
  }

  /**
   * @param {TerminalRequest} request
   * @param {string} name
   */
  async #open(request, name) {
    const ticket = await createTerminal(request);
    if (!this.#closed) this.#mount({ ticket, request, name, focus: true });
  }

  /** @param {Options} options */
  #mount(options) {
    this.#view?.close();
    const place = h("div", { class: "log-panel-terminal" });
    this.box.replaceChildren(place);
    const view = mountTerminal(place, {
      ...options,
      opens: true,
      changed: (one) => this.#onChanged(one),
      leave: this.page.leave,
      onKey: (event) => this.#onKey(event),
      choose: () => this.#showForm(true),
    });
    this.#view = view;
    view.addTool(h("span", { class: "log-panel-tools" }, this.#another(), ...this.page.tools()));
    this.#onChanged(view);
  }

  #another() {
    const label = t("Another terminal");
    return h(
      "button",
      {
        class: "tool",
        type: "button",
        "aria-label": label,
        title: label,
        onclick: () => this.#showForm(true),
      },
      icon("plus"),
    );
  }

  /** What was here goes on, and is in the list of the form. @param {boolean} focus */
  #showForm(focus) {
    this.#view?.close();
    this.#view = null;
    this.#remembered = "";
    const head = h(
      "div",
      { class: "log-panel-head" },
      h("span", null, t("Terminal")),
      h("span", { class: "log-panel-tools" }, ...this.page.tools()),
    );
    this.box.replaceChildren(head, h("div", { class: "log-panel-form" }, this.#form.element));
    this.#form.show();
    void this.#form.load();
    if (focus) this.#form.focus();
  }

  /** @param {TerminalView} view */
  #onChanged(view) {
    if (this.#closed || (this.#view && view !== this.#view)) return;
    this.#remembered = view.socket?.over ? "" : view.id;
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (!event.ctrlKey || event.key !== "`") return false;
    this.page.close();
    return true;
  }

  get #key() {
    return `terminal-panel:${this.app}`;
  }

  get #remembered() {
    return recallInTab(this.#key) ?? "";
  }

  set #remembered(id) {
    rememberInTab(this.#key, id || null);
  }
}
