// JSON lines: in a row the message first and the other fields behind it; in an opened row a tree that
// opens and closes, with a copy button per field.

import { h } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { cut, visible } from "./text.js";
/** @typedef {{ message: string | null, fields: [string, unknown][], value: Record<string, unknown> }} JsonLine */

const MESSAGE = [
  "message",
  "msg",
  "@m",
  "@mt",
  "text",
  "event",
  "log",
  "short_message",
  "error",
  "err",
];
// What the row shows already, in its own columns.
const SHOWN =
  /^(?:time|timestamp|ts|@timestamp|@t|t|datetime|date|asctime|level|lvl|severity|levelname|levelno|log\.level|loglevel|log_level|level_name|@l|@level|v)$/i;

const PARSE_UP_TO = 256 * 1024; // characters; parsing more costs a frame

/**
 * @param {string} text without escape sequences
 * @returns {JsonLine | null} null when the text is not one JSON object
 */
export function readJson(text) {
  const start = text.trimStart();
  if (start[0] !== "{" || text.length > PARSE_UP_TO || !text.trimEnd().endsWith("}")) return null;
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (value === null || typeof value !== "object") return null;
  const name = MESSAGE.find((key) => typeof value[key] === "string" && value[key] !== "");
  const fields = Object.entries(value).filter(([key]) => key !== name && !SHOWN.test(key));
  return { message: name === undefined ? null : value[name], fields, value };
}

/**
 * A value in a few characters, for the folded row.
 * @param {unknown} value
 * @param {number} [length] characters at most
 * @returns {string}
 */
export function brief(value, length = 60) {
  let text;
  if (typeof value === "string") text = value;
  else if (Array.isArray(value)) text = value.length ? `[${value.length}]` : "[]";
  else if (value !== null && typeof value === "object")
    text = Object.keys(value).length ? "{…}" : "{}";
  else text = String(value);
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

const OPEN_TO = 2; // levels that are open at first
const CHILDREN_AT_ONCE = 200;
const STRING_AT_MOST = 10_240;

/**
 * @param {unknown} value
 * @param {(text: string) => void} copy
 */
export function drawTree(value, copy) {
  const tree = h("div", { class: "tree" });
  for (const [key, child] of Object.entries(/** @type {object} */ (value))) {
    tree.append(node(key, child, 1, copy));
  }
  return tree;
}

/**
 * @param {string} key
 * @param {unknown} value
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
      onclick: () => copy(typeof value === "string" ? value : JSON.stringify(value, null, 2)),
    },
    t("Copy"),
  );
  if (value === null || typeof value !== "object" || !Object.keys(value).length) {
    return h("div", { class: "tree-leaf" }, name, ": ", leaf(value), copyButton);
  }
  const children = h("div", { class: "tree-children" });
  const summary = h("summary", null, name, " ", h("span", { class: "tree-brief" }, outline(value)));
  const branch = h("details", { class: "tree-branch" }, summary, children);
  const entries = Object.entries(value);
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
 * @param {[string, unknown][]} entries
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

/** @param {object} value */
function outline(value) {
  if (Array.isArray(value)) return `[${value.length}]`;
  return `{ ${Object.keys(value)
    .slice(0, 4)
    .map((key) => visible(brief(key, 20)))
    .join(", ")}${Object.keys(value).length > 4 ? ", …" : ""} }`;
}

/** @param {unknown} value */
function leaf(value) {
  if (typeof value === "string") {
    return h(
      "span",
      { class: "tree-string" },
      cut(value, STRING_AT_MOST).split("\n").map(visible).join("\n"),
    );
  }
  const kind = value === null ? "null" : typeof value;
  const text =
    value !== null && typeof value === "object"
      ? Array.isArray(value)
        ? "[]"
        : "{}"
      : String(value);
  return h("span", { class: `tree-${kind}` }, text);
}
