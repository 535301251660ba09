// What the reader may do: the server decides it anew with each call, and the page shows no more.

import { inventory } from "../live/inventory.js";

/**
 * @param {"terminal" | "deploy" | "manage"} what a shell in a container is root there; `manage` is
 *   for what nobody can take back
 * @param {string} [app] with this one; without it, with any
 */
export function may(what, app) {
  const teams = teamsWhere(what);
  const team = app === undefined ? undefined : inventory.apps.get(app)?.team;
  return team === undefined ? teams.length > 0 : teams.includes(team);
}

/**
 * The teams with whose things the reader may do that.
 *
 * @param {"terminal" | "deploy" | "manage"} what
 */
export function teamsWhere(what) {
  return (document.body.dataset[`${what}Teams`] ?? "").split(" ").filter(Boolean);
}
