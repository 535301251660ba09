// Asks for a new terminal.

import { call } from "../lib/api.js";

/** @typedef {import("./terminal_socket.js").Ticket} Ticket */
/**
 * `command`: a text, split into words as a shell would and given to none, or the words.
 *
 * @typedef {{
 *   container: string, command?: string | string[], user?: string, folder?: string,
 *   kind?: "exec" | "toolbox",
 * }} Wish
 */

/**
 * @param {Wish} wish
 * @returns {Promise<Ticket>} good for a minute
 * @throws {import("../lib/api.js").Problem}
 */
export async function askForTerminal(wish) {
  const full = Object.entries(wish).filter(([, value]) => value && value.length);
  return call("POST", "/api/v1/terminals", Object.fromEntries(full));
}
