// People: who has an account and what they may do. Only an administrator's page has it.

import { call } from "../lib/api.js";
import { byId, h, setChildren } from "../lib/dom.js";
import { onSubmit } from "../lib/form.js";
import { t } from "../lib/i18n.js";
import { confirmButton, listItem, when } from "../lib/list_item.js";

/** @typedef {import("../types/api.js").Account} Person */

const form = document.getElementById("person-form");

if (form instanceof HTMLFormElement) {
  onSubmit(form, async ({ username, password, role }) => {
    await call("POST", "/api/v1/accounts", { username, password, role });
    form.reset();
    await showPeople();
  });
}

export async function showPeople() {
  if (!form) return;
  const { accounts } = await call("GET", "/api/v1/accounts");
  setChildren(byId("people"), accounts.map(personItem));
}

/** @param {Person} person */
function personItem(person) {
  const { id, username: name } = person;
  const isAdmin = person.role === "admin";
  const own = name === form?.dataset.own;
  const change = confirmButton(
    isAdmin ? t("Make a viewer") : t("Make an administrator"),
    isAdmin ? t("Make {name} a viewer", { name }) : t("Make {name} an administrator", { name }),
    async () => {
      await call("PATCH", `/api/v1/accounts/${id}`, { role: isAdmin ? "viewer" : "admin" });
      await showPeople();
    },
  );
  const remove = confirmButton(t("Delete"), t("Delete {name}", { name }), async () => {
    await call("DELETE", `/api/v1/accounts/${id}`);
    await showPeople();
  });
  return listItem(
    name,
    [
      isAdmin ? t("Administrator") : t("Viewer"),
      person.signed_in_at ? when(t("signed in"), person.signed_in_at) : t("never signed in"),
    ],
    own
      ? h("span", { class: "badge ok" }, t("You"))
      : h("span", { class: "item-actions" }, change, remove),
  );
}
