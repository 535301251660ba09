// The JSON of an opened row as a tree that opens and closes, with a copy button per field. Every digit
// and every key is as it was written.

import { h } from "../lib/dom.js";
import { formatJson, JsonNumber, JsonObject } from "../lib/json.js";
import { t } from "../lib/i18n.js";
import { cut, visible } from "./text.js";

/** @typedef {import("../lib/json.js").Value} Value */

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
 * @param {(text: string) => void} copy
 */
export function drawTree(value, copy) {
  const tree = h("div", { class: "tree" });
  for (const [key, child] of value.pairs) {
    tree.append(node(key, child, 1, copy));
  }
  return tree;
}

/**
 * @param {string} key
 * @param {Value} value
 * @param {number} depth
 * @param {(text: string) => void} copy
 * @returns {HTMLElement}
 */
function node(key, value, depth, copy) {
  const name = h("span", { class: "tree-key" }, visible(key));
  const copyButton = h(
    "button",
    {
      class: "small-action tree-copy",
      type: "button",
      "aria-label": t("Copy {name}", { name: key }),
      onclick: () => copy(typeof value === "string" ? value : formatJson(value)),
    },
    t("Copy"),
  );
  const entries = childrenOf(value);
  if (!entries.length) {
    return h("div", { class: "tree-leaf" }, name, ": ", leaf(value), copyButton);
  }
  const children = h("div", { class: "tree-children" });
  const summary = h("summary", null, name, " ", h("span", { class: "tree-brief" }, outline(value)));
  const branch = h("details", { class: "tree-branch" }, summary, children);
  const fill = () => {
    if (branch.open && !children.firstChild) grow(children, entries, 0, depth, copy);
    branch.dispatchEvent(new Event("resized", { bubbles: true }));
  };
  branch.addEventListener("toggle", fill);
  if (depth < OPEN_TO) {
    branch.open = true;
    grow(children, entries, 0, depth, copy);
  }
  return h("div", { class: "tree-node" }, branch, copyButton);
}

/**
 * @param {HTMLElement} parent
 * @param {[string, Value][]} entries
 * @param {number} from
 * @param {number} depth
 * @param {(text: string) => void} copy
 */
function grow(parent, entries, from, depth, copy) {
  const to = Math.min(entries.length, from + CHILDREN_AT_ONCE);
  for (const [key, value] of entries.slice(from, to))
    parent.append(node(key, value, depth + 1, copy));
  if (to === entries.length) return;
  const more = h(
    "button",
    { class: "small-action", type: "button" },
    t("{n} more", { n: entries.length - to }),
  );
  more.addEventListener("click", () => {
    more.remove();
    grow(parent, entries, to, depth, copy);
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
