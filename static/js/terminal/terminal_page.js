// The terminals of an app: several in tabs, remembered by this browser tab, so that a reload comes
// back to the same shells. The address names the one that is looked at.

import { recallInTab, rememberInTab } from "../lib/storage.js";
import "../frame/frame.js";
import { startAppHeader } from "../apps/app_header.js";
import { Problem } from "../lib/api.js";
import { byId, h, icon, setAttribute, setText } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { bind } from "../frame/keys.js";
import { bindTerminalKeys } from "./keys.js";
import { createTerminal } from "./terminal_api.js";
import { OpenForm } from "./open_form.js";
import { confirm } from "../lib/dialog.js";
import { mountTerminal } from "./view.js";

let tabs = 0;

/** One tab and its panel. */
class Tab {
  id = `tab-${++tabs}`;
  panel = h("div", {
    class: "term-panel",
    id: `${this.id}-panel`,
    role: "tabpanel",
    "aria-labelledby": this.id,
    hidden: true,
  });
  #name = h("span", { class: "cut" });
  #close = h(
    "button",
    { class: "term-tab-close", type: "button", tabindex: -1, onclick: () => this.handlers.close() },
    icon("close"),
  );
  button = h(
    "button",
    {
      class: "term-tab",
      id: this.id,
      type: "button",
      role: "tab",
      "aria-controls": this.panel.id,
      "aria-selected": "false",
      tabindex: -1,
    },
    h("span", { class: "term-dot", "aria-hidden": "true" }),
    this.#name,
  );
  element = h("div", { class: "term-tab-box" }, this.button, this.#close);

  /**
   * `close`: somebody wants it closed. `focus`: it is shown now and has the keyboard.
   *
   * @param {{close: () => void, focus: () => void}} handlers
   */
  constructor(handlers) {
    this.handlers = handlers;
  }

  focus() {
    this.handlers.focus();
  }

  /**
   * @param {string} name
   * @param {string} phase
   * @param {string} [title]
   */
  show(name, phase, title) {
    setText(this.#name, name);
    setAttribute(this.element, "data-phase", phase);
    setAttribute(this.button, "title", title || name);
    setAttribute(this.#close, "aria-label", t("Close {name}", { name }));
    setAttribute(this.#close, "title", t("Close"));
  }

  /** Something happened in it while another one was looked at. */
  mark() {
    if (this.panel.hidden) this.element.dataset.marked = "yes";
  }
}

/** Announces `select`. */
class Tabs extends EventTarget {
  /** @type {Tab[]} */
  all = [];
  /** @type {Tab | null} */
  selected = null;

  /**
   * @param {HTMLElement} list holds the tabs, with what closes each beside it
   * @param {HTMLElement} owner is told to be their list: it may hold tabs alone
   * @param {HTMLElement} panels
   */
  constructor(list, owner, panels) {
    super();
    this.list = list;
    this.owner = owner;
    this.panels = panels;
    list.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** @param {Tab} tab */
  add(tab) {
    this.all.push(tab);
    this.#own();
    this.list.append(tab.element);
    this.panels.append(tab.panel);
    tab.button.addEventListener("click", () => {
      this.select(tab);
      tab.focus();
    });
    // The middle button closes, as it does with the browser's own tabs.
    tab.element.addEventListener("auxclick", (event) => event.button === 1 && tab.handlers.close());
  }

  /** @param {Tab | null} tab null shows none of them */
  select(tab) {
    this.selected = tab;
    for (const one of this.all) {
      const on = one === tab;
      one.panel.hidden = !on;
      setAttribute(one.button, "aria-selected", String(on));
      setAttribute(one.element, "data-selected", on ? "yes" : null);
      one.button.tabIndex = on || (!tab && one === this.all[0]) ? 0 : -1;
      if (on) delete one.element.dataset.marked;
    }
    tab?.button.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.dispatchEvent(new Event("select"));
  }

  /** Takes it out; the one beside it is shown, if it was. @param {Tab} tab */
  remove(tab) {
    const at = this.all.indexOf(tab);
    if (at < 0) return;
    this.all.splice(at, 1);
    this.#own();
    tab.element.remove();
    tab.panel.remove();
    if (this.selected === tab) {
      const next = this.all[Math.min(at, this.all.length - 1)] ?? null;
      this.select(next);
      next?.focus();
    }
  }

  #own() {
    const ids = this.all.map(({ id }) => id).join(" ");
    setAttribute(this.owner, "aria-owns", ids || null);
  }

  /** Shows the one before or after. @param {number} step @returns {boolean} whether there is another */
  step(step) {
    if (this.all.length < 2 && this.selected) return false;
    const at = this.selected ? this.all.indexOf(this.selected) : 0;
    const next = this.all[(at + step + this.all.length) % this.all.length];
    if (!next) return false;
    this.select(next);
    return true;
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const on = this.all.find((tab) => tab.element.contains(/** @type {Node} */ (event.target)));
    if (!on) return;
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) {
      const at = this.all.indexOf(on);
      this.select(this.all[(at + step + this.all.length) % this.all.length]);
      this.selected?.button.focus();
    } else if (event.key === "Delete") on.handlers.close();
    else return;
    event.preventDefault();
  }
}

/** @typedef {import("./view.js").TerminalView} TerminalView */
/** @typedef {import("./view.js").Options} Options */
/** @typedef {import("./terminal_api.js").TerminalRequest} TerminalRequest */
/** @typedef {{id: string, name: string}} Known */

const TABS_AT_ONCE = 16; // that come back with a reload

class TerminalPage {
  #app;
  #tabs = new Tabs(byId("terminal-tabs"), byId("terminal-tablist"), byId("terminal-panels"));
  #form;
  #new = byId("terminal-new");
  #openPanel = byId("terminal-open");
  /** @type {Map<Tab, TerminalView>} */
  #views = new Map();

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#app = root.dataset.app ?? "";
    this.#form = new OpenForm(this.#app, {
      open: (request, name) => this.#open(request, name),
      back: (one) => this.#add({ session: one.id, name: one.name, focus: true }),
      shown: () => [...this.#views.values()].map((view) => view.id),
      recording: root.dataset.recording === "yes",
    });
    this.#openPanel.append(this.#form.element);
    this.#new.addEventListener("click", () => this.showForm());
    this.#tabs.addEventListener("select", () => this.#onSelect());
    this.#bindKeys();
  }

  async start() {
    const asked = new URLSearchParams(location.search);
    const known = this.#recall();
    const session = asked.get("session") ?? "";
    if (session && !known.some((one) => one.id === session)) known.push({ id: session, name: "" });
    for (const one of known) {
      const tab = this.#add({ session: one.id, name: one.name }, false);
      if (one.id === session) this.#tabs.select(tab);
    }
    const container = asked.get("container") ?? "";
    if (container) return this.#openIn(container);
    const last = this.#tabs.selected ?? this.#tabs.all.at(-1);
    if (!last) return this.showForm();
    this.#tabs.select(last);
    last.focus();
  }

  /** The way from an instance's terminal button: it is opened at once. @param {string} container */
  async #openIn(container) {
    // A reload must not open another one.
    history.replaceState(null, "", location.pathname);
    this.#form.show(container);
    try {
      await this.#open({ container }, this.#form.nameOf(container));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.showForm();
      this.#form.fail(error);
    }
  }

  /** Shows what can be opened. */
  showForm() {
    this.#tabs.select(null);
    void this.#form.load();
    this.#form.focus();
  }

  /**
   * @param {TerminalRequest} request
   * @param {string} name
   */
  async #open(request, name) {
    const ticket = await createTerminal(request);
    this.#add({ ticket, request, name, focus: true });
  }

  /**
   * @param {Options} options
   * @param {boolean} [shown] at once
   */
  #add(options, shown = true) {
    const tab = new Tab({
      close: () => void this.#close(tab),
      focus: () => this.#views.get(tab)?.focus(),
    });
    this.#tabs.add(tab);
    if (shown) this.#tabs.select(tab);
    const view = mountTerminal(tab.panel, {
      ...options,
      opens: true,
      changed: (one) => this.#onChanged(tab, one),
      bell: () => tab.mark(),
      leave: () => tab.button.focus(),
      onKey: (event) => this.#onKey(event),
      choose: () => this.showForm(),
    });
    this.#views.set(tab, view);
    this.#onChanged(tab, view);
    return tab;
  }

  /**
   * @param {Tab} tab
   * @param {TerminalView} view
   */
  #onChanged(tab, view) {
    const { name } = view;
    const same = this.#tabs.all.filter((one) => one !== tab && this.#views.get(one)?.name === name);
    const earlier = same.filter((one) => this.#tabs.all.indexOf(one) < this.#tabs.all.indexOf(tab));
    tab.show(
      earlier.length ? `${name} (${earlier.length + 1})` : name,
      view.socket.phase,
      view.title,
    );
    if (!this.#views.has(tab)) return;
    this.#remember();
    if (tab === this.#tabs.selected) this.#showAddress();
  }

  #onSelect() {
    const none = this.#tabs.selected === null;
    this.#openPanel.hidden = !none;
    this.#new.setAttribute("aria-pressed", String(none));
    this.#showAddress();
  }

  /** Ends it, after a question when something runs in it. @param {Tab} tab */
  async #close(tab) {
    const view = this.#views.get(tab);
    if (!view) return;
    const { socket } = view;
    if (view.busy && socket.mode === "own") {
      const chosen = await confirm(
        t("Close this terminal?"),
        t("Something seems to run in {name}.", { name: view.name }),
        {
          keep: { verb: t("Leave it running") },
          end: { verb: t("End it"), danger: true },
          cancel: { verb: t("Cancel") },
        },
      );
      if (chosen === null || chosen === "cancel") return view.focus();
      if (chosen === "end") socket.end();
    } else if (socket.mode === "own") {
      socket.end();
    }
    this.#views.delete(tab);
    this.#tabs.remove(tab);
    view.close();
    this.#remember();
    if (!this.#tabs.all.length) this.showForm();
  }

  // What is remembered

  get #key() {
    return `terminals:${this.#app}`;
  }

  /** @returns {Known[]} */
  #recall() {
    try {
      const known = JSON.parse(recallInTab(this.#key) ?? "[]");
      return known.slice(-TABS_AT_ONCE);
    } catch {
      return [];
    }
  }

  #remember() {
    const known = [...this.#views.values()]
      .filter((view) => view.id && !view.socket.over)
      .map((view) => ({ id: view.id, name: view.name }));
    rememberInTab(this.#key, JSON.stringify(known));
  }

  #showAddress() {
    const { selected } = this.#tabs;
    const id = selected && this.#views.get(selected)?.id;
    const address = location.pathname + (id ? `?session=${encodeURIComponent(id)}` : "");
    if (address !== location.pathname + location.search) history.replaceState(null, "", address);
  }

  // By keyboard

  /** Keys of the page while a terminal has the keyboard. @param {KeyboardEvent} event */
  #onKey(event) {
    if (!event.ctrlKey || !event.shiftKey || event.altKey || event.metaKey) return false;
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || !this.#tabs.step(step)) return false;
    this.#tabs.selected?.focus();
    return true;
  }

  #bindKeys() {
    const group = t("Terminal");
    bind({ keys: "n", label: t("A new terminal"), group, run: () => this.showForm() });
    bind({
      keys: "i",
      label: t("Into the terminal"),
      group,
      run: () => this.#tabs.selected?.focus(),
    });
    bindTerminalKeys(true);
  }
}

startAppHeader();
void new TerminalPage(byId("terminal")).start();
