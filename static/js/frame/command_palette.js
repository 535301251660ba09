// Jump to anything: apps, pages, and what the page can do, by typing a few letters of it.

import { h, icon, setChildren } from "../lib/dom.js";
import { showDialog } from "../lib/dialog.js";
import { t } from "../lib/i18n.js";
import { inventory } from "../live/inventory.js";
import { fuzzy } from "../lib/fuzzy.js";
import { appAddress } from "./addresses.js";
import { appState, stateIcon } from "../live/app_state.js";

/**
 * `hint` says what kind of thing it is; `mark` is what stands before it.
 *
 * @typedef {{name: string, hint: string, mark: () => Element, run: () => void}} Entry
 */

/** @type {(() => Entry[])[]} */
const sources = [apps];
const MOST = 50;

/**
 * Adds entries; asked each time the palette opens.
 *
 * @param {() => Entry[]} source
 */
export function addEntries(source) {
  sources.push(source);
}

/** @returns {Entry[]} */
function apps() {
  return [...inventory.apps.values()].map((app) => ({
    name: app.name,
    hint: t("Logs"),
    mark: () => stateIcon(appState(app)),
    run: () => location.assign(appAddress(app.name)),
  }));
}

/**
 * @param {Entry[]} entries
 * @param {string} query
 */
function best(entries, query) {
  return entries
    .flatMap((entry) => {
      const found = fuzzy(query, entry.name);
      return found ? [{ entry, ...found }] : [];
    })
    .sort((a, b) => b.score - a.score)
    .slice(0, MOST);
}

/**
 * @param {string} text
 * @param {number[]} at
 */
function marked(text, at) {
  const set = new Set(at);
  // By runs, so that letters which join stay joined.
  const runs = [...text.matchAll(/[^]/g)].reduce((all, { 0: letter, index }) => {
    const last = all[all.length - 1];
    const hit = set.has(index);
    if (last && last.hit === hit) last.text += letter;
    else all.push({ hit, text: letter });
    return all;
  }, /** @type {{hit: boolean, text: string}[]} */ ([]));
  return h(
    "span",
    { class: "cut" },
    runs.map((run) => (run.hit ? h("mark", null, run.text) : run.text)),
  );
}

export function openPalette() {
  if (document.querySelector("dialog:modal")) return;
  const entries = sources.flatMap((source) => source());
  const field = h("input", {
    class: "palette-field",
    role: "combobox",
    "aria-expanded": "true",
    "aria-controls": "palette-list",
    "aria-autocomplete": "list",
    "aria-label": t("Jump to anything"),
    placeholder: t("An app, a page, something to do"),
    autocomplete: "off",
    spellcheck: "false",
    autofocus: true,
  });
  const list = h("ul", { class: "palette-list", id: "palette-list", role: "listbox" });
  const dialog = h(
    "dialog",
    { class: "dialog palette", "aria-label": t("Jump to anything") },
    field,
    list,
  );
  /** @type {Entry[]} */
  let shown = [];
  let chosen = 0;

  /** @param {Entry} entry */
  const run = (entry) => {
    dialog.close();
    entry.run();
  };
  /** @param {number} index */
  const choose = (index) => {
    chosen = index;
    for (const [at, option] of [...list.children].entries()) {
      option.setAttribute("aria-selected", String(at === chosen));
      if (at === chosen) option.scrollIntoView({ block: "nearest" });
    }
    if (shown.length) field.setAttribute("aria-activedescendant", `palette-${chosen}`);
    else field.removeAttribute("aria-activedescendant");
  };
  const draw = () => {
    const found = best(entries, field.value);
    shown = found.map((one) => one.entry);
    const options = found.map(({ entry, at }, index) =>
      h(
        "li",
        { role: "option", id: `palette-${index}`, onclick: () => run(entry) },
        entry.mark(),
        marked(entry.name, at),
        h("span", { class: "end" }, entry.hint),
      ),
    );
    setChildren(
      list,
      options.length ? options : [h("li", { class: "palette-none" }, t("Nothing is called that."))],
    );
    choose(0);
  };
  field.addEventListener("input", draw);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && shown.length) {
      event.preventDefault();
      choose((chosen + step + shown.length) % shown.length);
    } else if (event.key === "Enter" && shown[chosen]) {
      event.preventDefault();
      run(shown[chosen]);
    }
  });
  draw();
  showDialog(dialog);
}

/**
 * An entry of the palette with an icon.
 *
 * @param {string} name
 * @param {string} hint
 * @param {string} iconName
 * @param {() => void} run
 * @returns {Entry}
 */
export function entry(name, hint, iconName, run) {
  return { name, hint, mark: () => icon(iconName), run };
}
