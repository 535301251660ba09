// The page of alerts: what is on, who is told, by which rules, and what came of telling them.

import "../frame/frame.js";
import { appAddress } from "../frame/addresses.js";
import { bind } from "../frame/keys.js";
import { call, Problem } from "../lib/api.js";
import { byId, h, setAttribute, setText } from "../lib/dom.js";
import { onSubmit, sentence } from "../lib/form.js";
import { t, tn } from "../lib/i18n.js";
import { keyed, listItem, when } from "../lib/list_item.js";
import { redraw } from "../lib/redraw.js";
import { toast } from "../lib/toast.js";
import { live } from "../live/live_socket.js";
import { rowButton } from "./forms.js";
import { loadReceivers, openReceiver } from "./receivers.js";
import { loadRules, newRule } from "./rules.js";

/**
 * @typedef {import("../types/api.js").Alert} Alert
 * @typedef {import("../types/api.js").AlertMessage} AlertMessage
 */

const SOON = 150; // ms: what begins together is one change to a reader
const PAST = 50;

const error = byId("alerts-error");

async function loadAlerts() {
  const path = "/api/v1/alerts";
  const { alerts: open } = await call("GET", `${path}?state=open`);
  redraw(byId("alerts-open"), open.map(row));
  setAttribute(byId("alerts-open"), "aria-busy", "false");
  byId("alerts-none").hidden = open.length > 0;
  const { alerts: past } = await call("GET", `${path}?state=resolved&limit=${PAST}`);
  redraw(byId("alerts-past"), past.map(row));
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
    on && alert.reminded && when(t("told again"), alert.reminded),
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
  return keyed(listItem(text, facts, actions), id);
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

/** Those that are shown, by id: the newest, and what was asked for besides. @type {Map<number, AlertMessage>} */
const told = new Map();
/** @type {number | null} */
let older = null;

/** @param {number} [before] older ones; without, the newest as they are now */
async function loadMessages(before) {
  const query = before ? `&before=${before}` : "";
  const { messages, next } = await call("GET", `/api/v1/alerts/messages?limit=30${query}`);
  // The newest say nothing of those beyond them, unless so many are new that some lie in between.
  const reaches = messages.some((/** @type {AlertMessage} */ one) => told.has(one.id));
  if (!before && !reaches) told.clear();
  if (before || !reaches) older = next;
  for (const one of messages) told.set(one.id, one);
  const shown = [...told.values()].sort((a, b) => b.id - a.id);
  const list = byId("messages");
  redraw(list, shown.map(messageRow));
  byId("messages-none").hidden = list.children.length > 0;
  byId("messages-more").hidden = older === null;
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
  const item = keyed(listItem(message.title, facts, h("span")), message.id);
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
button("rule-new", "r", () => newRule());
byId("messages-more").addEventListener("click", () => void guarded(() => loadMessages(older ?? 0)));
addEventListener("alerts-told", () => void guarded(() => loadMessages()));

/** What is other than before, since it was last asked for. @type {Set<string>} */
const changed = new Set();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {string} what */
function refresh(what) {
  changed.add(what);
  timer ??= setTimeout(() => {
    timer = undefined;
    const all = changed.has("all");
    const alerts = all || changed.has("alerts");
    const settings = all || changed.has("settings");
    changed.clear();
    void guarded(async () => {
      // Who is told is named in the rules.
      await Promise.all([loadReceivers(), alerts && loadAlerts(), alerts && loadMessages()]);
      if (settings) await loadRules();
    });
  }, SOON);
}

async function begin() {
  await guarded(async () => {
    await Promise.all([loadAlerts(), loadReceivers(), loadMessages(), loadSign()]);
    await loadRules();
  });
  openAsked();
  // The server says that something changed; what it is now, the API knows.
  live.subscribe("alert/*", {}, { changed: ({ what }) => refresh(what) });
}

/** Where something is seen, such as an address that is slow, a link leads to a rule about it. */
function openAsked() {
  const { rule, ...given } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  if (rule && document.getElementById("rule-new")) {
    history.replaceState(null, "", location.pathname); // who reloads has not asked again
    newRule({ ...given, kind: rule });
  }
}

void begin();
