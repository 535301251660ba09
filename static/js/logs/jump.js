// Jump to a date and a time.

import { byId, setText } from "../lib/dom.js";
import { formatTime, t } from "../lib/i18n.js";
import { readMoment } from "./times.js";

/** @param {(ms: number) => void} go */
export function setUpJump(go) {
  const menu = byId("log-jump-menu");
  const form = /** @type {HTMLFormElement} */ (byId("log-jump-form"));
  const field = /** @type {HTMLInputElement} */ (byId("log-jump-text"));
  const picker = /** @type {HTMLInputElement} */ (byId("log-jump-when"));
  const hint = byId("log-jump-hint");

  const show = () => {
    const ms = readMoment(field.value, Date.now());
    field.setAttribute("aria-invalid", String(field.value !== "" && ms === null));
    if (ms !== null) setText(hint, formatTime(ms));
    else if (field.value) setText(hint, t("Not a time that is understood here"));
    else setText(hint, t("Such as 14:03, 05-01 14:03, 10m ago"));
    return ms;
  };
  const leave = (/** @type {number} */ ms) => {
    menu.hidePopover();
    go(ms);
  };

  field.addEventListener("input", show);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const ms = show();
    if (ms !== null) leave(ms);
    else field.focus();
  });
  picker.addEventListener("change", () => {
    const ms = new Date(picker.value).getTime();
    if (Number.isNaN(ms)) return;
    field.value = picker.value.replace("T", " ");
    show();
  });
  for (const button of menu.querySelectorAll("[data-ago]")) {
    const minutes = Number(/** @type {HTMLElement} */ (button).dataset.ago);
    button.addEventListener("click", () => leave(Date.now() - minutes * 60_000));
  }
  menu.addEventListener("toggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState !== "open") return;
    field.select();
    show();
  });
}
