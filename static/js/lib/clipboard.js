// Puts text into the clipboard, also where a page has none.

/**
 * @param {string} text
 * @returns {Promise<boolean>} false where the browser does not allow it
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Over plain HTTP a page has no clipboard; the older way still works.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "quiet";
    // Inside of an open dialog: nothing outside of it can have the focus.
    (document.querySelector("dialog:modal") ?? document.body).append(area);
    const focused = document.activeElement;
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
    return copied;
  }
}
