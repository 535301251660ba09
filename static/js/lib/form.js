// A form that is sent by script: one at a time, its error beside it until the next try; and the eye
// in a password field. In the page its button is disabled, and its method post: before this script is
// there the browser would send the form by itself, a password as part of the address.

import { Problem } from "./api.js";
import { setText } from "./dom.js";
import { t, tn } from "./i18n.js";

/**
 * @param {HTMLFormElement} form with a `.error` in it; what is wrong with one of its fields is said in
 *   the element with `data-error-of` its name, where there is one
 * @param {(values: Record<string, string>) => Promise<void>} send throws a Problem
 */
export function onSubmit(form, send) {
  const error = /** @type {HTMLElement} */ (form.querySelector(".error"));
  // What is wrong is said here, and not by the browser: in its own language, beside what was said before.
  form.noValidate = true;
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("[type=submit]"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    error.hidden = true;
    clearFields(form);
    const wrong = firstWrong(form);
    if (wrong) {
      const said = new Problem(0, "wrong-field", fault(wrong), null, wrong.name);
      if (showAtField(form, said)) return;
      const label = wrong.labels?.[0]?.textContent?.trim();
      setText(error, label ? `${label}: ${said.message}` : said.message);
      error.hidden = false;
      wrong.setAttribute("aria-invalid", "true");
      return wrong.focus();
    }
    button.disabled = true;
    const values = Object.fromEntries([...new FormData(form)].map(([k, v]) => [k, String(v)]));
    try {
      await send(values);
    } catch (thrown) {
      if (!(thrown instanceof Problem)) throw thrown;
      if (showAtField(form, thrown)) return;
      setText(error, sentence(thrown));
      error.hidden = false;
    } finally {
      button.disabled = false;
    }
  });
  button.disabled = false;
}

/**
 * @param {HTMLFormElement} form
 * @returns {HTMLInputElement | undefined} or another field that says what it takes
 */
function firstWrong(form) {
  return /** @type {HTMLInputElement[]} */ ([...form.elements]).find(
    (field) => field.willValidate && !field.validity.valid,
  );
}

/**
 * What is wrong with what is in a field, by what the field says that it takes.
 *
 * @param {Pick<HTMLInputElement, "validity" | "minLength" | "maxLength" | "min" | "max">} field
 */
export function fault({ validity, minLength, maxLength, min, max }) {
  if (validity.valueMissing) return t("This has to be filled in.");
  if (validity.tooShort) {
    return tn("At least {n} character.", "At least {n} characters.", minLength);
  }
  if (validity.tooLong) return tn("At most {n} character.", "At most {n} characters.", maxLength);
  if (validity.rangeUnderflow) return t("{n} or more.", { n: min });
  if (validity.rangeOverflow) return t("{n} or less.", { n: max });
  return t("What is in it cannot be used here.");
}

/**
 * Whether there is something in a field; else that is said, here as everywhere, and not by the browser
 * in a language of its own. For a form that is not sent by onSubmit.
 *
 * @param {HTMLInputElement} field
 * @param {HTMLElement} error where it is said
 */
export function isFilled(field, error) {
  const filled = field.value.trim() !== "";
  setText(error, filled ? "" : t("This has to be filled in."));
  error.hidden = filled;
  field.setAttribute("aria-invalid", String(!filled));
  if (!filled) field.focus();
  return filled;
}

/** @param {HTMLFormElement} form */
function clearFields(form) {
  for (const element of form.querySelectorAll("[data-error-of]")) {
    /** @type {HTMLElement} */ (element).hidden = true;
  }
  for (const field of form.querySelectorAll("[aria-invalid]"))
    field.removeAttribute("aria-invalid");
}

/**
 * @param {HTMLFormElement} form
 * @param {Problem} problem
 * @returns {boolean} false where it is about no field that has a place for it
 */
function showAtField(form, problem) {
  const [name] = problem.field.split(/[.[]/, 1);
  const place = name && form.querySelector(`[data-error-of="${CSS.escape(name)}"]`);
  const field = name && form.elements.namedItem(name);
  if (!(place instanceof HTMLElement) || !(field instanceof HTMLElement)) return false;
  setText(place, sentence(problem));
  place.hidden = false;
  field.setAttribute("aria-invalid", "true");
  field.focus();
  return true;
}

/**
 * What a person is told. The server's sentence is in their language; those that people meet
 * often are said better here.
 *
 * @param {Problem} problem
 */
export function sentence(problem) {
  switch (problem.code) {
    case "unreachable":
      return t("The server does not answer. Check that it runs, then try again.");
    case "wrong-password":
      return t("The name or the password is wrong.");
    case "too-many-attempts": {
      const seconds = problem.retryAfter ?? 60;
      const wait = tn(
        "Too many failed attempts. Try again in {n} second.",
        "Too many failed attempts. Try again in {n} seconds.",
        seconds,
      );
      const help = t(
        "Who looks after the server can let you in at once: python -m cloudbang user passwd NAME",
      );
      return `${wait} ${help}`;
    }
    case "":
      return t("Something went wrong ({status}). Try again.", { status: String(problem.status) });
    default:
      return problem.message.charAt(0).toUpperCase() + problem.message.slice(1);
  }
}

/** Makes the eyes of the page's password fields show what was typed, for as long as they are pressed in. */
export function revealPasswords() {
  for (const element of document.querySelectorAll("[data-reveal]")) {
    const button = /** @type {HTMLElement} */ (element);
    const field = document.getElementById(button.dataset.reveal ?? "");
    if (!(field instanceof HTMLInputElement)) continue;
    button.addEventListener("click", () => {
      const shown = field.type === "text";
      field.type = shown ? "password" : "text";
      button.setAttribute("aria-pressed", String(!shown));
      field.focus();
    });
    // A password that is left readable goes into the browser's history of forms.
    field.form?.addEventListener("submit", () => {
      field.type = "password";
      button.setAttribute("aria-pressed", "false");
    });
  }
}
