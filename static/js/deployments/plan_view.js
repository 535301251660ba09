// What a deployment would change, before it does: in words.

import { h, setChildren } from "../lib/dom.js";
import { t, tn } from "../lib/i18n.js";
import { lineOf } from "../lib/command_line.js";
import { valueText } from "../lib/written_value.js";

/**
 * As the API has it. `because`: what only one release can have at a time.
 *
 * @typedef {{first: boolean, changes: Change[], replaces_instances: boolean,
 *   interruption: "" | "held" | "moment", because: string[], published: string[],
 *   not_honoured?: {field: string, reason: string}[]}} Plan
 * @typedef {{field: string, before: unknown, after: unknown}} Change
 */

/**
 * @param {Element} box
 * @param {Plan} plan
 * @param {Record<string, any>} spec as it is wanted
 * @param {string} app
 * @param {boolean} [kept] whether it is left as it is where nothing changes
 */
export function showPlan(box, plan, spec, app, kept = false) {
  const same = kept && !plan.first && !plan.changes.length && !spec.build;
  setChildren(box, [
    h("ul", { class: "plan-facts" }, (same ? keptFacts() : facts(plan, spec, app)).map(factItem)),
    ...(plan.first || !plan.changes.length ? [] : [changeList(plan.changes)]),
  ]);
}

/** @returns {[string, "" | "warn" | "ok"][]} */
function keptFacts() {
  return [
    [t("Nothing changes: it goes on as it runs, unless its image is another one by now."), "ok"],
  ];
}

/** @param {[string, "" | "warn" | "ok"]} fact */
function factItem([text, tone]) {
  return h("li", { class: tone ? `plan-fact ${tone}` : "plan-fact" }, text);
}

/**
 * @param {Plan} plan
 * @param {Record<string, any>} spec
 * @param {string} app
 * @returns {[string, "" | "warn" | "ok"][]}
 */
function facts(plan, spec, app) {
  /** @type {[string, "" | "warn" | "ok"][]} */
  const found = [];
  const n = Number(spec.replicas ?? 1);
  const what = spec.image || t("what is built");
  if (plan.first) {
    found.push([
      tn("{app} is new: {n} instance of {what}.", "{app} is new: {n} instances of {what}.", n, {
        app,
        what,
      }),
      "",
    ]);
  } else if (!plan.changes.length && !spec.build) {
    found.push([t("Nothing changes but the release's number: its instances are made anew."), ""]);
  }
  if (spec.route) {
    const { host, path } = spec.route;
    const where = host
      ? `${host}${path && path !== "/" ? path : ""}`
      : `${app}.localhost${path && path !== "/" ? path : ""}`;
    found.push([t("It answers at {where}, through the gateway.", { where }), ""]);
  }
  if (spec.release_command) {
    found.push([
      t("Before it takes over, {command} runs once.", { command: lineOf(spec.release_command) }),
      "",
    ]);
  }
  if (plan.replaces_instances) found.push(interruption(plan));
  for (const port of plan.published) {
    found.push([
      t("Port {port} of this machine will be open on all its addresses.", { port }),
      "warn",
    ]);
  }
  for (const left of plan.not_honoured ?? []) {
    found.push([t("{field} is not honoured: {reason}.", left), "warn"]);
  }
  return found;
}

/**
 * @param {Plan} plan
 * @returns {[string, "" | "warn" | "ok"]}
 */
function interruption(plan) {
  const because = plan.because.join(t(", "));
  switch (plan.interruption) {
    case "held":
      return [
        t(
          "Only one release at a time can have {because}: the old one is stopped first, and requests wait at the gateway meanwhile, 30 s at most.",
          { because },
        ),
        "warn",
      ];
    case "moment":
      return [
        t(
          "Only one release at a time can have {because}: the old one is stopped first, and for a moment nobody answers.",
          { because },
        ),
        "warn",
      ];
    default:
      return [
        t("The old instances serve until the new ones do: there is no moment without service."),
        "ok",
      ];
  }
}

/** @param {Change[]} changes */
export function changeList(changes) {
  return h(
    "dl",
    { class: "plan-changes", "aria-label": t("What changes") },
    changes.map(({ field, before, after }) =>
      h(
        "div",
        null,
        h("dt", { class: "mono" }, field),
        h(
          "dd",
          null,
          before === null
            ? null
            : h("del", { "aria-label": t("before") }, valueText(field, before)),
          after === null ? null : h("ins", { "aria-label": t("after") }, valueText(field, after)),
        ),
      ),
    ),
  );
}
