// Keyboards of phones correct a word after it was sent: they select it in the field that they write
// into, and write another in its place. The terminal has it already: it is told to rub out from there
// on, and gets what stands there now.

const RUB_OUT = "\x7f";

/**
 * @param {HTMLTextAreaElement} field that keyboards write into
 * @param {(text: string) => void} send
 */
export function sendReplacements(field, send) {
  // Only what came from a keyboard was sent: what is selected on the screen is put there as well, so
  // that a browser's own menu can copy it.
  let sent = "";
  field.addEventListener("input", () => (sent = field.value));
  field.addEventListener(
    "beforeinput",
    (event) => {
      const replaces = ["insertText", "insertReplacementText"].includes(event.inputType);
      if (!replaces || event.isComposing || field.value !== sent) return;
      const { value, selectionStart: from, selectionEnd: to } = field;
      const text = event.data ?? event.dataTransfer?.getData("text/plain") ?? "";
      if (from === to || !text) return;
      event.preventDefault();
      event.stopPropagation();
      const rest = value.slice(to);
      send(RUB_OUT.repeat([...value.slice(from)].length) + text + rest);
      field.value = sent = value.slice(0, from) + text + rest;
      field.setSelectionRange(from + text.length, from + text.length);
    },
    true,
  );
}
