// Asks before something that runs is ended.

import { openDialog } from "./dialog.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";

/**
 * @template {string} T
 * @param {string} title
 * @param {string} text
 * @param {{[choice in T]: {verb: string, danger?: boolean}}} choices the first one has the focus
 * @returns {Promise<T | null>} null when it was closed
 */
export function choose(title, text, choices) {
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
      h("p", null, text),
      h("div", { class: "term-choices" }, buttons),
    );
    dialog.addEventListener("close", () => resolve(chosen));
    buttons[0].focus();
  });
}

/**
 * @param {string} name
 * @returns {Promise<boolean>}
 */
export async function sureToEnd(name) {
  const chosen = await choose(
    t("End this terminal?"),
    t("Something seems to run in {name}. Ending the terminal ends it, too.", { name }),
    { end: { verb: t("End it"), danger: true }, keep: { verb: t("Cancel") } },
  );
  return chosen === "end";
}
