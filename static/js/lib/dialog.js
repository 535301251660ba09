// A dialog over the page: closed by Escape, by its button, by a click beside it. Focus goes back
// to where it was. Or a question, answered by one of its buttons.

import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { successorOf } from "./successor.js";

let count = 0; // one may open another

/**
 * @param {string} title
 * @param {...Node} content
 * @returns {HTMLDialogElement} already open; removed from the page once closed
 */
export function openDialog(title, ...content) {
  const close = () => dialog.close();
  const named = `dialog-title-${++count}`;
  const dialog = h(
    "dialog",
    { class: "dialog", "aria-labelledby": named },
    h(
      "div",
      { class: "dialog-head" },
      h("h2", { id: named }, title),
      h(
        "button",
        { class: "tool", type: "button", "aria-label": t("Close"), onclick: close },
        icon("close"),
      ),
    ),
    h("div", { class: "dialog-body" }, ...content),
  );
  return showDialog(dialog);
}

/**
 * @param {HTMLDialogElement} dialog
 * @returns {HTMLDialogElement}
 */
export function showDialog(dialog) {
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  const opener = document.activeElement;
  dialog.addEventListener("close", () => {
    dialog.remove();
    // The browser gives it back; not to what a list that was drawn anew meanwhile has no more.
    if (opener && !opener.isConnected) successorOf(document, opener)?.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  // What is to be filled in comes before the button that closes. Where fingers type, a field that
  // has the focus brings a keyboard over half of what there is to be read first.
  if (!matchMedia("(pointer: coarse)").matches) firstField(dialog)?.focus();
  return dialog;
}

/**
 * @param {HTMLElement} box
 * @returns {HTMLElement | null}
 */
function firstField(box) {
  const fields = 'input:not([type="hidden"]), select, textarea';
  for (const field of box.querySelectorAll(`.dialog-body :is(${fields}):enabled`))
    if (field instanceof HTMLElement && field.checkVisibility()) return field;
  return null;
}

/**
 * Asks before something is done that cannot be taken back.
 *
 * @template {string} T
 * @param {string} title
 * @param {string | string[]} text a paragraph, or several
 * @param {{[choice in T]: {verb: string, danger?: boolean}}} choices the first one has the focus
 * @returns {Promise<T | null>} null when it was closed
 */
export function confirm(title, text, choices) {
  return new Promise((resolve) => {
    /** @type {T | null} */
    let chosen = null;
    const buttons = /** @type {[T, {verb: string, danger?: boolean}][]} */ (
      Object.entries(choices)
    ).map(([choice, { verb, danger }]) =>
      h(
        "button",
        {
          class: `button${danger ? " danger" : ""}`,
          type: "button",
          onclick: () => {
            chosen = choice;
            dialog.close();
          },
        },
        verb,
      ),
    );
    const dialog = openDialog(
      title,
      ...[text].flat().map((one) => h("p", null, one)),
      h("div", { class: "dialog-choices" }, buttons),
    );
    dialog.addEventListener("close", () => resolve(chosen));
    buttons[0].focus();
  });
}
