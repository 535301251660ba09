// Settings: look, password, API tokens, sign-ins; and for an administrator people and teams.

import "../frame/frame.js";
import { call, Problem } from "../lib/api.js";
import { openDialog } from "../lib/dialog.js";
import { byId, h, setText } from "../lib/dom.js";
import { onSubmit, revealPasswords, sentence } from "../lib/form.js";
import { t } from "../lib/i18n.js";
import { redraw } from "../lib/redraw.js";
import { confirmButton, keyed, listItem, when } from "../lib/list_item.js";
import { setLanguage, setTheme } from "../frame/appearance.js";
import { browserName } from "./browser_name.js";
import { endField } from "./end_field.js";
import { followTeamForms, showTeams } from "./teams.js";
import { endFact, followTokenForm, showTokens } from "./tokens.js";

/** @typedef {import("../types/api.js").Account} Account */

// Accounts: who has one and what they may do. Only an administrator's page has it.

const accountForm = document.getElementById("account-form");

if (accountForm instanceof HTMLFormElement) {
  onSubmit(accountForm, async ({ username, password, role }) => {
    await call("POST", "/api/v1/accounts", { username, password, role });
    accountForm.reset();
    await showAccounts();
  });
  followTeamForms(showAccounts);
}

async function showAccounts() {
  if (!accountForm) return;
  const { accounts } = await call("GET", "/api/v1/accounts");
  redraw(byId("accounts"), accounts.map(accountItem));
  await showTeams(accounts, showAccounts);
}

/** @param {Account} account */
function accountItem(account) {
  const { id, username: name } = account;
  const isAdmin = account.role === "admin";
  const own = name === accountForm?.dataset.own;
  const change = confirmButton(
    isAdmin ? t("Make a viewer") : t("Make an administrator"),
    isAdmin ? t("Make a viewer: {name}", { name }) : t("Make an administrator: {name}", { name }),
    async () => {
      await call("PATCH", `/api/v1/accounts/${id}`, { role: isAdmin ? "viewer" : "admin" });
      await showAccounts();
    },
  );
  const remove = confirmButton(t("Delete"), t("Delete {name}", { name }), async () => {
    await call("DELETE", `/api/v1/accounts/${id}`);
    await showAccounts();
  });
  const item = listItem(
    name,
    [
      roleOf(account),
      account.signed_in_at ? when(t("signed in"), account.signed_in_at) : t("never signed in"),
      account.ends_at !== null && endFact(account.ends_at),
    ],
    own
      ? h("span", { class: "badge ok" }, t("You"))
      : h(
          "span",
          { class: "item-actions" },
          setPasswordButton(account),
          endButton(account),
          change,
          remove,
        ),
  );
  return keyed(item, id);
}

/** For who has lost theirs. @param {Account} account */
function setPasswordButton({ id, username: name }) {
  const onclick = () => {
    const field = h("input", {
      ...{ class: "field", id: "set-password", name: "password", type: "password" },
      ...{ required: true, minlength: 8, maxlength: 1024, autocomplete: "new-password" },
    });
    const form = h(
      "form",
      { class: "form line", method: "post" },
      h("div", { class: "form-row" }, h("label", { for: field.id }, t("New password")), field),
      h("button", { class: "button main", type: "submit" }, t("Set it")),
      h("p", { class: "error", role: "alert", hidden: true }),
    );
    const says = t("Who is signed in with the old one is signed out everywhere.");
    openDialog(t("A new password for {name}", { name }), h("p", { class: "muted" }, says), form);
    onSubmit(form, async ({ password }) => {
      await call("PATCH", `/api/v1/accounts/${id}`, { password });
      form.replaceWith(h("p", { role: "status" }, t("The password is set.")));
    });
    field.focus();
  };
  const label = t("New password for {name}", { name });
  return h(
    "button",
    { class: "button small", type: "button", "aria-label": label, onclick },
    t("New password…"),
  );
}

/** For who is here for a while, or not any more. @param {Account} account */
function endButton({ id, username: name, ends_at: endsAt }) {
  const onclick = () => {
    const end = endField("account-end", t("Nobody signs in by it"), endsAt ? "never" : "now", {
      now: true,
    });
    const form = h(
      "form",
      { class: "form line", method: "post" },
      ...end.rows,
      h("button", { class: "button main", type: "submit" }, t("Set it")),
      h("p", { class: "error", role: "alert", hidden: true }),
    );
    const says = t(
      "From then on the account is signed out everywhere and its tokens are refused. Nothing of it is deleted, and it can be switched on again.",
    );
    const dialog = openDialog(
      t("The end of {name}'s account", { name }),
      h("p", { class: "muted" }, says),
      form,
    );
    onSubmit(form, async () => {
      await call("PATCH", `/api/v1/accounts/${id}`, end.read());
      dialog.close();
      await showAccounts();
    });
  };
  const verb = t("Switch off or on…");
  return h(
    "button",
    { class: "button small", type: "button", "aria-label": `${verb} ${name}`, onclick },
    verb,
  );
}

/** @param {Account} account */
function roleOf({ role }) {
  if (!role) return t("in teams below only");
  return role === "admin" ? t("Administrator") : t("Viewer");
}

// What is the reader's own

/**
 * @typedef {import("../types/api.js").Session} Session
 */

document.addEventListener("change", (event) => {
  const input = /** @type {HTMLInputElement} */ (event.target);
  if (input.name === "lang") setLanguage(input.value);
  if (input.name === "theme")
    setTheme(/** @type {import("../frame/appearance.js").Theme} */ (input.value));
});

// Password

revealPasswords();

const passwordForm = /** @type {HTMLFormElement} */ (byId("password-form"));
const changed = /** @type {HTMLElement} */ (passwordForm.querySelector(".done"));

onSubmit(passwordForm, async ({ current, new: fresh }) => {
  changed.hidden = true;
  try {
    await call("POST", "/api/v1/me/password", { old_password: current, new_password: fresh });
  } catch (error) {
    // At the sign-in it is "name or password"; here only the password can be wrong.
    if (error instanceof Problem && error.code === "wrong-password") {
      throw new Problem(error.status, "said", t("The password you have now is another one."));
    }
    throw error;
  }
  passwordForm.reset();
  setText(changed, t("The password is changed."));
  changed.hidden = false;
  await showLogins();
});

followTokenForm();

// Where one is signed in

async function showLogins() {
  const { sessions } = await call("GET", "/api/v1/sessions");
  redraw(byId("logins"), sessions.map(loginItem));
}

/** @param {Session} login */
function loginItem(login) {
  const name = browserName(login.agent) || t("A browser");
  const item = listItem(
    name,
    [
      login.address,
      when(t("signed in"), login.created_at),
      !login.current && login.seen_at && when(t("seen"), login.seen_at),
    ],
    login.current
      ? h("span", { class: "badge ok" }, t("This browser"))
      : confirmButton(t("Sign out"), t("Sign out {name}", { name }), async () => {
          await call("DELETE", `/api/v1/sessions/${encodeURIComponent(login.id)}`);
          await showLogins();
        }),
  );
  return keyed(item, login.id);
}

/** @param {unknown} error */
function failed(error) {
  if (!(error instanceof Problem)) throw error;
  const text = h("p", { class: "error", role: "alert" }, sentence(error));
  document.querySelector(".settings")?.prepend(text);
}

void Promise.all([showTokens(), showLogins(), showAccounts()]).catch(failed);
