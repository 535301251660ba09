// The rules: what each looks at, in words; the form of a new one; on and off.

import { call } from "../lib/api.js";
import { byId, h, setChildren } from "../lib/dom.js";
import { t, tn } from "../lib/i18n.js";
import { confirmButton, listItem } from "../lib/list_item.js";
import { choice, field, openForm, rowButton, showFields } from "./forms.js";

/** @typedef {import("../types/api.js").AlertRule} AlertRule */

const list = byId("rules");

/** @type {Record<string, readonly string[]>} */
const FIELDS = {
  metric: ["metric", "begin", "end", "of", "wait"],
  log: ["text", "begin", "end"],
};
const ALL = [...new Set(Object.values(FIELDS).flat())];

export async function loadRules() {
  /** @type {{rules: AlertRule[]}} */
  const { rules } = await call("GET", "/api/v1/alerts/rules");
  setChildren(list, rules.map(row));
}

/** @param {AlertRule} rule */
function row(rule) {
  const { id } = rule;
  const name = t(rule.name); // those that everybody has are ours
  const actions = h("span", { class: "item-actions" });
  if (rule.may_change) {
    const change = async () => {
      await call("PATCH", `/api/v1/alerts/rules/${id}`, { enabled: !rule.enabled });
      await loadRules();
    };
    const verb = rule.enabled ? t("Switch off") : t("Switch on");
    actions.append(
      rowButton(verb, `${verb}: ${name}`, () => void change()),
      confirmButton(t("Delete"), t("Delete {name}", { name }), async () => {
        await call("DELETE", `/api/v1/alerts/rules/${id}`);
        await loadRules();
      }),
    );
  }
  const facts = [
    about(rule),
    rule.app || (rule.team ? t("all apps of {team}", { team: rule.team }) : t("all apps")),
    rule.severity === "warning" && t("no harm yet"),
    !rule.enabled && t("off"),
  ];
  return listItem(name, facts, actions);
}

/** What it looks at. @param {AlertRule} rule */
function about({ kind, condition, wait }) {
  const { begin, within, text, metric, of, below, occurrence, days } = /** @type {any} */ (
    condition
  );
  const minutes = Math.round((within ?? 0) / 60);
  if (kind === "log") {
    return tn("{n} line with “{text}”", "{n} lines with “{text}”", begin, { n: begin, text });
  }
  if (kind === "metric") {
    const amount = of ? t("{of}: {share} %", { share: begin * 100, of }) : String(begin);
    const words = below
      ? t("{metric} under {amount}", { metric, amount })
      : t("{metric} over {amount}", { metric, amount });
    return wait ? `${words}, ${t("for {seconds} s", { seconds: wait })}` : words;
  }
  switch (occurrence) {
    case "died":
      return t("ended, and nobody had asked for it");
    case "oom":
      return t("the kernel killed a process for want of memory");
    case "crash-loop":
      return t("{n} ends within {minutes} minutes", { n: begin, minutes });
    case "unhealthy":
      return t("its health check fails for {seconds} s", { seconds: wait });
    case "deployment-failed":
      return t("a deployment failed");
    case "certificate":
      return t("fewer than {n} days left", { n: begin });
    default:
      return t("full to {share} %, or in {days} days", { share: Math.round(begin * 100), days });
  }
}

/** @param {import("../types/api.js").Receiver[]} receivers */
export function openRule(receivers) {
  const form = openForm(
    t("A new rule"),
    [
      field("name", t("Name"), { required: true, maxlength: 100 }),
      choice("kind", t("What it looks at"), [
        ["metric", t("A metric")],
        ["log", t("A log")],
      ]),
      field("team", t("Team (empty: all, for administrators)"), {
        value: "default",
        maxlength: 64,
      }),
      field("app", t("App (empty: each of the team)"), { maxlength: 128 }),
      field("metric", t("Metric"), { value: "memory" }),
      field("text", t("Text in a line"), { maxlength: 500 }, t("* stands for anything.")),
      field("begin", t("Begins at"), { type: "number", step: "any", required: true }),
      field("end", t("Is over at"), { type: "number", step: "any", required: true }),
      field("of", t("As a share of, if at all"), { placeholder: "memory.limit" }),
      field("wait", t("For so many seconds"), { type: "number", min: 0, value: 120 }),
      choice("severity", t("How bad"), [
        ["critical", t("Harm: told at any hour")],
        ["warning", t("No harm yet: waits for the end of quiet hours")],
      ]),
      choice("receiver", t("Who is told"), [
        ["", t("those who take everything")],
        .../** @type {[string, string][]} */ (receivers.map(({ id, name }) => [String(id), name])),
      ]),
    ],
    async ({ name, kind, team, app, severity, receiver, wait, ...rest }) => {
      const { begin, end, ...words } = rest;
      const numbers = { begin: Number(begin), end: Number(end) };
      await call("POST", "/api/v1/alerts/rules", {
        ...{ name, kind, team, app, severity },
        condition: { ...words, ...numbers },
        wait: Number(wait ?? 0),
        receivers: receiver ? [Number(receiver)] : [],
      });
      await loadRules();
    },
  );
  const kind = /** @type {HTMLSelectElement} */ (form.elements.namedItem("kind"));
  const follow = () => showFields(form, FIELDS[kind.value], ALL);
  kind.addEventListener("change", follow);
  follow();
}
