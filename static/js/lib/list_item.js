// Lists in the settings: a thing, what is known of it, and what can be done to it.

import { Problem } from "./api.js";
import { h, setText } from "./dom.js";
import { sentence } from "./form.js";
import { t } from "./i18n.js";
import { showRelative } from "./relative_time.js";

/**
 * @param {string} name
 * @param {(string | Node | false | null)[]} facts what is false, null or empty is left out
 * @param {Element} action
 */
export function listItem(name, facts, action) {
  const shown = facts.filter((fact) => fact !== false && fact !== null && fact !== "");
  return h(
    "li",
    { class: "item" },
    h("span", { class: "item-name" }, name),
    h(
      "span",
      { class: "item-facts" },
      shown.flatMap((fact, i) => (i ? [" · ", fact] : [fact])),
    ),
    action,
  );
}

/**
 * By which it is known again when its list is drawn anew.
 *
 * @template {HTMLElement} T
 * @param {T} item
 * @param {string | number} key
 */
export function keyed(item, key) {
  item.dataset.key = String(key);
  return item;
}

/**
 * @param {string} what
 * @param {string} time
 */
export function when(what, time) {
  const element = h("time");
  showRelative(element, time);
  return h("span", null, `${what} `, element);
}

/**
 * A button that asks once more before it does what cannot be taken back. While it asks, a list that is drawn
 * anew leaves it as it is.
 *
 * @param {string} verb
 * @param {string} label with the verb in it as it is written: whoever speaks to a page says what they see
 * @param {() => Promise<void>} run
 */
export function confirmButton(verb, label, run) {
  const forget = (/** @type {Element} */ button) => {
    delete (/** @type {HTMLElement} */ (button).dataset.sure);
    setText(button, verb);
    button.setAttribute("aria-label", label);
  };
  const press = async (/** @type {HTMLButtonElement} */ button) => {
    if (!button.dataset.sure) {
      button.dataset.sure = "yes";
      setText(button, t("Really?"));
      button.setAttribute("aria-label", `${label}: ${t("Really?")}`);
      return;
    }
    delete button.dataset.sure;
    button.disabled = true;
    try {
      await run();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setText(button, sentence(error));
      button.removeAttribute("aria-label");
      button.disabled = false;
    }
    // Whoever pressed it by a key is where they were, if that is still there.
    if (button.isConnected && document.activeElement === document.body) button.focus();
  };
  return h(
    "button",
    {
      class: "button small danger",
      type: "button",
      "aria-label": label,
      dataset: { key: label },
      onclick: (/** @type {Event} */ { currentTarget }) =>
        press(/** @type {HTMLButtonElement} */ (currentTarget)),
      onblur: (/** @type {Event} */ { currentTarget }) =>
        forget(/** @type {HTMLButtonElement} */ (currentTarget)),
    },
    verb,
  );
}
