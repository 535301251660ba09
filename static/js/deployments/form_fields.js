// The fields of a specification's form: each shows one value of the model, writes it as it is
// typed, and has a sentence of its own. Empty is the default, which stands in it faintly.

import { h, setText } from "../lib/dom.js";
import { lineOf } from "../lib/command_line.js";

/** @typedef {import("./spec_model.js").SpecModel} SpecModel */
/** @typedef {import("./spec_model.js").Path} Path */
/**
 * `field` is the name that errors call it by; `update` shows the model's value again; `isSet`
 * whether there is any.
 *
 * @typedef {{field: string, element: HTMLElement, update: () => void, isSet: () => boolean,
 *   showError: (message: string, name?: string) => void}} FormField
 */
/** @typedef {{label: string, hint?: string, placeholder?: string, mono?: boolean}} Words */

let count = 0;

/** An id that nothing else on the page has. @param {string} [start] */
export function newId(start = "field") {
  return `${start}-${++count}`;
}

/**
 * An error as it reads beside the field that it is about, which need not be named there.
 *
 * @param {string} message
 * @param {string} name of the field, with which the message may begin
 */
export function withoutName(message, name) {
  if (!message.toLowerCase().startsWith(name.toLowerCase())) return message;
  const rest = /^\s*[:：]\s*(\S.*)$/s.exec(message.slice(name.length))?.[1] ?? message;
  return rest.charAt(0).toUpperCase() + rest.slice(1);
}

/**
 * Which entry an error is about, -1 where it is about none.
 *
 * @param {string} name as the API calls it: `volumes[1].path`, `env.A`
 * @param {string} field
 * @param {any[]} entries
 */
export function entryOf(name, field, entries) {
  const rest = name.startsWith(field) ? name.slice(field.length) : "";
  const at = /^\[(\d+)\]/.exec(rest);
  if (at) return Number(at[1]);
  return rest.startsWith(".") ? entries.findIndex((one) => one.name === rest.slice(1)) : -1;
}

/**
 * A control with its label, its sentence, and its error while there is one.
 *
 * @param {Words} words
 * @param {HTMLElement} control what is focused and described
 * @param {...Node} around in its place, where it is not alone
 */
export function row({ label, hint }, control, ...around) {
  control.id ||= newId();
  const error = h("p", { class: "spec-error", id: `${control.id}-error`, hidden: true });
  const described = [error.id];
  const sentence = hint ? h("p", { class: "hint", id: `${control.id}-hint` }, hint) : null;
  if (sentence) described.unshift(sentence.id);
  control.setAttribute("aria-describedby", described.join(" "));
  const element = h(
    "div",
    { class: "form-row spec-row" },
    h("label", { for: control.id }, label),
    ...(around.length ? around : [control]),
    error,
    sentence,
  );
  /** @param {string} message "" takes it away */
  const showError = (message) => {
    setText(error, message);
    error.hidden = !message;
    control.toggleAttribute("aria-invalid", false);
    if (message) control.setAttribute("aria-invalid", "true");
  };
  return { element, showError };
}

/**
 * @param {SpecModel} model
 * @param {Path} path
 * @param {Words} words
 * @param {{read?: (text: string) => unknown, show?: (value: any) => string, inputmode?: string}} how
 *   `read`: the value of a text that is not empty
 * @returns {FormField}
 */
export function textField(model, path, words, { read = (x) => x, show = String, inputmode } = {}) {
  const input = h("input", {
    class: words.mono ? "field mono" : "field",
    type: "text",
    inputmode,
    placeholder: words.placeholder,
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
  });
  const { element, showError } = row(words, input);
  const shown = () => {
    const value = model.get(...path);
    return value === undefined ? "" : show(value);
  };
  input.addEventListener("input", () => {
    showError("");
    const text = input.value.trim();
    model.set(path, text === "" ? undefined : read(text));
  });
  return {
    field: path.join("."),
    element,
    showError,
    isSet: () => model.get(...path) !== undefined,
    update: () => {
      // What is being typed stays as it is typed.
      if (document.activeElement !== input && input.value !== shown()) input.value = shown();
    },
  };
}

/** @param {string} text a number where it is one: what else it is, the server says in words */
export function numberOf(text) {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

/** @type {typeof textField} */
export function numberField(model, path, words) {
  return textField(model, path, words, { read: numberOf, inputmode: "decimal" });
}

/** @type {typeof textField} */
export function wordsField(model, path, words) {
  return textField(model, path, { mono: true, ...words }, { show: lineOf });
}

/** Names with commas between. @type {typeof textField} */
export function namesField(model, path, words) {
  return textField(model, path, words, {
    read: (text) => text.split(/[\s,，]+/).filter(Boolean),
    show: (value) => (Array.isArray(value) ? value.join(", ") : String(value)),
  });
}

/**
 * One of a few.
 *
 * @param {SpecModel} model
 * @param {Path} path
 * @param {Words} words
 * @param {[string, string][]} choices value and label; the first is the default
 * @returns {FormField}
 */
export function choiceField(model, path, words, choices) {
  const select = h(
    "select",
    { class: "field" },
    choices.map(([value, label]) => h("option", { value }, label)),
  );
  const { element, showError } = row(words, select);
  select.addEventListener("change", () => {
    showError("");
    model.set(path, select.value === choices[0][0] ? undefined : select.value);
  });
  return {
    field: path.join("."),
    element,
    showError,
    isSet: () => model.get(...path) !== undefined,
    update: () => {
      const value = String(model.get(...path) ?? choices[0][0]);
      // One that there is not stays as somebody wrote it, and the plan says what is wrong with it.
      if (![...select.options].some((one) => one.value === value)) {
        select.append(h("option", { value }, value));
      }
      select.value = value;
    },
  };
}

/**
 * Yes or no, which is no unless it is given.
 *
 * @param {SpecModel} model
 * @param {Path} path
 * @param {{label: string, hint: string}} words
 * @returns {FormField}
 */
export function flagField(model, path, words) {
  const box = h("input", { type: "checkbox" });
  const { element, showError } = row(words, box);
  const label = /** @type {HTMLElement} */ (element.firstElementChild);
  label.classList.add("spec-switch");
  label.prepend(box); // which is in the row by then
  box.addEventListener("change", () => {
    showError("");
    model.set(path, box.checked || undefined);
  });
  return {
    field: path.join("."),
    element,
    showError,
    isSet: () => model.get(...path) !== undefined,
    update: () => {
      box.checked = model.get(...path) === true;
    },
  };
}

/**
 * Whether requests reach it, by which domain and path.
 *
 * @param {SpecModel} model
 * @param {{label: string, hint: string, host: Words, path: Words}} words
 * @returns {FormField}
 */
export function routeField(model, words) {
  const box = h("input", { type: "checkbox", id: newId() });
  const host = textField(model, ["route", "host"], words.host);
  const path = textField(model, ["route", "path"], words.path);
  const inner = h("div", { class: "spec-pair" }, host.element, path.element);
  const element = h(
    "div",
    { class: "form-row" },
    h("label", { class: "spec-switch", for: box.id }, box, words.label),
    h("p", { class: "hint" }, words.hint),
    inner,
  );
  box.addEventListener("change", () => {
    host.showError("");
    path.showError("");
    model.set(["route"], box.checked ? {} : undefined);
  });
  return {
    field: "route",
    element,
    showError: (message, name = "") => {
      host.showError(name === "route.path" ? "" : message);
      path.showError(name === "route.path" ? message : "");
    },
    isSet: () => model.get("route") !== undefined,
    update: () => {
      box.checked = model.get("route") !== undefined;
      inner.hidden = !box.checked;
      host.update();
      path.update();
    },
  };
}

/**
 * How it is found out that it serves: one of several ways, each with a value of its own.
 *
 * @param {SpecModel} model
 * @param {Words & {within: Words}} words
 * @param {{kind: string, label: string, value?: Words}[]} kinds the first is the default
 * @returns {FormField}
 */
export function healthField(model, words, kinds) {
  const select = h(
    "select",
    { class: "field", id: newId() },
    kinds.map(({ kind, label }) => h("option", { value: kind }, label)),
  );
  const { element: choice, showError } = row(words, select);
  /** @type {Record<string, FormField>} */
  const values = {};
  for (const { kind, value } of kinds) {
    if (!value) continue;
    const make = kind === "command" ? wordsField : kind === "tcp" ? tcpField : textField;
    values[kind] = make(model, ["health", kind], value);
  }
  choice.classList.add("spec-whole");
  const within = numberField(model, ["health", "within"], words.within);
  const element = h(
    "div",
    { class: "spec-pair" },
    choice,
    ...Object.values(values).map((one) => one.element),
    within.element,
  );
  const chosen = () => kinds.find(({ kind }) => model.get("health", kind) !== undefined)?.kind;
  select.addEventListener("change", () => {
    const rest = { ...(model.get("health") ?? {}) };
    for (const { kind } of kinds) delete rest[kind];
    const first = { http: "/", tcp: true, command: "true" }[select.value];
    // What no field shows, and does not go with what is chosen.
    if (first !== undefined) delete rest.disabled;
    if (select.value !== "command") delete rest.retries;
    const health = first === undefined ? rest : { [select.value]: first, ...rest };
    model.set(["health"], Object.keys(health).length ? health : undefined);
  });
  return {
    field: "health",
    element,
    showError: (message, name = "") => {
      const its = { ...values, within }[name.split(".")[1]];
      for (const one of [...Object.values(values), within]) one.showError("");
      showError("");
      (its ?? { showError }).showError(message);
    },
    isSet: () => model.get("health") !== undefined,
    update: () => {
      select.value = chosen() ?? "";
      for (const [kind, one] of Object.entries(values)) {
        one.element.hidden = kind !== select.value;
        one.update();
      }
      within.update();
    },
  };
}

/** The app's own port, or another. @type {typeof textField} */
function tcpField(model, path, words) {
  const made = textField(model, path, words, {
    read: numberOf,
    show: (value) => (value === true ? "" : String(value)),
    inputmode: "numeric",
  });
  const input = /** @type {HTMLInputElement} */ (made.element.querySelector("input"));
  input.addEventListener("input", () => {
    if (!input.value.trim()) model.set(path, true);
  });
  return made;
}
