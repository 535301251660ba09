// The rules: what each looks at, in words; changed, on and off, deleted.

import { call } from "../lib/api.js";
import { byId, h } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { confirmButton, keyed, listItem } from "../lib/list_item.js";
import { redraw } from "../lib/redraw.js";
import { receivers } from "./receivers.js";
import { rowButton } from "./forms.js";
import { openRule } from "./rule_form.js";
import { about } from "./rule_words.js";

/** @typedef {import("../types/api.js").AlertRule} AlertRule */

const list = byId("rules");

export async function loadRules() {
  /** @type {{rules: AlertRule[]}} */
  const { rules } = await call("GET", "/api/v1/alerts/rules");
  redraw(list, rules.map(row));
}

/** @param {Record<string, string>} [given] what its fields hold to begin with, by their names */
export function newRule(given) {
  openRule(receivers, undefined, loadRules, given);
}

/** @param {AlertRule} rule */
function row(rule) {
  const { id, remind } = rule;
  const name = t(rule.name); // those that everybody has are ours
  const actions = h("span", { class: "item-actions" });
  if (rule.may_change) {
    const change = async () => {
      await call("PATCH", `/api/v1/alerts/rules/${id}`, { enabled: !rule.enabled });
      await loadRules();
    };
    const verb = rule.enabled ? t("Switch off") : t("Switch on");
    actions.append(
      rowButton(t("Change"), t("Change {name}", { name }), () =>
        openRule(receivers, rule, loadRules),
      ),
      rowButton(verb, `${verb}: ${name}`, () => void change()),
      confirmButton(t("Delete"), t("Delete {name}", { name }), async () => {
        await call("DELETE", `/api/v1/alerts/rules/${id}`);
        await loadRules();
      }),
    );
  }
  const told = receivers.filter((one) => rule.receivers.includes(one.id)).map((one) => one.name);
  const facts = [
    about(rule),
    rule.app || (rule.team ? t("all apps of {team}", { team: rule.team }) : t("all apps")),
    rule.severity === "warning" && t("no harm yet"),
    remind > 0 && t("told again every {n} h", { n: Number((remind / 3600).toPrecision(3)) }),
    told.length > 0 && t("to {names}", { names: told.join(", ") }),
    !rule.enabled && t("off"),
  ];
  return keyed(listItem(name, facts, actions), id);
}
