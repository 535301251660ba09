// What a key press in a terminal is, before the terminal gets it.

export const mac = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? "");

/**
 * Whether a key press takes the keyboard out of the terminal. Ctrl+Shift+Escape is the system's on
 * Windows, Ctrl+F6 is on a Mac; one of them works everywhere.
 *
 * @param {KeyboardEvent} event
 */
export function leavesTerminal(event) {
  if (event.altKey || event.metaKey || !event.ctrlKey) return false;
  return event.key === "F6" || (event.shiftKey && event.key === "Escape");
}

/**
 * Whether a key press is Ctrl+Shift and this letter: what the key writes decides, and its place only
 * where it writes no Latin letter. With Alt or AltGr held it is the terminal's.
 *
 * @param {KeyboardEvent} event
 * @param {string} letter
 */
export function isShortcut(event, letter) {
  if (!event.ctrlKey || !event.shiftKey || event.altKey || event.metaKey) return false;
  if (event.getModifierState?.("AltGraph")) return false;
  const { key, code } = event;
  if (/^[\x21-\x7e]$/.test(key)) return key.toLowerCase() === letter;
  return code === `Key${letter.toUpperCase()}`;
}
