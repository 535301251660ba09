// The page of alerts: what is on, who is told, by which rules, and what came of telling them.

import "../frame/frame.js";
import { appAddress } from "../frame/addresses.js";
import { bind } from "../frame/keys.js";
import { call, Problem } from "../lib/api.js";
import { byId, h, setAttribute, setChildren, setText } from "../lib/dom.js";
import { onSubmit, sentence } from "../lib/form.js";
import { t, tn } from "../lib/i18n.js";
import { listItem, when } from "../lib/list_item.js";
import { toast } from "../lib/toast.js";
import { rowButton } from "./forms.js";
import { loadReceivers, openReceiver, receivers } from "./receivers.js";
import { loadRules, openRule } from "./rules.js";

/**
 * @typedef {import("../types/api.js").Alert} Alert
 * @typedef {import("../types/api.js").AlertMessage} AlertMessage
 */

const EVERY = 5_000; // ms; it is told elsewhere, and here for whoever looks
const PAST = 50;

const error = byId("alerts-error");

async function loadAlerts() {
  const path = "/api/v1/alerts";
  const { alerts: open } = await call("GET", `${path}?state=open`);
  setChildren(byId("alerts-open"), open.map(row));
  setAttribute(byId("alerts-open"), "aria-busy", "false");
  byId("alerts-none").hidden = open.length > 0;
  const { alerts: past } = await call("GET", `${path}?state=resolved&limit=${PAST}`);
  setChildren(byId("alerts-past"), past.map(row));
  byId("alerts-past-box").hidden = !past.length;
}

/** @param {Alert} alert */
function row(alert) {
  const { id, app, subject, text } = alert;
  const on = alert.state !== "resolved";
  const facts = [
    h(
      "span",
      { class: alert.severity === "critical" && on ? "alerts-bad" : "alerts-warn" },
      alert.rule_name,
    ),
    app ? h("a", { href: appAddress(app) }, app) : subject,
    when(t("began"), alert.began),
    alert.ended && when(t("over"), alert.ended),
    alert.state === "flapping" && t("begins and ends again and again"),
    alert.acknowledged_by && t("{who} looks at it", { who: alert.acknowledged_by }),
    toldWords(alert),
  ];
  const actions = h("span", { class: "item-actions" });
  if (on && alert.may_acknowledge && !alert.acknowledged) {
    actions.append(
      rowButton(t("I look at it"), `${t("I look at it")}: ${text}`, () => void acknowledge(id)),
    );
  }
  return listItem(text, facts, actions);
}

/** Whether anybody was told. @param {Alert} alert */
function toldWords({ told }) {
  if (told.sent) return tn("told by {n} message", "told by {n} messages", told.sent);
  if (told.pending) return t("waits to be told");
  if (told.failed) return t("nobody could be told");
  if (told.held) return t("held back");
  return t("told to nobody");
}

/** @param {number} id */
async function acknowledge(id) {
  await call("POST", `/api/v1/alerts/${id}/acknowledgement`, {});
  await loadAlerts();
}

// What was told

/** @returns {Record<AlertMessage["state"], string>} */
function states() {
  return {
    sent: t("sent"),
    pending: t("waits"),
    failed: t("failed"),
    held: t("held back"),
    merged: t("put into a digest"),
  };
}

/** @type {number | null} */
let older = null;

/** @param {number} [before] */
async function loadMessages(before) {
  const query = before ? `&before=${before}` : "";
  const { messages, next } = await call("GET", `/api/v1/alerts/messages?limit=30${query}`);
  const list = byId("messages");
  if (before) list.append(...messages.map(messageRow));
  else setChildren(list, messages.map(messageRow));
  byId("messages-none").hidden = list.children.length > 0;
  older = next;
  byId("messages-more").hidden = next === null;
}

/** @param {AlertMessage} message */
function messageRow(message) {
  const bad = message.state === "failed" || (message.state === "pending" && message.tries > 0);
  const facts = [
    h("span", { class: bad && "alerts-bad" }, states()[message.state]),
    message.receiver_name || t("a receiver that was deleted"),
    when(t("made"), message.created),
    message.tries > 1 && tn("{n} try", "{n} tries", message.tries),
  ];
  const item = listItem(message.title, facts, h("span"));
  const last = message.attempts.at(-1);
  const why =
    last && !last.accepted ? [last.code, last.text].filter(Boolean).join(" ") : message.why;
  const lines =
    message.state === "merged" ? message.lines : [...message.lines, why].filter(Boolean);
  item.append(h("p", { class: "alerts-text" }, lines.join("\n")));
  return item;
}

// The sign of life

async function loadSign() {
  const form = document.getElementById("sign-form");
  if (!(form instanceof HTMLFormElement)) return;
  show(await call("GET", "/api/v1/alerts/sign_of_life"));
  onSubmit(form, async ({ address, minutes, private: inside }) => {
    const body = { minutes: Number(minutes), private: inside === "1", address: address || null };
    show(await call("PUT", "/api/v1/alerts/sign_of_life", body));
    toast(t("Saved"));
  });

  /** @param {import("../types/api.js").SignOfLife} sign */
  function show(sign) {
    const parts = [
      sign.minutes
        ? t("{address} is asked every {n} minutes", { address: sign.shown, n: sign.minutes })
        : t("None is given."),
      sign.why && t("the last one was not taken: {why}", { why: sign.why }),
    ];
    setText(byId("sign-now"), parts.filter(Boolean).join(" · "));
    const fields = /** @type {HTMLFormElement} */ (form).elements;
    const minutes = /** @type {HTMLInputElement} */ (fields.namedItem("minutes"));
    minutes.value = String(sign.minutes);
    /** @type {HTMLInputElement} */ (fields.namedItem("address")).value = "";
    /** @type {HTMLInputElement} */ (fields.namedItem("private")).checked = sign.private;
  }
}

/** @param {() => Promise<unknown>} load */
async function guarded(load) {
  try {
    await load();
    error.hidden = true;
  } catch (thrown) {
    if (!(thrown instanceof Problem)) throw thrown;
    setText(error, sentence(thrown));
    error.hidden = false;
  }
}

/** @param {string} id @param {string} keys @param {() => void} run */
function button(id, keys, run) {
  const found = document.getElementById(id);
  if (!(found instanceof HTMLButtonElement)) return;
  found.disabled = false;
  found.addEventListener("click", run);
  bind({ keys, label: found.firstChild?.textContent ?? "", group: t("Alerts"), run });
}

button("receiver-new", "n", () => openReceiver());
button("rule-new", "r", () => openRule(receivers));
byId("messages-more").addEventListener("click", () => void loadMessages(older ?? 0));
addEventListener("alerts-told", () => void guarded(() => loadMessages()));
setInterval(() => {
  const idle = document.visibilityState === "visible" && !document.querySelector("dialog[open]");
  const focused = byId("alerts-open").contains(document.activeElement);
  if (idle && !focused) void guarded(loadAlerts);
}, EVERY);
await guarded(() =>
  Promise.all([loadAlerts(), loadReceivers(), loadRules(), loadMessages(), loadSign()]),
);
