// What the server is asked about terminals over HTTP, and the name by which it knows this tab.

import { call } from "../lib/api.js";

/** @typedef {import("./terminal_socket.js").Ticket} Ticket */
/** @typedef {import("../types/api.js").NewTerminal} TerminalRequest */

/**
 * @param {TerminalRequest} request
 * @returns {Promise<Ticket>} good for a minute
 * @throws {import("../lib/api.js").Problem}
 */
export async function createTerminal(request) {
  const full = Object.entries(request).filter(([, value]) => value && value.length);
  return call("POST", "/api/v1/terminals", Object.fromEntries(full));
}

/**
 * The folder the shell is in now.
 *
 * @param {string} session
 */
export async function shellFolder(session) {
  try {
    const { folder } = await call("GET", `/api/v1/terminals/${session}/folder`);
    return folder || "/";
  } catch {
    return "/";
  }
}

// The name of this browser tab towards the server, kept over reloads: by it a terminal knows that
// the page that comes back is the one that left. A duplicated tab gets a name of its own.

const NAME = "terminal-client";
const USED = "terminal-client-used";

function fresh() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @returns {string} */
function findTab() {
  try {
    // A tab that is duplicated takes its storage along while the page in it is still open.
    const known = sessionStorage.getItem(USED) ? null : sessionStorage.getItem(NAME);
    const name = known ?? fresh();
    sessionStorage.setItem(NAME, name);
    sessionStorage.setItem(USED, "1");
    addEventListener("pagehide", () => sessionStorage.removeItem(USED));
    addEventListener("pageshow", () => sessionStorage.setItem(USED, "1"));
    return name;
  } catch {
    return fresh();
  }
}

export const tabId = findTab();
