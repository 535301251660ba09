// What an app is called: proposed by what it is made of, until somebody writes another name.

import { h, setText } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { inventory } from "../live/inventory.js";
import { row } from "./form_fields.js";
import { isName } from "./names.js";

/** Announces `change`. */
export class NameField extends EventTarget {
  #input = h("input", {
    class: "field mono",
    type: "text",
    maxlength: "128",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    placeholder: "web",
  });
  #said = h("p", { class: "hint", role: "status" });
  #own = false;

  /** @param {{label: string, hint: string}} words */
  constructor(words) {
    super();
    const made = row(words, this.#input, this.#input, this.#said);
    this.element = made.element;
    this.showError = made.showError;
    this.#input.addEventListener("input", () => {
      this.#own = this.#input.value !== "";
      this.#changed();
    });
    inventory.addEventListener("apps", () => this.#describe());
  }

  get value() {
    return this.#input.value.trim();
  }

  /**
   * @param {string} name
   * @param {boolean} [sure] also in place of what was written
   */
  suggest(name, sure = false) {
    if (this.#own && !sure) return;
    this.#own = sure;
    if (this.#input.value === name) return;
    this.#input.value = name;
    this.#changed();
  }

  focus() {
    this.#input.focus();
  }

  /** What keeps the name from being used, "" where nothing does. */
  get wrong() {
    const { value } = this;
    if (!value) return t("Write a name.");
    if (isName(value)) return "";
    return t("Letters, digits, “_”, “.” and “-”, at most 128; the first a letter, a digit or “_”.");
  }

  #changed() {
    this.showError("");
    this.#describe();
    this.dispatchEvent(new Event("change"));
  }

  #describe() {
    const there = this.value && inventory.apps.get(this.value);
    setText(
      this.#said,
      there ? t("There is an app of this name: this becomes its next release.") : "",
    );
  }
}
