// The order of the list of apps: by stack and name, or by what they use, the most first. The address
// says it.

import { choose, onStep } from "../lib/address.js";
import { h, icon, setAttribute } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { overview } from "../live/overview.js";

/** @typedef {import("../live/app_state.js").App} App */

const EVERY = 5_000; // ms: what one reads must not run away

/** By what, beside the name. @type {Record<string, (app: App) => number>} */
const VALUES = {
  cpu: (app) => overview.apps.get(app.name)?.cpu.now ?? -1,
  memory: (app) => overview.apps.get(app.name)?.memory.now ?? -1,
  rate: (app) => app.rate,
};

/** Announces `change` when it is time to put the list in order. */
export class Sorting extends EventTarget {
  by = "";
  #sortedAt = -Infinity;

  /** @param {HTMLElement} list */
  constructor(list) {
    super();
    this.list = list;
    const read = (/** @type {URLSearchParams} */ params) => {
      const said = params.get("sort") ?? "";
      this.by = Object.hasOwn(VALUES, said) ? said : "";
    };
    read(new URLSearchParams(location.search));
    onStep((params) => {
      read(params);
      this.dispatchEvent(new Event("change"));
    });
    overview.addEventListener("change", () => this.#again());
  }

  /**
   * The head of a column by which one can sort.
   *
   * @param {string} name
   * @param {string} label
   * @returns {(Node | string)[]}
   */
  head(name, label) {
    if (name !== "name" && !Object.hasOwn(VALUES, name)) return [label];
    const button = h(
      "button",
      { class: "sort", type: "button", dataset: { sort: name }, onclick: () => this.#set(name) },
      label,
      icon("down"),
    );
    return [button];
  }

  /** Says in the heads by which it is. */
  show() {
    for (const button of this.list.querySelectorAll("[data-sort]")) {
      const { sort } = /** @type {HTMLElement} */ (button).dataset;
      const chosen = sort === (this.by || "name");
      const way = sort === "name" ? "ascending" : "descending";
      const head = /** @type {Element} */ (button.parentElement);
      setAttribute(head, "aria-sort", chosen ? way : null);
      setAttribute(button, "title", chosen ? null : t("Sort by this"));
    }
  }

  /** @param {App[]} apps */
  sorted(apps) {
    this.#sortedAt = performance.now();
    const value = VALUES[this.by];
    return apps.toSorted((a, b) => value(b) - value(a) || (a.name < b.name ? -1 : 1));
  }

  /** @param {string} name */
  #set(name) {
    this.by = name === "name" || name === this.by ? "" : name;
    choose({ sort: this.by });
    this.dispatchEvent(new Event("change"));
  }

  #again() {
    if (!this.by || performance.now() - this.#sortedAt < EVERY) return;
    // Nothing moves from under a hand.
    if (this.list.matches(":hover, :focus-within")) return;
    this.dispatchEvent(new Event("change"));
  }
}
