// The terms of a filter as chips: each is switched off without being lost, changed, or taken away. It
// knows nothing of what is filtered. What it needs of the page is in templates/term_bar.html.

import { byId, h, icon, setAttribute, setText } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { redraw } from "../lib/redraw.js";
import { sentenceOf } from "./query/errors.js";
import { parse, QueryError } from "./query/language.js";

/** @typedef {import("./terms.js").FilterTerm} FilterTerm */

/** Announces `change` when the reader changed the terms. */
export class TermBar extends EventTarget {
  /** @type {readonly FilterTerm[]} */
  terms = [];
  /** Which one is being changed; -1: a new one is typed. */
  #changing = -1;

  /**
   * @param {string} id of its element; of what is in it `…-list`, `…-field`, `…-names`, `…-error`
   * @param {() => void} [leave] where the keys go when the reader is done here
   */
  constructor(id, leave) {
    super();
    this.box = byId(id);
    this.list = byId(`${id}-list`);
    this.field = /** @type {HTMLInputElement} */ (byId(`${id}-field`));
    this.names = byId(`${id}-names`);
    this.error = byId(`${id}-error`);
    this.leave = leave;
    this.field.addEventListener("keydown", (event) => this.#onKey(event));
    this.field.addEventListener("input", () => this.#showError(null));
    this.list.addEventListener("keydown", (event) => this.#onListKey(event));
    this.show([]);
  }

  /** @param {readonly FilterTerm[]} terms */
  show(terms) {
    if (this.#changing >= 0 && !same(terms, this.terms)) this.#stopChanging();
    this.terms = terms;
    this.box.classList.toggle("terms-none", !terms.length);
    redraw(
      this.list,
      terms.map((term, at) => this.#chip(term, at)),
    );
    this.list.hidden = !terms.length;
  }

  /** Adds terms that are not there yet; one that is switched off is switched on. @param {string} query */
  add(query) {
    const terms = [...this.terms];
    for (const text of partsOf(query)) {
      const at = terms.findIndex((term) => term.text === text);
      if (at >= 0) terms[at] = { text, off: false };
      else terms.push({ text, off: false });
    }
    this.#change(terms);
  }

  /** The reader wants to type a term. */
  focus() {
    this.box.classList.add("terms-asked");
    this.field.focus();
  }

  /** What is offered while one is typed. @param {readonly string[]} names */
  offer(names) {
    redraw(
      this.names,
      names.map((value) => h("option", { value })),
    );
  }

  /** @param {FilterTerm} term @param {number} at */
  #chip({ text, off }, at) {
    /** @param {string} name @param {string} label @param {() => void} run @param {Node | string} inside */
    const button = (name, label, run, inside) =>
      h(
        "button",
        {
          class: `term-${name}`,
          type: "button",
          title: label,
          "aria-label": name === "text" ? null : label,
          onclick: run,
        },
        inside,
      );
    const toggle = button(
      "switch",
      off ? t("Switch {term} on", { term: text }) : t("Switch {term} off", { term: text }),
      () => this.toggle(at),
      icon(off ? "plus" : "check"),
    );
    setAttribute(toggle, "aria-pressed", String(!off));
    const chip = h(
      "li",
      { class: off ? "filter-term term-off" : "filter-term" },
      toggle,
      button("text", t("Change {term}", { term: text }), () => this.#startChanging(at), text),
      button("remove", t("Remove {term}", { term: text }), () => this.remove(at), icon("close")),
    );
    if (at === this.#changing) chip.classList.add("term-changing");
    return chip;
  }

  /** @param {number} at */
  toggle(at) {
    const terms = this.terms.map((term, i) => (i === at ? { ...term, off: !term.off } : term));
    this.#change(terms);
    this.#focusChip(at, "switch");
  }

  /** @param {number} at */
  remove(at) {
    this.#change(this.terms.filter((_, i) => i !== at));
    if (this.terms.length) this.#focusChip(Math.min(at, this.terms.length - 1), "remove");
    else this.field.focus();
  }

  /** @param {number} at */
  #startChanging(at) {
    this.#changing = at;
    this.field.value = this.terms[at].text;
    this.show(this.terms);
    this.#showError(null);
    this.field.focus();
    this.field.select();
  }

  #stopChanging() {
    this.#changing = -1;
    this.field.value = "";
    this.#showError(null);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.isComposing) return;
    if (event.key === "Enter") {
      event.preventDefault();
      this.take();
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      const at = this.#changing;
      if (at < 0 && !this.field.value) this.leave?.();
      this.#stopChanging();
      this.show(this.terms);
      if (at >= 0) this.#focusChip(at, "text");
    } else if (event.key === "Backspace" && !this.field.value && this.#changing < 0) {
      if (!this.terms.length) return;
      event.preventDefault();
      this.#focusChip(this.terms.length - 1, "text");
    }
  }

  /** @param {KeyboardEvent} event */
  #onListKey(event) {
    const chip = /** @type {Element} */ (event.target).closest(".filter-term");
    if (!chip) return;
    const at = [...this.list.children].indexOf(chip);
    if (event.key === "Delete" || event.key === "Backspace") this.remove(at);
    else if (event.key === "ArrowLeft" && at) this.#focusChip(at - 1, "text");
    else if (event.key === "ArrowRight" && at + 1 < this.terms.length)
      this.#focusChip(at + 1, "text");
    else if (event.key === "ArrowRight") this.field.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** What is typed becomes chips. @returns {boolean} false where it cannot be understood */
  take() {
    const typed = this.field.value;
    const at = this.#changing;
    if (!typed.trim() && at < 0) return true;
    let texts;
    try {
      texts = partsOf(typed);
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      this.#showError(error);
      return false;
    }
    this.#stopChanging();
    if (at < 0) this.add(typed);
    else {
      const terms = [...this.terms];
      terms.splice(at, 1, ...texts.map((text) => ({ text, off: false })));
      this.#change(terms);
    }
    this.field.focus();
    return true;
  }

  /** @param {readonly FilterTerm[]} terms */
  #change(terms) {
    const before = this.terms;
    this.show(terms);
    if (!same(before, terms)) this.dispatchEvent(new Event("change"));
  }

  /** @param {QueryError | null} error */
  #showError(error) {
    this.error.hidden = !error;
    setText(this.error, error ? sentenceOf(error) : "");
    setAttribute(this.field, "aria-invalid", error ? "true" : null);
    if (!error) return;
    this.field.focus();
    this.field.setSelectionRange(error.at, error.at + error.part.length);
  }

  /** @param {number} at @param {string} part */
  #focusChip(at, part) {
    const found = this.list.children[at]?.querySelector(`.term-${part}`);
    if (found instanceof HTMLElement) found.focus();
  }
}

/** @param {readonly FilterTerm[]} a @param {readonly FilterTerm[]} b */
function same(a, b) {
  return (
    a.length === b.length && a.every((term, i) => term.text === b[i].text && term.off === b[i].off)
  );
}

/** The terms of a query as they are written in it. @param {string} query @throws {QueryError} */
function partsOf(query) {
  const composed = query.normalize("NFC");
  return parse(composed).map(({ at, end }) => composed.slice(at, end));
}
