// Finding in what a terminal has printed.

import { h, icon, setAttribute, setText } from "../lib/dom.js";
import { formatNumber, t } from "../lib/i18n.js";

/** @typedef {import("./screen.js").Screen} Screen */

export class SearchBar {
  #field = h("input", {
    class: "field",
    type: "text",
    inputmode: "search",
    placeholder: t("Find in the terminal"),
    "aria-label": t("Find in the terminal"),
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    maxlength: 500,
  });
  #count = h("span", { class: "term-search-count", role: "status" });
  #case = this.#toggle("Aa", t("Upper and lower case"));
  #regex = this.#toggle(".*", t("Regular expression"));
  element = h(
    "div",
    { class: "term-search", role: "search", hidden: true },
    this.#field,
    this.#count,
    this.#case,
    this.#regex,
    this.#button("up", t("Previous match"), () => this.#find({ back: true })),
    this.#button("down", t("Next match"), () => this.#find({})),
    this.#button("close", t("Close"), () => this.close()),
  );

  /** @param {() => Screen} screen */
  constructor(screen) {
    this.screen = screen;
    // From below upwards: what was printed last is what one looks for first.
    this.#field.addEventListener("input", () => this.#find({ typing: true, back: true }));
    this.element.addEventListener("keydown", (event) => this.#onKey(event));
  }

  open() {
    this.element.hidden = false;
    const selected = this.screen().terminal.getSelection();
    if (selected && !selected.includes("\n")) this.#field.value = selected;
    this.#field.focus();
    this.#field.select();
    if (this.#field.value) this.#find({ typing: true, back: true });
  }

  close() {
    this.element.hidden = true;
    this.screen().stopFinding();
    this.screen().focus();
  }

  /** @param {import("./screen.js").Found} found */
  found({ at, count, more, done, wrong }) {
    const asked = this.#field.value !== "";
    const goesOn = more ? "+" : done ? "" : "…";
    const many = `${formatNumber(count)}${goesOn}`;
    const some = at < 0 ? many : t("{at} of {n}", { at: formatNumber(at + 1), n: many });
    const none = done ? t("Nothing found") : t("Looking …");
    const error =
      wrong && t("This is no regular expression in RE2's syntax: {what}", { what: wrong });
    setText(this.#count, error || (count ? some : asked ? none : ""));
    setAttribute(this.#count, "title", error || null);
    setAttribute(this.#field, "aria-invalid", asked && done && !count ? "true" : null);
  }

  /** @param {{back?: boolean, typing?: boolean}} how */
  #find(how) {
    this.screen().find(this.#field.value, {
      ...how,
      caseSensitive: this.#case.ariaPressed === "true",
      regex: this.#regex.ariaPressed === "true",
    });
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.key === "Escape") this.close();
    else if (event.key === "Enter" && event.target === this.#field)
      this.#find({ back: !event.shiftKey });
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /**
   * @param {string} name
   * @param {string} label
   * @param {() => void} run
   */
  #button(name, label, run) {
    return h(
      "button",
      { class: "tool", type: "button", "aria-label": label, title: label, onclick: run },
      icon(name),
    );
  }

  /**
   * @param {string} sign
   * @param {string} label
   */
  #toggle(sign, label) {
    const button = h(
      "button",
      {
        class: "tool mono",
        type: "button",
        "aria-pressed": "false",
        "aria-label": label,
        title: label,
      },
      sign,
    );
    button.addEventListener("click", () => {
      button.ariaPressed = String(button.ariaPressed !== "true");
      this.#find({ typing: true, back: true });
    });
    return button;
  }
}
