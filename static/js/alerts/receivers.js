// Who is told: the list, the form, the test.

import { call, Problem } from "../lib/api.js";
import { byId, h } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { t, tn } from "../lib/i18n.js";
import { confirmButton, keyed, listItem } from "../lib/list_item.js";
import { redraw } from "../lib/redraw.js";
import { toast } from "../lib/toast.js";
import {
  check,
  choice,
  field,
  isHouse,
  openForm,
  rowButton,
  showFields,
  teamChoices,
} from "./forms.js";

/** @typedef {import("../types/api.js").Receiver} Receiver */

/** The receivers that the reader sees. @type {Receiver[]} */
export let receivers = [];

const list = byId("receivers");

/** @type {Record<Receiver["kind"], readonly string[]>} */
const FIELDS = {
  webhook: ["address", "secret"],
  dingtalk: ["address", "secret"],
  feishu: ["address", "secret"],
  wecom: ["address"],
  email: ["host", "port", "security", "user", "password", "sender", "to"],
};
const ALL = [...new Set(Object.values(FIELDS).flat())];

/** @returns {Record<Receiver["kind"], string>} */
function kinds() {
  return {
    webhook: t("Webhook"),
    email: t("E-mail"),
    dingtalk: t("DingTalk"),
    feishu: t("Feishu"),
    wecom: t("WeCom"),
  };
}

export async function loadReceivers() {
  ({ receivers } = await call("GET", "/api/v1/alerts/receivers"));
  redraw(list, receivers.map(row));
  byId("receivers-none").hidden = receivers.length > 0;
}

/** @param {Receiver} one */
function row(one) {
  const { id, name } = one;
  const facts = [
    kinds()[one.kind],
    one.kind === "email" ? one.to.join(", ") : one.shown,
    one.team !== "default" && t("team {team}", { team: one.team }),
    !one.enabled && t("off"),
    one.quiet && t("quiet {hours}", { hours: one.quiet }),
  ];
  const actions = h("span", { class: "item-actions" });
  if (one.may_change) {
    actions.append(
      rowButton(t("Test"), t("Test {name}", { name }), () => void test(one)),
      rowButton(t("Change"), t("Change {name}", { name }), () => openReceiver(one)),
      confirmButton(t("Delete"), t("Delete {name}", { name }), async () => {
        await call("DELETE", `/api/v1/alerts/receivers/${id}`);
        await loadReceivers();
      }),
    );
  }
  const item = keyed(listItem(name, facts, actions), id);
  if (one.failures) {
    const failed = tn("{n} failure in a row: {why}", "{n} failures in a row: {why}", one.failures, {
      n: one.failures,
      why: one.why,
    });
    item.append(h("p", { class: "alerts-text alerts-bad" }, failed));
  }
  return item;
}

/** @param {Receiver} one */
async function test(one) {
  toast(t("Asking {name} …", { name: one.name }), { stays: true });
  try {
    const said = await call("POST", `/api/v1/alerts/receivers/${one.id}/test`, {});
    const words = [said.code, said.text].filter(Boolean).join(" ");
    if (said.accepted) toast(t("{name} has taken it", { name: one.name }));
    else
      toast(t("{name} has not taken it: {why}", { name: one.name, why: words }), { stays: true });
  } catch (thrown) {
    if (!(thrown instanceof Problem)) throw thrown;
    toast(sentence(thrown), { stays: true });
  }
  dispatchEvent(new Event("alerts-told"));
  await loadReceivers();
}

/** @param {Receiver} [one] a new one without */
export function openReceiver(one) {
  const kept = one ? t("Kept; not shown again. Leave it empty to keep it.") : "";
  const others = receivers.filter((other) => other.id !== one?.id);
  const form = openForm(
    one ? t("Change {name}", { name: one.name }) : t("A new receiver"),
    [
      field("name", t("What it is called"), {
        value: one?.name ?? "",
        required: true,
        maxlength: 100,
      }),
      !one && choice("kind", t("Kind"), Object.entries(kinds())),
      !one && choice("team", t("Team"), teamChoices({ all: false })),
      field("address", t("Address"), { type: "url", placeholder: "https://…" }, kept),
      field("secret", t("Secret, if it has one"), { type: "password" }, kept),
      field("host", t("Mail server"), { value: one?.host ?? "" }),
      field("port", t("Port (0: the usual one)"), {
        type: "number",
        min: 0,
        max: 65535,
        value: one?.port ?? 0,
      }),
      choice(
        "security",
        t("Encryption"),
        [
          ["starttls", "STARTTLS"],
          ["tls", "TLS"],
          ["none", t("none")],
        ],
        one?.security,
      ),
      field("user", t("User"), { value: one?.user ?? "" }),
      field("password", t("Password"), { type: "password" }, kept),
      field("sender", t("From"), { type: "email", value: one?.sender ?? "" }),
      field("to", t("To, with commas in between"), { value: one?.to.join(", ") ?? "" }),
      choice(
        "language",
        t("Language"),
        [
          ["zh", "中文"],
          ["en", "English"],
        ],
        one?.language ?? (document.documentElement.lang.startsWith("zh") ? "zh" : "en"),
      ),
      field(
        "quiet",
        t("Quiet hours"),
        { value: one?.quiet ?? "", placeholder: "22:00-07:00" },
        t("Only what is critical comes then; the rest comes afterwards."),
      ),
      choice(
        "second",
        t("If it does not take a message, tell as well"),
        [
          ["0", t("nobody")],
          .../** @type {[string, string][]} */ (others.map(({ id, name }) => [String(id), name])),
        ],
        String(one?.second ?? 0),
      ),
      check(
        "everything",
        t("Takes all alerts of the team that no rule sends elsewhere"),
        one?.everything ?? true,
      ),
      check("enabled", t("On"), one?.enabled ?? true),
      isHouse() &&
        check(
          "private",
          t("It may be on a private network or this machine"),
          one?.private ?? false,
        ),
    ],
    async (values) => {
      const body = bodyOf(values, one);
      if (one) await call("PATCH", `/api/v1/alerts/receivers/${one.id}`, body);
      else await call("POST", "/api/v1/alerts/receivers", body);
      await loadReceivers();
    },
  );
  const kind = form.elements.namedItem("kind");
  const follow = () => {
    const now = one?.kind ?? /** @type {HTMLSelectElement} */ (kind).value;
    showFields(form, FIELDS[/** @type {Receiver["kind"]} */ (now)], ALL);
  };
  if (kind instanceof HTMLSelectElement) kind.addEventListener("change", follow);
  follow();
}

/**
 * @param {Record<string, string>} values
 * @param {Receiver} [one]
 */
function bodyOf(values, one) {
  /** @type {Record<string, unknown>} */
  const body = { ...values, everything: "everything" in values, enabled: "enabled" in values };
  // What a person may not say is left out: it stays as it is.
  if (isHouse()) body.private = "private" in values;
  body.second = Number(values.second);
  if ("port" in values) body.port = Number(values.port || 0);
  if ("to" in values) {
    body.to = values.to
      .split(/[,;\s]+/)
      .map((part) => part.trim())
      .filter(Boolean);
  }
  for (const name of ["address", "secret", "password"]) if (one && !values[name]) delete body[name];
  for (const name of ["sender", "host"]) if (!values[name]) delete body[name];
  return body;
}
