// Fields of a form in a dialog, and the dialog that sends it.

import { openDialog } from "../lib/dialog.js";
import { h } from "../lib/dom.js";
import { onSubmit } from "../lib/form.js";
import { t } from "../lib/i18n.js";

let count = 0;

const page = /** @type {HTMLElement | null} */ (document.querySelector(".alerts"));

/** The house may say what is about all teams, and that a receiver is on a private network. */
export function isHouse() {
  return page?.dataset.house === "1";
}

/** The teams that one manages; for the house also all of them. @returns {[string, string][]} */
export function teamChoices({ all = true } = {}) {
  /** @type {string[]} */
  const teams = JSON.parse(page?.dataset.teams ?? "[]");
  const own = /** @type {[string, string][]} */ (teams.map((team) => [team, team]));
  return all && isHouse() ? [...own, ["", t("all teams")]] : own;
}

/**
 * @param {string} name
 * @param {string} label
 * @param {import("../lib/dom.js").Props} [props]
 * @param {string} [hint]
 */
export function field(name, label, props = {}, hint = "") {
  const id = `field-${++count}`;
  return h(
    "div",
    { class: "form-row", dataset: { field: name } },
    h("label", { for: id }, label),
    h("input", { class: "field", id, name, autocomplete: "off", ...props }),
    hint && h("p", { class: "hint" }, hint),
    h("p", { class: "field-error", hidden: true, dataset: { errorOf: name } }),
  );
}

/**
 * @param {string} name
 * @param {string} label
 * @param {[string, string][]} choices value and words
 * @param {string} [chosen]
 */
export function choice(name, label, choices, chosen = "") {
  const id = `field-${++count}`;
  return h(
    "div",
    { class: "form-row", dataset: { field: name } },
    h("label", { for: id }, label),
    h(
      "select",
      { class: "field", id, name },
      choices.map(([value, words]) =>
        h("option", { value, selected: value === chosen && "selected" }, words),
      ),
    ),
    h("p", { class: "field-error", hidden: true, dataset: { errorOf: name } }),
  );
}

/**
 * @param {string} name
 * @param {string} label
 * @param {boolean} checked
 */
export function check(name, label, checked) {
  return h(
    "label",
    { class: "alerts-check", dataset: { field: name } },
    h("input", { type: "checkbox", name, value: "1", checked }),
    label,
  );
}

/**
 * @param {string} title
 * @param {(HTMLElement | false)[]} fields
 * @param {(values: Record<string, string>) => Promise<void>} send throws a Problem
 * @param {string} [verb]
 * @returns {HTMLFormElement}
 */
export function openForm(title, fields, send, verb = t("Save")) {
  const form = h(
    "form",
    { class: "form", method: "post" },
    fields,
    h("p", { class: "error", role: "alert", hidden: true }),
    h("button", { class: "button main", type: "submit", disabled: true }, verb),
  );
  const dialog = openDialog(title, form);
  onSubmit(form, async (values) => {
    await send(values);
    dialog.close();
  });
  return form;
}

/**
 * Shows of the fields only those of this kind; the others are not sent.
 *
 * @param {HTMLFormElement} form
 * @param {readonly string[]} shown
 * @param {readonly string[]} all
 */
export function showFields(form, shown, all) {
  for (const name of all) {
    for (const element of form.querySelectorAll(`[data-field="${name}"]`)) {
      const visible = shown.includes(name);
      /** @type {HTMLElement} */ (element).hidden = !visible;
      for (const input of element.querySelectorAll("input, select")) {
        /** @type {HTMLInputElement} */ (input).disabled = !visible;
      }
    }
  }
}

/**
 * A button of a row.
 *
 * @param {string} verb
 * @param {string} label
 * @param {() => void} run
 */
export function rowButton(verb, label, run) {
  return h(
    "button",
    { class: "button small", type: "button", "aria-label": label, onclick: run },
    verb,
  );
}

/** @param {HTMLFormElement} form @returns {Record<string, string>} */
export function valuesOf(form) {
  return Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
}

/** @param {HTMLFormElement} form @param {string} name */
export function valueOf(form, name) {
  const found = form.elements.namedItem(name);
  return found instanceof HTMLInputElement || found instanceof HTMLSelectElement ? found.value : "";
}
