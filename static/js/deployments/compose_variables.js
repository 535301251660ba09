// What a Compose file leaves open: a field for each of its variables, and the text of its .env.

import { h, icon, setChildren } from "../lib/dom.js";
import { t } from "../lib/i18n.js";

/** @typedef {import("../types/api.js").ComposeVariable} ComposeVariable */

const SECRET = /PASS|SECRET|TOKEN|_KEY$/i;
const HIDDEN = "••••••";

/** Announces `change` when a value is another one. */
export class ComposeVariables extends EventTarget {
  element = h("div", { class: "new-variables", hidden: true });
  /** Those that were given here, by their names. @type {Map<string, string>} */
  values = new Map();
  /** Variables without which nothing can be read. @type {string[]} */
  #needed = [];
  #env = h("textarea", {
    class: "area mono spec-compose",
    id: "compose-env",
    rows: 4,
    spellcheck: "false",
    autocapitalize: "off",
    autocomplete: "off",
    placeholder: "TAG=1.27",
    "aria-labelledby": "compose-env-label",
    "aria-describedby": "compose-env-hint",
  });
  /** Where the text of the .env is. */
  env = h(
    "details",
    { class: "spec-group" },
    h(
      "summary",
      null,
      icon("chevron"),
      h("span", { id: "compose-env-label" }, t("Text of its .env")),
    ),
    h(
      "div",
      { class: "spec-fields" },
      this.#env,
      h(
        "p",
        { class: "hint", id: "compose-env-hint" },
        t(
          "A value a line: NAME=value. Where there is none, an example beside the file (.env.example) is taken.",
        ),
      ),
    ),
  );
  #goTo;

  /** @param {(line: number) => void} goTo shows a line of the file, from 1 */
  constructor(goTo) {
    super();
    this.#goTo = goTo;
    this.#env.addEventListener("input", () => this.dispatchEvent(new Event("change")));
  }

  /** The text of the .env; "" where there is none. */
  get text() {
    return this.#env.value.trim() ? this.#env.value : "";
  }

  /** @param {string} text */
  set text(text) {
    this.#env.value = text;
  }

  /** Those without which nothing can be read, and that have no value yet. */
  get missing() {
    return this.#needed.filter((name) => !this.values.has(name));
  }

  /** The first field that has to be filled in. @returns {HTMLElement | null} */
  get open() {
    return this.element.querySelector("input:required:placeholder-shown");
  }

  /** @param {ComposeVariable[]} variables */
  show(variables) {
    const wanted = variables.filter((one) => !one.name.startsWith("COMPOSE_"));
    this.#needed = wanted.filter((one) => one.required).map((one) => one.name);
    this.element.hidden = !wanted.length;
    if (this.element.contains(document.activeElement)) return;
    setChildren(this.element, [
      h("span", { class: "spec-label" }, t("What the file leaves open")),
      h(
        "div",
        { class: "spec-pair" },
        wanted.map((one) => this.#row(one)),
      ),
    ]);
  }

  /** @param {ComposeVariable} variable */
  #row({ name, default: usual, required, set_by: by, line, why }) {
    const secret = SECRET.test(name);
    const shown = usual && secret ? HIDDEN : usual;
    const hint = h("p", { class: "hint", id: `variable-${name}-hint` });
    const input = h("input", {
      class: "field mono",
      id: `variable-${name}`,
      type: secret ? "password" : "text",
      value: this.values.get(name) ?? "",
      placeholder: shown || (required ? t("needed") : t("empty")),
      required,
      autocomplete: secret ? "new-password" : "off",
      autocapitalize: "off",
      spellcheck: "false",
      "aria-describedby": hint.id,
    });
    input.addEventListener("input", () => {
      if (input.value) this.values.set(name, input.value);
      else this.values.delete(name);
      this.dispatchEvent(new Event("change"));
    });
    const words = [why, by && t("Set by {file}", { file: by })].filter(Boolean).join(" · ");
    const place = h(
      "button",
      { type: "button", class: "variable-line", onclick: () => this.#goTo(line) },
      t("Line {n}", { n: line }),
    );
    if (line) hint.append(place);
    hint.append(line && words ? ` · ${words}` : words);
    hint.hidden = !line && !words;
    return h(
      "div",
      { class: "form-row" },
      h("label", { for: input.id, class: "mono" }, name),
      input,
      hint,
    );
  }
}
