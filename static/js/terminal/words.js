// A terminal in words: how it ended, what runs in it, where.

import { t } from "../lib/i18n.js";

/**
 * A terminal as the API describes it.
 *
 * @typedef {{
 *   id: string, kind: "exec" | "toolbox" | "share", app: string, team: string,
 *   container: string, name: string, image: string, command: string[], user: string,
 *   folder: string, account: string, account_id: number | null, address: string,
 *   started: string, ended: string | null, state: "running" | "ended", people: number,
 *   columns: number, rows: number, exit_code: number | null, reason: string,
 *   recorded: boolean, recording_bytes: number, title: string, names?: string[],
 * }} Terminal
 */

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
export function reasonWord(reason) {
  return REASONS[reason]?.() ?? reason;
}

/**
 * How it ended, in one sentence without a full stop. The code of what was ended from outside says
 * only that it was.
 *
 * @param {Terminal} terminal
 */
export function endWords({ reason, exit_code: code }) {
  const itself = reason === "exit" || reason === "command-ended";
  if (code === null || code === undefined || !itself) return reasonWord(reason);
  return t("{reason}, exit code {code}", { reason: reasonWord(reason), code: String(code) });
}

/** Whether somebody should look at how it ended. @param {Terminal} terminal */
export function endedBadly({ reason, exit_code: code }) {
  if (reason === "exit" || reason === "command-ended") return Boolean(code);
  return ["engine-lost", "server-lost", "no-shell", "not-started"].includes(reason);
}

/**
 * What runs in it, as it would be typed.
 *
 * @param {Terminal} terminal
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
 * @param {Terminal} terminal
 */
export function placeWords({ name, container, kind }) {
  if (kind === "share") return t("this machine");
  return name || container.slice(0, 12);
}
