// The fields of the lines in sight: their names, their most frequent values, and what can be done with
// them. It counts what is there while it is open.

import { byId, h, setText } from "../lib/dom.js";
import { formatNumber, t, tn } from "../lib/i18n.js";
import { fieldTerm } from "./query/language.js";
import { countFields } from "./field_counts.js";

/** @typedef {import("./field_counts.js").Counted} Counted */

/** Entries that are looked at, those in sight in their middle. */
export const AROUND = 500;
const FIELDS = 100;
const VALUES = 10;
const VALUE = 120; // characters of one
const EVERY = 2_000; // ms

export class FieldPanel {
  /** Those whose values are shown. @type {Set<string>} */
  #open = new Set();
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;

  /**
   * @param {string} id of its button; of what it is made of `…-menu`, `…-about`, `…-list`
   * @param {object} page
   * @param {() => import("./entry.js").Row[]} page.rows those around what is in sight
   * @param {import("./term_bar.js").TermBar} page.terms
   * @param {import("./columns.js").Columns} page.columns
   */
  constructor(id, { rows, terms, columns }) {
    this.rows = rows;
    this.terms = terms;
    this.columns = columns;
    this.about = byId(`${id}-about`);
    this.list = byId(`${id}-list`);
    byId(`${id}-menu`).addEventListener("toggle", (event) => {
      clearInterval(this.#timer);
      if (/** @type {ToggleEvent} */ (event).newState !== "open") return;
      this.#draw();
      this.#timer = setInterval(() => this.#refresh(), EVERY);
    });
  }

  /** Nothing moves from under a hand. */
  #refresh() {
    if (this.list.matches(":hover, :focus-within")) return;
    this.#draw();
  }

  #draw() {
    const lines = this.rows();
    const counted = countFields(lines);
    const about = tn(
      "In {n} line around what is in sight",
      "In {n} lines around what is in sight",
      lines.length,
    );
    setText(this.about, counted.length ? about : t("The lines in sight have no fields"));
    this.list.replaceChildren(
      ...counted.slice(0, FIELDS).map((one) => this.#field(one, lines.length)),
    );
    this.terms.offer(counted.slice(0, FIELDS).map(({ name }) => `${name}:`));
  }

  /** @param {Counted} field @param {number} lines */
  #field({ name, count, values }, lines) {
    const { columns } = this;
    const box = h("input", { type: "checkbox", "aria-label": t("A column for {name}", { name }) });
    box.title = t("A column for {name}", { name });
    box.checked = columns.names.includes(name);
    box.addEventListener("change", () => columns.toggle(name));
    const share = t("{n} of {all}", { n: formatNumber(count), all: formatNumber(lines) });
    const inside = h("ul", { class: "fields-values" });
    const summary = h(
      "summary",
      null,
      h("span", { class: "fields-name" }, name),
      h("span", { class: "fields-count" }, share),
    );
    const details = h("details", { class: "fields-field" }, summary, inside);
    details.open = this.#open.has(name);
    const fill = () => {
      if (details.open) this.#open.add(name);
      else this.#open.delete(name);
      if (!details.open || inside.firstChild) return;
      inside.append(...values.slice(0, VALUES).map((one) => this.#value(name, one, count)));
      const rest = values.length - VALUES;
      if (rest > 0) {
        inside.append(
          h("li", { class: "fields-rest" }, tn("{n} other value", "{n} other values", rest)),
        );
      }
    };
    details.addEventListener("toggle", fill);
    fill();
    return h("li", { class: "fields-item" }, box, details);
  }

  /** @param {string} name @param {[string, number]} value @param {number} all */
  #value(name, [value, count], all) {
    const shown = value.length > VALUE ? `${value.slice(0, VALUE)}…` : value || '""';
    const meter = h("meter", { max: all, value: count, "aria-hidden": "true" });
    const pick = (/** @type {boolean} */ without, /** @type {string} */ sign) => {
      const term = fieldTerm(name, value, without);
      const label = without
        ? t("Without {term}", { term: term.slice(1) })
        : t("Only {term}", { term });
      const button = { class: "small-action", type: "button", title: label, "aria-label": label };
      return h("button", { ...button, onclick: () => this.terms.add(term) }, sign);
    };
    return h(
      "li",
      { class: "fields-value" },
      h("span", { class: "fields-text mono", title: value }, shown.replaceAll("\n", "↵")),
      meter,
      h("span", { class: "fields-count" }, formatNumber(count)),
      pick(false, "+"),
      pick(true, "−"),
    );
  }
}
