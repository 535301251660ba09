// Lists in a specification's form: a row for each entry, a button for one more. What a row does
// not show of an entry stays in it.

import { h, icon, setChildren, setText } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { entryOf, newId, numberOf, withoutName } from "./form_fields.js";

/** @typedef {import("./spec_model.js").SpecModel} SpecModel */
/** @typedef {import("./form_fields.js").FormField} FormField */
/** @typedef {import("./form_fields.js").Words} Words */
/**
 * `show`: the text of a cell; `put`: the entry with what was typed into it; `keys`: what of the entry
 * it shows, by which an error finds it.
 *
 * @typedef {{label: string, placeholder?: string, wide?: boolean, kind?: "text" | "password" | "checkbox",
 *   keys?: string[],
 *   show: (entry: any) => string | boolean, put: (entry: any, value: any) => any}} Column
 */

/**
 * A list of entries, `read` out of the model and `write`n back whole.
 *
 * @param {{field: string, label: string, hint: string, add: string, columns: Column[], fresh: any,
 *   read: () => any[], write: (entries: any[]) => void, isDone: (entry: any) => boolean,
 *   paste?: (text: string) => any[]}} made `isDone`: whether it says something yet; `fresh`: a new
 *   entry; `paste`: the entries in a text of several lines
 * @returns {FormField}
 */
export function rowsField(made) {
  /** What the rows show: those of the model, and those that say nothing yet. @type {any[]} */
  let entries = [];
  /** @type {HTMLElement[]} */
  let rows = [];
  const id = newId("rows");
  const list = h("div", { class: "spec-rows" });
  const error = h("p", { class: "spec-error", role: "alert", hidden: true });
  const add = h("button", { class: "button small", type: "button" }, icon("plus"), made.add);
  const element = h(
    "div",
    { class: "form-row", role: "group", "aria-labelledby": id },
    h("span", { class: "spec-label", id }, made.label),
    h("p", { class: "hint" }, made.hint),
    list,
    error,
    h("div", null, add),
  );
  /** The control that an error is about, and where that stands. @type {[Element, Element] | null} */
  let marked = null;
  /**
   * At the row that it is about, where it is about one; below all of them otherwise.
   *
   * @param {string} message
   * @param {string} [name]
   */
  const showError = (message, name = "") => {
    if (marked) {
      const [control, said] = marked;
      said.remove();
      for (const key of ["aria-invalid", "aria-describedby"]) control.removeAttribute(key);
      marked = null;
    }
    const done = entries.filter(made.isDone);
    const row = rows[entries.indexOf(done[entryOf(name, made.field, done)])];
    setText(error, row ? "" : message);
    error.hidden = !message || Boolean(row);
    if (!row || !message) return;
    const control = controlOf(row, name.split(".").at(-1) ?? "");
    const said = h("p", { class: "spec-error", id: newId("row-error"), role: "alert" });
    setText(said, withoutName(message, name));
    row.append(said);
    control.setAttribute("aria-invalid", "true");
    control.setAttribute("aria-describedby", said.id);
    marked = [control, said];
  };
  /**
   * @param {HTMLElement} row
   * @param {string} key of its entry
   */
  const controlOf = (row, key) => {
    const n = made.columns.findIndex(({ keys }) => keys?.includes(key));
    const cell = row.children[Math.max(n, 0)];
    return cell.querySelector("input") ?? cell;
  };
  const write = () => {
    showError("");
    made.write(entries.filter(made.isDone));
  };
  const draw = () => {
    showError("");
    rows = entries.map((entry, n) => rowOf(n));
    setChildren(list, rows);
  };
  /** @param {number} n */
  const rowOf = (n) =>
    h(
      "div",
      { class: "spec-entry" },
      made.columns.map((column) => cellOf(n, column)),
      h(
        "button",
        {
          class: "tool",
          type: "button",
          "aria-label": t("Take away"),
          title: t("Take away"),
          onclick: () => {
            entries.splice(n, 1);
            write();
            draw();
            add.focus();
          },
        },
        icon("close"),
      ),
    );
  /**
   * @param {number} n
   * @param {Column} column
   */
  const cellOf = (n, column) => {
    const value = column.show(entries[n]);
    if (column.kind === "checkbox") {
      const box = h("input", { type: "checkbox", checked: value });
      box.addEventListener("change", () => {
        entries[n] = column.put(entries[n], box.checked);
        write();
      });
      return h("label", { class: "spec-check" }, box, column.label);
    }
    const input = h("input", {
      class: column.wide ? "field mono wide" : "field mono",
      type: column.kind ?? "text",
      value,
      "aria-label": `${made.label}: ${column.label}`,
      placeholder: column.placeholder ?? column.label,
      autocomplete: column.kind === "password" ? "new-password" : "off",
      autocapitalize: "off",
      spellcheck: "false",
    });
    input.addEventListener("input", () => {
      entries[n] = column.put(entries[n], input.value);
      write();
    });
    input.addEventListener("paste", (event) => {
      const text = event.clipboardData?.getData("text") ?? "";
      const found = made.paste && /\n/.test(text.trim()) ? made.paste(text) : [];
      if (!found.length) return;
      event.preventDefault();
      entries.splice(n, made.isDone(entries[n]) ? 0 : 1, ...found);
      write();
      draw();
    });
    return input;
  };
  add.addEventListener("click", () => {
    const row = rowOf(entries.push({ ...made.fresh }) - 1);
    rows.push(row);
    list.append(row);
    row.querySelector("input")?.focus();
  });
  return {
    field: made.field,
    element,
    showError,
    isSet: () => made.read().length > 0,
    update: () => {
      // Rows under somebody's hands stay, also two of one name while the second is being typed.
      if (list.contains(document.activeElement)) return;
      const said = made.read();
      if (JSON.stringify(said) === JSON.stringify(entries.filter(made.isDone))) return;
      entries = said;
      draw();
    },
  };
}

/**
 * Names with values: variables, labels. What is pasted as the text of a .env file becomes rows.
 *
 * @param {SpecModel} model
 * @param {string} key
 * @param {{label: string, hint: string, add: string}} words
 */
export function pairsField(model, key, words) {
  return rowsField({
    ...words,
    field: key,
    fresh: { name: "", value: "" },
    columns: [
      { label: t("Key"), show: (one) => one.name, put: named },
      {
        label: t("Value"),
        wide: true,
        show: (one) => one.value,
        put: (one, value) => ({ ...one, value }),
      },
    ],
    read: () =>
      Object.entries(model.get(key) ?? {}).map(([name, value]) => ({
        name,
        value: value === null ? "" : String(value),
      })),
    write: (entries) => {
      setPairs(model, key, Object.fromEntries(entries.map(({ name, value }) => [name, value])));
    },
    isDone: ({ name }) => name !== "",
    paste: linesOfEnv,
  });
}

/**
 * @param {any} one
 * @param {string} name
 */
function named(one, name) {
  return { ...one, name: name.trim() };
}

/**
 * @param {any} one
 * @param {string} key
 * @param {string} text
 */
function withNumber(one, key, text) {
  const { [key]: _, ...rest } = one;
  return text.trim() ? { ...rest, [key]: numberOf(text.trim()) } : rest;
}

/**
 * Only what differs is written, so that what stands beside it in the text stays.
 *
 * @param {SpecModel} model
 * @param {string} key
 * @param {Record<string, string | null>} wanted
 */
function setPairs(model, key, wanted) {
  const before = model.get(key) ?? {};
  for (const name of Object.keys(before)) if (!(name in wanted)) model.set([key, name], undefined);
  for (const [name, value] of Object.entries(wanted)) {
    if (!(name in before) || String(before[name] ?? "") !== (value ?? "")) {
      model.set([key, name], value);
    }
  }
}

/**
 * The lines of a .env file: quotes around a value are taken off, `export` in front as well.
 *
 * @param {string} text
 */
export function linesOfEnv(text) {
  return text.split(/\r?\n/).flatMap((line) => {
    const found = /^\s*(?:export\s+)?([^\s=#][^=]*?)\s*=\s*(.*?)\s*$/.exec(line);
    if (!found) return [];
    const [, name, value] = found;
    const inner = /^(["'])(.*)\1$/.exec(value);
    return [{ name, value: inner ? inner[2] : value }];
  });
}

/**
 * Secrets: a value is written and never shown again; one that is kept stays until it is written anew.
 *
 * @param {SpecModel} model
 * @param {{label: string, hint: string, add: string}} words
 */
export function secretsField(model, words) {
  return rowsField({
    ...words,
    field: "secrets",
    fresh: { name: "", value: "" },
    columns: [
      { label: t("Key"), show: (one) => one.name, put: named },
      {
        label: t("Value"),
        placeholder: t("Value; empty keeps the one that is there"),
        kind: "password",
        wide: true,
        show: (one) => one.value,
        put: (one, value) => ({ ...one, value }),
      },
    ],
    read: () =>
      Object.keys(model.get("secrets") ?? {}).map((name) => ({
        name,
        value: model.written.get(name) ?? "",
      })),
    write: (entries) => {
      model.written.clear();
      for (const { name, value } of entries) if (value) model.written.set(name, value);
      setPairs(model, "secrets", Object.fromEntries(entries.map(({ name }) => [name, null])));
      model.dispatchEvent(new Event("change"));
    },
    isDone: ({ name }) => name !== "",
    paste: linesOfEnv,
  });
}

/**
 * Volumes by their names, paths of the machine.
 *
 * @param {SpecModel} model
 * @param {{label: string, hint: string, add: string}} words
 */
export function volumesField(model, words) {
  return rowsField({
    ...words,
    field: "volumes",
    fresh: { name: "", path: "" },
    columns: [
      {
        label: t("Volume"),
        keys: ["name", "source"],
        placeholder: "data",
        show: (one) => one.source ?? one.name ?? "",
        put: ({ name: _, source: __, ...rest }, value) =>
          /^[/~.]/.test(value) ? { source: value, ...rest } : { name: value, ...rest },
      },
      {
        label: t("Path in the container"),
        keys: ["path"],
        placeholder: "/var/lib/data",
        wide: true,
        show: (one) => one.path ?? "",
        put: (one, path) => ({ ...one, path }),
      },
      {
        label: t("read only"),
        kind: "checkbox",
        show: (one) => one.read_only === true,
        put: ({ read_only: _, ...rest }, on) => (on ? { ...rest, read_only: true } : rest),
      },
    ],
    read: () => listIn(model, "volumes"),
    write: (entries) => model.set(["volumes"], entries.length ? entries : undefined),
    isDone: (one) => Boolean(one.name || one.source || one.path),
  });
}

/**
 * Ports of the machine.
 *
 * @param {SpecModel} model
 * @param {{label: string, hint: string, add: string}} words
 */
export function portsField(model, words) {
  return rowsField({
    ...words,
    field: "ports",
    fresh: {},
    columns: [
      {
        label: t("Port of the machine"),
        keys: ["published"],
        placeholder: "5432",
        show: (one) => String(one.published ?? ""),
        put: (one, text) => withNumber(one, "published", text),
      },
      {
        label: t("Port of the app"),
        keys: ["target"],
        placeholder: "5432",
        show: (one) => String(one.target ?? ""),
        put: (one, text) => withNumber(one, "target", text),
      },
      {
        label: "UDP",
        kind: "checkbox",
        show: (one) => one.protocol === "udp",
        put: ({ protocol: _, ...rest }, on) => (on ? { ...rest, protocol: "udp" } : rest),
      },
    ],
    read: () => listIn(model, "ports"),
    write: (entries) => model.set(["ports"], entries.length ? entries : undefined),
    isDone: (one) => Boolean(one.published || one.target),
  });
}

/**
 * @param {SpecModel} model
 * @param {string} key
 * @returns {any[]}
 */
function listIn(model, key) {
  const found = model.get(key);
  return Array.isArray(found) ? found.filter((one) => one && typeof one === "object") : [];
}
