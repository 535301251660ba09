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
 * @param {string} what
 * @param {string} time
 */
export function when(what, time) {
  const element = h("time");
  showRelative(element, time);
  return h("span", null, `${what} `, element);
}

/**
 * A button that asks once more before it does what cannot be taken back.
 *
 * @param {string} verb
 * @param {string} label with the verb in it as it is written: whoever speaks to a page says what they see
 * @param {() => Promise<void>} run
 */
export function confirmButton(verb, label, run) {
  let sure = false;
  const button = h("button", { class: "button small danger", type: "button" }, verb);
  button.setAttribute("aria-label", label);
  const forget = () => {
    sure = false;
    delete button.dataset.sure;
    setText(button, verb);
    button.setAttribute("aria-label", label);
  };
  button.addEventListener("blur", forget);
  button.addEventListener("click", async () => {
    if (!sure) {
      sure = true;
      button.dataset.sure = "yes";
      setText(button, t("Really?"));
      button.setAttribute("aria-label", `${label}: ${t("Really?")}`);
      return;
    }
    button.disabled = true;
    try {
      await run();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setText(button, sentence(error));
      button.removeAttribute("aria-label");
      button.disabled = false;
    }
  });
  return button;
}
