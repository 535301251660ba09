// The keys of a page: what a press is called, keys one after the other, and one registry, so that
// `?` can show all of them.

import { h, isTyping, setText } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { openDialog } from "../lib/dialog.js";

/**
 * `keys`: "/", "g l" (one after the other), "mod+k" (Ctrl, on a Mac ⌘), "N" (with shift), "Enter",
 * "space". `run` returns false to let the browser have the key. `typing`: also while a field has
 * the focus. Without a label it is not listed under `?`.
 *
 * @typedef {{
 *   keys: string | string[], label?: string, group?: string, typing?: boolean,
 *   run: (event: KeyboardEvent) => void | false,
 * }} Binding
 */

const WITHIN = 1_200; // ms between the keys of one sequence

/** Recognises "g l" from "g" and then "l". */
export class Sequence {
  #before = "";
  #at = -Infinity;

  /**
   * What the press completes among the known keys ("g l", "j"), "begun" when it starts one of
   * several, "" when it is none.
   *
   * @param {string} name
   * @param {number} at ms
   * @param {string[]} known
   */
  press(name, at, known) {
    const before = at - this.#at <= WITHIN ? this.#before : "";
    this.#before = "";
    const both = before ? `${before} ${name}` : name;
    for (const keys of before ? [both, name] : [name]) {
      if (known.includes(keys)) return keys;
      if (known.some((one) => one.startsWith(`${keys} `))) {
        this.#before = keys;
        this.#at = at;
        return "begun";
      }
    }
    return "";
  }
}

/** @type {Set<Binding>} */
const bindings = new Set();
const sequence = new Sequence();
const mac = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? "");

/**
 * Adds keys; what it returns takes them away again. A later binding of the same keys wins.
 *
 * @param {Binding} binding
 * @returns {() => void}
 */
export function bind(binding) {
  bindings.add(binding);
  return () => bindings.delete(binding);
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (event.defaultPrevented || event.isComposing) return;
  const name = nameOf(event, mac);
  if (!name) return;
  const typing = isTyping(event.target);
  const modal = document.querySelector("dialog:modal") !== null;
  const all = [...bindings].reverse();
  const usable = modal ? [] : all.filter((one) => !typing || one.typing);
  const found = sequence.press(
    name,
    event.timeStamp,
    usable.flatMap((one) => [one.keys].flat()),
  );
  if (found === "begun") return;
  const binding = usable.find((one) => [one.keys].flat().includes(found));
  if (!binding || ownsKey(event.target, name)) return;
  if (binding.run(event) !== false) event.preventDefault();
}

/** What a press does something to, in the browser itself or by its role. */
const PRESSED =
  "a, button, summary, input, select, textarea, label, [role=option], [role=button], [role=checkbox], [role=switch], [role=tab], [role^=menuitem]";
/** What is moved with the arrows and their like. */
const MOVED =
  "input[type=radio], input[type=range], select, [role=slider], [role=separator], [role=tab], [role=listbox], [role=radiogroup]";
const PRESSES = ["Enter", "space"];
const MOVES = /^(Arrow|Page|Home$|End$)/;

/**
 * Whether a key belongs to what has the focus: Enter and space to a button, a link, a check box; an
 * arrow to what is moved with arrows. The page's own meaning of the key has to wait.
 *
 * @param {EventTarget | null} target
 * @param {string} name of the key
 */
export function ownsKey(target, name) {
  if (!(target instanceof Element)) return false;
  if (PRESSES.includes(name)) return target.closest(PRESSED) !== null;
  return MOVES.test(name) && target.closest(MOVED) !== null;
}

/**
 * The caps that show these keys.
 *
 * @param {string} keys
 * @returns {HTMLElement[]}
 */
function caps(keys) {
  return keys.split(" ").flatMap((press) => capNames(press).map((name) => h("kbd", null, name)));
}

/**
 * What stands on the caps of one press.
 *
 * @param {string} press
 * @param {boolean} [ofMac]
 * @returns {string[]}
 */
export function capNames(press, ofMac = mac) {
  if (press.startsWith("mod+")) {
    const key = press.slice(4);
    return [ofMac ? "⌘" : "Ctrl", key === "enter" ? "⏎" : key.toUpperCase()];
  }
  /** @type {Record<string, string>} */
  const names = {
    space: t("Space"),
    ArrowUp: "↑",
    ArrowDown: "↓",
    ArrowLeft: "←",
    ArrowRight: "→",
    Escape: "Esc",
    PageUp: "Page ↑",
    PageDown: "Page ↓",
  };
  if (/^[A-Z]$/.test(press)) return ["⇧", press];
  return [names[press] ?? press];
}

/** Shows every key that does something on this page. */
export function showKeys() {
  /** @type {Map<string, Binding[]>} */
  const groups = new Map();
  for (const binding of bindings) {
    if (!binding.label) continue;
    const group = binding.group ?? t("Everywhere");
    groups.set(group, [...(groups.get(group) ?? []), binding]);
  }
  const sections = [...groups].map(([group, list]) =>
    h(
      "section",
      null,
      h("h3", null, group),
      h(
        "dl",
        null,
        list.map((one) => h("div", null, h("dt", null, one.label), keyList(one))),
      ),
    ),
  );
  openDialog(t("Keys"), h("div", { class: "keys" }, sections));
}

/** @param {Binding} binding */
function keyList(binding) {
  return h("dd", null, [binding.keys].flat().slice(0, 2).flatMap(caps));
}

/** Listens, and shows the caps of keys in the page as this machine names them. */
export function startKeys() {
  addEventListener("keydown", onKey);
  bind({ keys: "?", label: t("All keys"), run: showKeys });
  bind({
    keys: "/",
    label: t("Find an app"),
    run: () => {
      dispatchEvent(new Event("find-app"));
    },
  });
  for (const cap of document.querySelectorAll("kbd[data-keys]")) {
    setText(cap, capText(/** @type {HTMLElement} */ (cap).dataset.keys ?? ""));
  }
}

/** @param {string} keys */
function capText(keys) {
  return keys
    .split(" ")
    .flatMap((press) => capNames(press))
    .join(" ");
}

/**
 * The keys of a button, to stand in it: a screen reader is told of them by `?`.
 *
 * @param {string} keys
 */
export function keyHint(keys) {
  return h("kbd", { "aria-hidden": "true" }, capText(keys));
}

/**
 * The name of a key press, or "" when it is only a modifier or belongs to the browser or system.
 *
 * @param {Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">} event
 * @param {boolean} mac
 */
export function nameOf(event, mac) {
  const { key } = event;
  if (["Shift", "Control", "Alt", "Meta", "Dead", "Process"].includes(key)) return "";
  const mod = mac ? event.metaKey : event.ctrlKey;
  const other = mac ? event.ctrlKey : event.metaKey;
  if (event.altKey || other) return "";
  const name = key === " " ? "space" : key;
  return mod ? `mod+${name.toLowerCase()}` : name;
}
