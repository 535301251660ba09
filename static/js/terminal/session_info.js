// What can be told of a terminal: what runs in it and where, whether it is busy, how it ended, why it
// was refused.

import { t, tn } from "../lib/i18n.js";

/** @typedef {import("./terminal_socket.js").Ended} Ended */
/** @typedef {import("./terminal_socket.js").Said} Said */

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
 * The container and, when it is no shell, what runs.
 *
 * @param {Session | null} session
 */
export function nameOfSession(session) {
  if (!session) return "";
  const place = session.name || session.container.slice(0, 12);
  const what = /** @type {TerminalRecord} */ (/** @type {any} */ (session));
  const command = session.command.length || session.kind !== "exec" ? commandWords(what) : "";
  return [place, command].filter(Boolean).join(" · ");
}

/** @typedef {import("../types/api.js").Terminal} TerminalRecord */

/** @type {Record<string, () => string>} */
const REASONS = {
  exit: () => t("Its program ended"),
  closed: () => t("Closed by its owner"),
  "signed-out": () => t("Its owner signed out"),
  detached: () => t("Nobody came back in time"),
  idle: () => t("Nobody used it for too long"),
  lifetime: () => t("It had run as long as one may"),
  "container-stopped": () => t("The container stopped"),
  "container-removed": () => t("The container was removed"),
  "engine-lost": () => t("The Docker Engine went away"),
  "server-stopped": () => t("The server was stopped"),
  "server-lost": () => t("The server was lost"),
  "no-shell": () => t("No shell in this image"),
  "not-started": () => t("It could not be started"),
  "command-ended": () => t("Its command ended"),
  admin: () => t("Ended by an administrator"),
};

/**
 * How it ended, without the exit code.
 *
 * @param {string} reason
 */
function reasonWord(reason) {
  return REASONS[reason]?.() ?? reason;
}

/**
 * How it ended, in one sentence without a full stop. The code of what was ended from outside says
 * only that it was.
 *
 * @param {TerminalRecord} terminal
 */
export function endWords({ reason, exit_code: code }) {
  const itself = reason === "exit" || reason === "command-ended";
  if (reason === null) return "";
  if (code === null || !itself) return reasonWord(reason);
  return t("{reason}, exit code {code}", { reason: reasonWord(reason), code: String(code) });
}

/** Whether somebody should look at how it ended. @param {TerminalRecord} terminal */
export function endedBadly({ reason, exit_code: code }) {
  if (reason === "exit" || reason === "command-ended") return Boolean(code);
  return ["engine-lost", "server-lost", "no-shell", "not-started"].includes(reason ?? "");
}

/**
 * What runs in it, as it would be typed.
 *
 * @param {TerminalRecord} terminal
 */
export function commandWords({ command, kind }) {
  if (command.length) return command.map(quoted).join(" ");
  return kind === "toolbox" ? t("toolbox") : t("shell");
}

/** @param {string} word */
function quoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * Where it runs: the container, or this machine.
 *
 * @param {TerminalRecord} terminal
 */
export function placeWords({ name, container, kind }) {
  if (kind === "share") return t("this machine");
  return name || container.slice(0, 12);
}

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
  "sent-away": () => t("The owner of this terminal does not show it to you any more."),
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
