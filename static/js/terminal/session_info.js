// What can be told of a terminal from outside.

import { commandWords } from "./words.js";

/** @typedef {import("./xterm.js").Terminal} Terminal */
/** @typedef {import("./terminal_socket.js").Session} Session */

/** What prompts of shells end with. */
const PROMPT = /[$#%>❯»λ]\s*$/;

/**
 * Whether a program seems to be at work: a full screen of its own, or a last line that does not
 * look like a shell that waits. A guess, only good for asking before something is closed.
 *
 * @param {Terminal} terminal
 */
export function looksBusy(terminal) {
  const buffer = terminal.buffer.active;
  if (buffer.type === "alternate") return true;
  const line = buffer.getLine(buffer.baseY + buffer.cursorY);
  const text = line?.translateToString(true, 0, buffer.cursorX) ?? "";
  return !PROMPT.test(text);
}

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
 * The container and, when it is no shell, what runs.
 *
 * @param {Session | null} session
 */
export function nameOfSession(session) {
  if (!session) return "";
  const place = session.name || session.container.slice(0, 12);
  const what = /** @type {import("./words.js").Terminal} */ (/** @type {any} */ (session));
  const command = session.command.length || session.kind !== "exec" ? commandWords(what) : "";
  return [place, command].filter(Boolean).join(" · ");
}
