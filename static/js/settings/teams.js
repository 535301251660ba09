// Teams: what they have only who is in them reaches. Only an administrator's page has them.

import { call } from "../lib/api.js";
import { byId, h } from "../lib/dom.js";
import { onSubmit } from "../lib/form.js";
import { t, tn } from "../lib/i18n.js";
import { redraw } from "../lib/redraw.js";
import { confirmButton, keyed, listItem } from "../lib/list_item.js";

/**
 * @typedef {import("../types/api.js").Account} Account
 * @typedef {import("../types/api.js").Member} Member
 * @typedef {import("../types/api.js").Team} Team
 */

const EVERYBODYS = "default"; // which every installation has

/** @param {string} team */
const place = (team) => `/api/v1/teams/${encodeURIComponent(team)}`;

/**
 * What the two forms do. Whoever is in a team is said of people too: `changed` shows both anew.
 *
 * @param {() => Promise<void>} changed
 */
export function followTeamForms(changed) {
  onSubmit(/** @type {HTMLFormElement} */ (byId("team-form")), async ({ name }) => {
    await call("POST", "/api/v1/teams", { name: name.trim() });
    /** @type {HTMLFormElement} */ (byId("team-form")).reset();
    await changed();
  });
  onSubmit(
    /** @type {HTMLFormElement} */ (byId("member-form")),
    async ({ account, team, role }) => {
      await call("PUT", `${place(team)}/members/${account}`, { role });
      await changed();
    },
  );
}

/**
 * @param {Account[]} accounts
 * @param {() => Promise<void>} changed
 */
export async function showTeams(accounts, changed) {
  const { teams } = await call("GET", "/api/v1/teams");
  redraw(
    byId("teams"),
    teams.flatMap((/** @type {Team} */ team) => teamItems(team, changed)),
  );
  setOptions(
    "member-account",
    accounts.map(({ id, username }) => [String(id), username]),
  );
  setOptions(
    "member-team",
    teams.map((/** @type {Team} */ { name }) => [name, name]),
  );
}

/**
 * @param {Team} team
 * @param {() => Promise<void>} changed
 */
function teamItems({ name, apps, members }, changed) {
  const remove = confirmButton(t("Delete"), t("Delete {name}", { name }), async () => {
    await call("DELETE", place(name));
    await changed();
  });
  const facts = [
    apps ? tn("{n} app", "{n} apps", apps) : t("no apps"),
    !members.length && t("nobody is in it"),
  ];
  const itself = listItem(
    name,
    facts,
    name === EVERYBODYS ? h("span", { class: "muted" }, t("manages the installation")) : remove,
  );
  return [keyed(itself, name), ...members.map((member) => memberItem(name, member, changed))];
}

/**
 * @param {string} team
 * @param {Member} member
 * @param {() => Promise<void>} changed
 */
function memberItem(team, { account, username: name, role }, changed) {
  const leave = confirmButton(
    t("Take out"),
    t("Take out of {team}: {name}", { name, team }),
    async () => {
      await call("DELETE", `${place(team)}/members/${account}`);
      await changed();
    },
  );
  const item = listItem(name, [role === "admin" ? t("Administrator") : t("Viewer")], leave);
  item.classList.add("member");
  return keyed(item, `${team} ${account}`);
}

/**
 * What can be chosen now; what was chosen stays so, where it is still there.
 *
 * @param {string} id
 * @param {string[][]} choices value and text of each
 */
function setOptions(id, choices) {
  const select = /** @type {HTMLSelectElement} */ (byId(id));
  const before = select.value;
  redraw(
    select,
    choices.map(([value, text]) => h("option", { value, selected: value === before }, text)),
  );
}
