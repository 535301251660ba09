// The JSON of an opened row as a tree that opens and closes, and what can be done with each field. Every
// digit and every key is as it was written.

import { h, icon } from "../lib/dom.js";
import { formatJson, JsonNumber, JsonObject } from "../lib/json.js";
import { t } from "../lib/i18n.js";
import { write } from "./seen_text.js";
import { cut, visible } from "./text.js";

/** @typedef {import("../lib/json.js").Value} Value */

/**
 * @typedef {object} Actions
 * @property {(text: string) => void} copy
 * @property {(name: string, value: string, without: boolean) => void} filter
 * @property {(name: string) => void} column
 * @property {boolean} [byName] fields have their own name alone, and no path
 */

/**
 * A value in a few characters.
 * @param {string} text
 * @param {number} length characters at most
 */
function brief(text, length) {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

const OPEN_TO = 2; // levels that are open at first
const CHILDREN_AT_ONCE = 200;
const STRING_AT_MOST = 10_240;

/**
 * @param {JsonObject} value
 * @param {Actions} actions
 * @param {boolean} [byName]
 */
export function drawTree(value, actions, byName = false) {
  const tree = h("div", { class: "tree" });
  for (const [key, child] of value.pairs) {
    tree.append(node(key, child, key, 1, { ...actions, byName }));
  }
  return tree;
}

/**
 * A value that has none within it.
 * @param {string} key
 * @param {Value} value
 * @param {string} path the name of its field
 * @param {Actions} actions
 */
export function drawLeaf(key, value, path, actions) {
  const name = h("span", { class: "tree-key" }, visible(key));
  const seen = write(value).normalize("NFC");
  /** @param {Node | string} words @param {string} label @param {() => void} run */
  const button = (words, label, run) =>
    h(
      "button",
      {
        class: "small-action tree-copy",
        type: "button",
        "aria-label": label,
        title: label,
        onclick: run,
      },
      words,
    );
  return h(
    "div",
    { class: "tree-leaf" },
    name,
    ": ",
    leaf(value),
    button("+", t("With this {name}", { name: path }), () => actions.filter(path, seen, false)),
    button("−", t("Without this {name}", { name: path }), () => actions.filter(path, seen, true)),
    button(icon("fields"), t("A column for {name}", { name: path }), () => actions.column(path)),
    copyButton(key, value, actions),
  );
}

/** @param {string} key @param {Value} value @param {Actions} actions */
function copyButton(key, value, actions) {
  return h(
    "button",
    {
      class: "small-action tree-copy",
      type: "button",
      "aria-label": t("Copy {name}", { name: key }),
      onclick: () => actions.copy(typeof value === "string" ? value : formatJson(value)),
    },
    t("Copy"),
  );
}

/**
 * @param {string} key
 * @param {Value} value
 * @param {string} path
 * @param {number} depth
 * @param {Actions} actions
 * @returns {HTMLElement}
 */
function node(key, value, path, depth, actions) {
  const entries = childrenOf(value);
  if (!entries.length) return drawLeaf(key, value, path, actions);
  const name = h("span", { class: "tree-key" }, visible(key));
  // An element of an array is a value of the array's field.
  const inner = (/** @type {string} */ one) =>
    Array.isArray(value) ? path : actions.byName ? one : `${path}.${one}`;
  const children = h("div", { class: "tree-children" });
  const summary = h("summary", null, name, " ", h("span", { class: "tree-brief" }, outline(value)));
  const branch = h("details", { class: "tree-branch" }, summary, children);
  const fill = () => {
    if (branch.open && !children.firstChild) grow(children, entries, 0, depth, inner, actions);
    branch.dispatchEvent(new Event("resized", { bubbles: true }));
  };
  branch.addEventListener("toggle", fill);
  if (depth < OPEN_TO) {
    branch.open = true;
    grow(children, entries, 0, depth, inner, actions);
  }
  return h("div", { class: "tree-node" }, branch, copyButton(key, value, actions));
}

/**
 * @param {HTMLElement} parent
 * @param {[string, Value][]} entries
 * @param {number} from
 * @param {number} depth
 * @param {(key: string) => string} inner the name of the field of a key
 * @param {Actions} actions
 */
function grow(parent, entries, from, depth, inner, actions) {
  const to = Math.min(entries.length, from + CHILDREN_AT_ONCE);
  for (const [key, value] of entries.slice(from, to))
    parent.append(node(key, value, inner(key), depth + 1, actions));
  if (to === entries.length) return;
  const more = h(
    "button",
    { class: "small-action", type: "button" },
    t("{n} more", { n: entries.length - to }),
  );
  more.addEventListener("click", () => {
    more.remove();
    grow(parent, entries, to, depth, inner, actions);
    parent.dispatchEvent(new Event("resized", { bubbles: true }));
  });
  parent.append(more);
}

/** @param {Value} value @returns {[string, Value][]} */
function childrenOf(value) {
  if (Array.isArray(value)) return value.map((one, i) => [String(i), one]);
  return value instanceof JsonObject ? value.pairs : [];
}

/** @param {Value} value */
function outline(value) {
  if (!(value instanceof JsonObject)) return `[${childrenOf(value).length}]`;
  const keys = value.pairs.slice(0, 4).map(([key]) => visible(brief(key, 20)));
  return `{ ${keys.join(", ")}${value.pairs.length > 4 ? ", …" : ""} }`;
}

/** @param {Value} value */
function leaf(value) {
  if (typeof value === "string") {
    return h(
      "span",
      { class: "tree-string" },
      cut(value, STRING_AT_MOST).split("\n").map(visible).join("\n"),
    );
  }
  if (value instanceof JsonNumber) return h("span", { class: "tree-number" }, value.text);
  const kind = value === null ? "null" : typeof value;
  return h("span", { class: `tree-${kind}` }, formatJson(value));
}
