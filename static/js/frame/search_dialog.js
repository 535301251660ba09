// The dialog in which what a page looks for is kept under a name, and those that are kept are pinned,
// renamed, opened and deleted.

import { Problem } from "../lib/api.js";
import { h, icon, setChildren, setText } from "../lib/dom.js";
import { openDialog } from "../lib/dialog.js";
import { onSubmit, sentence } from "../lib/form.js";
import { t } from "../lib/i18n.js";
import { confirmButton } from "../lib/list_item.js";
import { aboutOf, nameOf, savedSearches } from "./saved_searches.js";

/** @typedef {import("../types/api.js").SavedSearch} SavedSearch */
/** What a page looks for, and a name for it. @typedef {Omit<import("./saved_searches.js").NewSearch, "pinned">} Asked */

/** @param {Asked} asked */
export function openSearches(asked) {
  const list = h("ul", { class: "items saved-searches" });
  const error = h("p", { class: "error", role: "alert", hidden: true });
  /** @type {Map<number, HTMLElement>} */
  const items = new Map();
  const draw = () => {
    const known = new Set(savedSearches.list.map((one) => one.id));
    for (const id of items.keys()) if (!known.has(id)) items.delete(id);
    const wanted = savedSearches.list.map((one) => {
      let item = items.get(one.id);
      // Nor is a name that somebody is writing anew taken from them.
      const same = item?.dataset.as === asText(one) || item?.querySelector("input:enabled");
      if (!item || !same) items.set(one.id, (item = makeItem(one, fail)));
      return item;
    });
    setChildren(list, wanted);
  };
  /** @param {unknown} thrown */
  const fail = (thrown) => {
    if (!(thrown instanceof Problem)) throw thrown;
    setText(error, sentence(thrown));
    error.hidden = false;
  };
  draw();
  savedSearches.addEventListener("change", draw);
  const dialog = openDialog(t("Saved searches"), saveForm(asked), error, list);
  dialog.classList.add("searches-dialog");
  dialog.addEventListener("close", () => savedSearches.removeEventListener("change", draw));
}

/** @param {Asked} asked */
function saveForm(asked) {
  const name = h("input", {
    class: "field",
    name: "name",
    id: "search-name",
    value: asked.name,
    maxlength: "64",
    required: true,
    autocomplete: "off",
    "aria-describedby": "search-name-about",
  });
  const pinned = h("input", { type: "checkbox", name: "pinned", checked: true });
  const done = h("p", { class: "done", role: "status" });
  const form = h(
    "form",
    { class: "form save-search", method: "post" },
    h(
      "div",
      { class: "form-row" },
      h("label", { for: "search-name" }, t("Save what this page looks for as")),
      h(
        "div",
        { class: "save-search-row" },
        name,
        h("button", { class: "button main", type: "submit", disabled: true }, t("Save")),
      ),
      h("p", { class: "hint mono cut", id: "search-name-about" }, aboutAsked(asked)),
      h("p", { class: "field-error", role: "alert", hidden: true, dataset: { errorOf: "name" } }),
    ),
    h(
      "label",
      { class: "check" },
      pinned,
      t("Pin it to the sidebar, with its count of the last hour"),
    ),
    h("p", { class: "error", role: "alert", hidden: true }),
    done,
  );
  onSubmit(form, async () => {
    setText(done, "");
    await savedSearches.add({ ...asked, name: name.value, pinned: pinned.checked });
    setText(done, t("Saved."));
  });
  requestAnimationFrame(() => name.select());
  return form;
}

/** @param {Asked} asked */
function aboutAsked({ apps, query }) {
  const said = [...new URLSearchParams(query)].map(([key, value]) => `${key}=${value}`).join(" ");
  return `${apps.join(", ") || t("All apps")}${said ? ` · ${said}` : ""}`;
}

/** What is shown of it. @param {SavedSearch} one */
function asText(one) {
  return [one.name, one.address, one.state, one.pinned, one.gone.join()].join("\n");
}

/**
 * @param {SavedSearch} one
 * @param {(thrown: unknown) => void} fail
 */
function makeItem(one, fail) {
  const shown = nameOf(one);
  const label = one.pinned
    ? t("Take {name} out of the sidebar", { name: shown })
    : t("Pin {name} to the sidebar", { name: shown });
  const pin = h(
    "button",
    {
      class: "tool",
      type: "button",
      "aria-pressed": String(one.pinned),
      "aria-label": label,
      title: label,
      onclick: () => void savedSearches.change(one.id, { pinned: !one.pinned }).catch(fail),
    },
    icon("panel"),
  );
  const name = h("span", { class: "item-name" });
  if (one.address) name.append(h("a", { href: one.address }, shown));
  else name.append(shown);
  const rename = h(
    "button",
    {
      class: "button small",
      type: "button",
      "aria-label": t("Rename {name}", { name: shown }),
      onclick: () => renameIn(item, name, one, fail),
    },
    t("Rename"),
  );
  const remove = confirmButton(t("Delete"), t("Delete {name}", { name: shown }), () =>
    savedSearches.remove(one.id),
  );
  const item = h(
    "li",
    { class: "item" },
    name,
    h("span", { class: "item-facts cut" }, aboutOf(one)),
    h("span", { class: "item-actions" }, pin, one.state === "hidden" ? null : rename, remove),
  );
  item.dataset.as = asText(one);
  return item;
}

/**
 * @param {HTMLElement} item
 * @param {HTMLElement} name
 * @param {SavedSearch} one
 * @param {(thrown: unknown) => void} fail
 */
function renameIn(item, name, one, fail) {
  const field = h("input", {
    class: "field",
    value: one.name,
    maxlength: "64",
    "aria-label": t("Name"),
  });
  const before = [...name.childNodes];
  const back = () => name.replaceChildren(...before);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      back();
      /** @type {HTMLElement | null} */ (item.querySelector(".button.small"))?.focus();
    } else if (event.key === "Enter") {
      event.preventDefault();
      const wanted = field.value.trim();
      if (!wanted || wanted === one.name) return back();
      field.disabled = true;
      savedSearches.change(one.id, { name: wanted }).catch((thrown) => {
        back();
        fail(thrown);
      });
    }
  });
  name.replaceChildren(field);
  field.select();
}
