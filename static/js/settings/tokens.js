// One's own API tokens: made, given another secret, revoked; until when each is good.

import { call } from "../lib/api.js";
import { openDialog } from "../lib/dialog.js";
import { byId, h, icon, setChildren } from "../lib/dom.js";
import { onSubmit } from "../lib/form.js";
import { formatTime, t, tn } from "../lib/i18n.js";
import { redraw } from "../lib/redraw.js";
import { confirmButton, keyed, listItem, when } from "../lib/list_item.js";
import { endField, howLong, USUAL } from "./end_field.js";

/** @typedef {import("../types/api.js").Token} Token */

const HOUR = 3600; // seconds

export function followTokenForm() {
  const form = /** @type {HTMLFormElement} */ (byId("token-form"));
  const end = endField("token-end", t("Ends"), USUAL);
  form.querySelector("[type=submit]")?.before(...end.rows);
  onSubmit(form, async ({ name }) => {
    const made = await call("POST", "/api/v1/tokens", { name, ...end.read() });
    form.reset();
    end.reset();
    setChildren(byId("token-made"), [secretBox(made.token)]);
    await showTokens();
  });
}

/** @param {string} secret */
function secretBox(secret) {
  const copy = h(
    "button",
    {
      class: "button small",
      type: "button",
      onclick: async () => {
        await navigator.clipboard.writeText(secret);
        setChildren(copy, [icon("check"), h("span", null, t("Copied"))]);
      },
    },
    icon("copy"),
    h("span", null, t("Copy")),
  );
  return h(
    "div",
    { class: "secret" },
    h("p", null, t("This is the token. It is not shown again: copy it now.")),
    h("code", null, secret),
    h("div", null, copy),
  );
}

export async function showTokens() {
  const { tokens } = await call("GET", "/api/v1/tokens");
  redraw(byId("tokens"), tokens.map(tokenItem));
}

/** @param {Token} token */
function tokenItem(token) {
  const revoke = confirmButton(t("Revoke"), t("Revoke {name}", { name: token.name }), async () => {
    await call("DELETE", place(token));
    await showTokens();
  });
  const item = listItem(
    token.name,
    [
      token.role === "admin" ? t("Administrator") : t("Viewer"),
      !token.own && t("made on the command line"),
      when(t("made"), token.created_at),
      token.seen_at ? usedFact(token.seen_at, token.address) : t("never used"),
      token.ends_at ? endFact(token.ends_at) : t("without an end"),
      token.old_ends_at !== null &&
        howLong(token.old_ends_at) >= 0 &&
        when(t("the old secret ends"), token.old_ends_at),
    ],
    h("span", { class: "item-actions" }, rotateButton(token), revoke),
  );
  return keyed(item, token.id);
}

/**
 * @param {string} seenAt
 * @param {string} address
 */
function usedFact(seenAt, address) {
  const said = when(t("used"), seenAt);
  if (address) said.append(` ${t("from {address}", { address })}`);
  return said;
}

/** @param {string} endsAt */
export function endFact(endsAt) {
  const long = howLong(endsAt);
  const days = Math.round((Date.parse(endsAt) - Date.now()) / 86_400_000);
  const said =
    days > 1
      ? h(
          "time",
          { datetime: endsAt, title: formatTime(endsAt) },
          tn("ends in {n} day", "ends in {n} days", days),
        )
      : when(long < 0 ? t("ended") : t("ends"), endsAt);
  if (long <= 0) said.className = long < 0 ? "badge bad" : "badge warn";
  return said;
}

/** @param {Token} token */
function rotateButton(token) {
  const verb = t("New secret…");
  const onclick = () => rotate(token);
  return h(
    "button",
    { class: "button small", type: "button", "aria-label": `${verb} ${token.name}`, onclick },
    verb,
  );
}

/** @param {Token} token */
function rotate(token) {
  const end = endField("rotate-end", t("Ends"), USUAL);
  const overlap = h(
    "select",
    { class: "field", id: "rotate-overlap", name: "overlap" },
    h("option", { value: String(HOUR) }, t("an hour more")),
    h("option", { value: String(24 * HOUR) }, t("a day more")),
    h("option", { value: "0" }, t("no more, from now on")),
  );
  const form = h(
    "form",
    { class: "form line", method: "post" },
    ...end.rows,
    h(
      "div",
      { class: "form-row short" },
      h("label", { for: overlap.id }, t("The old one works")),
      overlap,
    ),
    h("button", { class: "button main", type: "submit" }, t("Make it")),
    h("p", { class: "error", role: "alert", hidden: true }),
  );
  const says = t(
    "The token stays what it is and gets another secret. Give that to its programs while the old one works.",
  );
  openDialog(
    t("A new secret for {name}", { name: token.name }),
    h("p", { class: "muted" }, says),
    form,
  );
  onSubmit(form, async (values) => {
    const asked = { ...end.read(), overlap: Number(values.overlap) };
    const made = await call("POST", `${place(token)}/rotation`, asked);
    const box = secretBox(made.token);
    form.replaceWith(box);
    /** @type {HTMLElement | null} */ (box.querySelector("button"))?.focus();
    await showTokens();
  });
}

/** @param {Token} token */
function place(token) {
  return `/api/v1/tokens/${encodeURIComponent(token.id)}`;
}
