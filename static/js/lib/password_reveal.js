// The eye in a password field: shows what was typed, for as long as it is pressed in.

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
