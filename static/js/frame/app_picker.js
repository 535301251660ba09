// Which apps: all, or some, chosen one by one or by stack, in a menu.

import { call, Problem } from "../lib/api.js";
import { h, icon, setText } from "../lib/dom.js";
import { t, tn } from "../lib/i18n.js";
import { redraw } from "../lib/redraw.js";
import { byStack, nameInStack } from "../live/app_state.js";
import { inventory } from "../live/inventory.js";

const GONE = 500; // apps that only have logs left, which are offered

/** Announces `change` when others are chosen. */
export class AppPicker extends EventTarget {
  /** None: all of them. @type {Set<string>} */
  chosen = new Set();
  /** Apps that only have logs left; null until the menu was opened. @type {string[] | null} */
  #gone = null;

  /**
   * @param {HTMLElement} button says which
   * @param {HTMLElement} menu its popover
   */
  constructor(button, menu) {
    super();
    this.words = h("span", { class: "cut" });
    button.replaceChildren(this.words, icon("down"));
    this.menu = menu;
    menu.addEventListener("beforetoggle", () => {
      this.#draw();
      if (this.#gone === null) void this.#loadGone();
    });
    menu.addEventListener("change", (event) => this.#onChange(event));
    this.#say();
  }

  /** @param {Iterable<string>} apps */
  show(apps) {
    this.chosen = new Set(apps);
    this.#say();
    this.#draw();
  }

  #say() {
    const [first, ...more] = this.chosen;
    if (!first) setText(this.words, t("All apps"));
    else setText(this.words, more.length ? tn("{n} app", "{n} apps", this.chosen.size) : first);
  }

  #draw() {
    const known = [...inventory.apps.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    const there = new Set(known.map((app) => app.name));
    const gone = [...new Set([...this.chosen, ...(this.#gone ?? [])])];
    const others = gone.filter((name) => !there.has(name)).sort();
    const all = h("input", { type: "checkbox", value: "", checked: !this.chosen.size });
    /** @type {HTMLElement[]} */
    const items = [h("label", { class: "menu-item" }, all, h("span", null, t("All apps")))];
    for (const [stack, apps] of byStack(known)) {
      if (stack)
        items.push(
          this.#stack(
            stack,
            apps.map((app) => app.name),
          ),
        );
      for (const app of apps) {
        const item = this.#item(app.name, stack ? nameInStack(app) : app.name);
        if (stack) item.classList.add("in-stack");
        items.push(item);
      }
    }
    if (others.length) items.push(h("p", { class: "menu-head" }, t("Only logs kept")));
    for (const name of others) items.push(this.#item(name, name));
    redraw(this.menu, items);
  }

  async #loadGone() {
    this.#gone = [];
    try {
      /** @type {{ apps: { name: string }[] }} */
      const { apps } = await call("GET", `/api/v1/apps?state=gone&limit=${GONE}`);
      this.#gone = apps.map((app) => app.name);
      this.#draw();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.#gone = null; // the next time it is opened
    }
  }

  /** @param {string} name @param {string} words */
  #item(name, words) {
    const box = h("input", { type: "checkbox", value: name, checked: this.chosen.has(name) });
    return h(
      "label",
      { class: "menu-item", title: name, dataset: { key: name } },
      box,
      h("span", { class: "cut" }, words),
    );
  }

  /** @param {string} stack @param {string[]} names */
  #stack(stack, names) {
    const some = names.filter((name) => this.chosen.has(name)).length;
    const box = h("input", {
      type: "checkbox",
      checked: some === names.length,
      indeterminate: some > 0 && some < names.length,
      dataset: { apps: names.join(" ") },
    });
    const key = `stack ${stack}`;
    return h(
      "label",
      { class: "menu-item", dataset: { key } },
      box,
      h("strong", { class: "cut" }, stack),
    );
  }

  /** @param {Event} event */
  #onChange(event) {
    const box = /** @type {HTMLInputElement} */ (event.target);
    const names = box.dataset.apps?.split(" ") ?? (box.value ? [box.value] : null);
    if (names === null) this.chosen.clear();
    else for (const name of names) this.chosen[box.checked ? "add" : "delete"](name);
    this.#say();
    this.#draw();
    this.dispatchEvent(new Event("change"));
  }
}
