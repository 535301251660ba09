// Several panels of which one is shown, with a tab for each: by mouse, by keyboard, by name.

import { h, icon, setAttribute, setText } from "../lib/dom.js";
import { t } from "../lib/i18n.js";

let tabs = 0;

/** One tab and its panel. */
export class Tab {
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
  element = h("div", { class: "term-tab-box", role: "presentation" }, this.button, this.#close);

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
export class Tabs extends EventTarget {
  /** @type {Tab[]} */
  all = [];
  /** @type {Tab | null} */
  selected = null;

  /**
   * @param {HTMLElement} list holds the tabs
   * @param {HTMLElement} panels
   */
  constructor(list, panels) {
    super();
    this.list = list;
    this.panels = panels;
    list.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** @param {Tab} tab */
  add(tab) {
    this.all.push(tab);
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
    tab.element.remove();
    tab.panel.remove();
    if (this.selected === tab) {
      const next = this.all[Math.min(at, this.all.length - 1)] ?? null;
      this.select(next);
      next?.focus();
    }
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
