// What happened to a terminal, in sentences: ends, refusals, notices.

import { t, tn } from "../lib/i18n.js";

/** @typedef {import("./terminal_socket.js").Ended} Ended */
/** @typedef {import("./terminal_socket.js").Said} Said */

/** @type {Record<string, () => string>} */
const ENDS = {
  closed: () => t("This terminal was ended."),
  "signed-out": () => t("This terminal ended because its owner signed out."),
  detached: () => t("This terminal ended because nobody came back to it in time."),
  idle: () => t("This terminal ended because nothing happened in it for too long."),
  lifetime: () => t("This terminal ended because it was open as long as one may be."),
  "container-stopped": () => t("The container has stopped, and the terminal with it."),
  "container-removed": () => t("The container was removed, and the terminal with it."),
  "engine-lost": () => t("The Docker Engine went away, and the terminal with it."),
  "server-stopped": () => t("The server was stopped or restarted; that ends every terminal."),
  "server-lost": () => t("The server broke off; that ended every terminal."),
  "no-shell": () => t("There is no shell in this image."),
  "not-started": () => t("Nothing could be started in this container."),
  "command-ended": () => t("The command that was shown here has ended."),
  admin: () => t("An administrator has ended this terminal."),
};

/**
 * How it ended, for whoever sat before it.
 *
 * @param {Ended} ended
 */
export function endSentence({ reason, code }) {
  if (reason !== "exit" && reason !== "command-ended") return (ENDS[reason] ?? ENDS.closed)();
  if (code === null) return reason === "exit" ? t("The program has ended.") : ENDS[reason]();
  return code === 0
    ? t("The program has ended (exit code 0).")
    : t("The program has ended with exit code {code}.", { code: String(code) });
}

/** What explains it further, as the engine or the server said it. @param {Ended} ended */
export function endFact({ reason, message }) {
  return ["not-started", "engine-lost"].includes(reason) ? message : "";
}

/** @type {Record<string, () => string>} */
const REFUSALS = {
  "no-such-terminal": () =>
    t("There is no such terminal: it has ended, or its link is not valid any more."),
  "ticket-refused": () => t("This terminal waited too long to be opened."),
  "too-many-terminals": () =>
    t("There are as many terminals open as are allowed. End one, then try again."),
  "container-not-running": () => t("The container does not run."),
  "no-such-container": () => t("The container is not there any more."),
  "engine-unreachable": () => t("The Docker Engine does not answer."),
  "no-shell": () => t("There is no shell in this image."),
  "not-started": () => t("Nothing could be started in this container."),
  forbidden: () => t("Only administrators may open terminals."),
};

/** @param {Said | null} said */
export function refusalSentence(said) {
  const known = said && REFUSALS[said.code];
  return known ? known() : t("The terminal could not be opened.");
}

/** What the server said, unless the sentence above says it all. @param {Said | null} said */
export function refusalFact(said) {
  return said && !["no-such-terminal", "ticket-refused", "no-shell"].includes(said.code)
    ? said.message
    : "";
}

/** @type {Record<string, () => string>} */
const NOTICES = {
  paused: () => t("The container is paused: what you type waits until it goes on."),
  "recording-stopped": () => t("This terminal is not recorded any more."),
  "toolbox-no-ipc": () =>
    t("The toolbox has not joined the container's shared memory, which it does not share."),
  pulling: () => t("The image of the toolbox is being fetched."),
  toolbox: () =>
    t(
      "A toolbox beside the container: it sees its processes and its network, and its files under /proc/1/root.",
    ),
};

/** @param {Said} said */
export function noticeSentence(said) {
  const minutes = said.code === "ending-soon" && /(\d+) minute/.exec(said.message);
  if (minutes) {
    const n = Number(minutes[1]);
    return tn(
      "The limits of the server end this terminal in {n} minute.",
      "The limits of the server end this terminal in {n} minutes.",
      n,
    );
  }
  return NOTICES[said.code]?.() ?? said.message.charAt(0).toUpperCase() + said.message.slice(1);
}
