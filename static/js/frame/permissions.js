// What the reader may do: the server decides it anew with each call, and the page shows no more.

import { inventory } from "../live/inventory.js";

/**
 * @param {"terminal" | "deploy" | "manage"} what a shell in a container is root there; `manage` is
 *   for what nobody can take back
 * @param {string} [app] with this one; without it, with any
 */
export function may(what, app) {
  const teams = (document.body.dataset[`${what}Teams`] ?? "").split(" ").filter(Boolean);
  const team = app === undefined ? undefined : inventory.apps.get(app)?.team;
  return team === undefined ? teams.length > 0 : teams.includes(team);
}
