// The form of a rule, new or changed, and beside it how often it would have been an alert lately.

import { call } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { inventory } from "../live/inventory.js";
import { METRICS, readAmount, unitOf, writeAmount } from "./amounts.js";
import {
  check,
  choice,
  field,
  isHouse,
  openForm,
  showFields,
  teamChoices,
  valueOf,
  valuesOf,
} from "./forms.js";
import { followAddresses, followPreview } from "./rule_preview.js";
import { percent, plainName } from "./rule_words.js";

/**
 * @typedef {import("../types/api.js").AlertRule} AlertRule
 * @typedef {import("../types/api.js").Receiver} Receiver
 * @typedef {Record<string, string>} Values
 */

/** What of a rule each kind has. @type {Record<string, readonly string[]>} */
const FIELDS = {
  metric: ["metric", "below", "begin", "end", "of", "wait", "clear"],
  traffic: ["measure", "address", "below", "begin", "end", "within", "least", "wait", "clear"],
  log: ["text", "begin", "end", "within"],
  died: ["clear"],
  oom: ["clear"],
  "crash-loop": ["begin", "within"],
  unhealthy: ["wait", "clear"],
  "deployment-failed": [],
  certificate: ["begin"],
  disk: ["begin", "end", "days"],
};
const ALL = [...new Set(Object.values(FIELDS).flat())];
const OF_HOUSE = ["certificate", "disk"]; // the installation's, and no team's
const COUNTED = ["metric", "traffic", "log"]; // the others are what happens
const HOURS = [0, 1, 4, 12, 24];

/** @returns {[string, string][]} */
function kinds() {
  const all = /** @type {[string, string][]} */ ([
    ["metric", t("A metric")],
    ["traffic", t("What people get: response time, failed requests, requests")],
    ["log", t("A log")],
    ["died", t("An app died")],
    ["oom", t("Out of memory")],
    ["crash-loop", t("Crash loop")],
    ["unhealthy", t("Unhealthy")],
    ["deployment-failed", t("A deployment failed")],
  ]);
  if (isHouse())
    all.push(["certificate", t("A certificate ends")], ["disk", t("The disk fills up")]);
  return all;
}

/** The metric, the log, or what happens. @param {AlertRule} rule */
function kindOf({ kind, condition }) {
  return kind === "event" ? /** @type {string} */ (condition.occurrence) : kind;
}

/**
 * @param {Receiver[]} receivers
 * @param {AlertRule | undefined} rule a new one without
 * @param {() => Promise<void>} saved
 * @param {Values} [given] what the fields of a new one hold to begin with, by their names
 */
export function openRule(receivers, rule, saved, given = {}) {
  const name = rule ? t(rule.name) : "";
  const preview = h("p", { class: "hint", role: "status", hidden: true });
  const form = openForm(
    rule ? t("Change {name}", { name }) : t("A new rule"),
    [...fieldsOf(receivers, rule), preview],
    async (values) => {
      const body = bodyOf(values, receivers, rule);
      if (!rule) await call("POST", "/api/v1/alerts/rules", body);
      else await call("PATCH", `/api/v1/alerts/rules/${rule.id}`, body);
      await saved();
    },
  );
  const kind = () => (rule ? kindOf(rule) : valueOf(form, "kind"));
  const follow = () => {
    showFields(form, FIELDS[kind()], ALL);
    form.querySelectorAll("[name='team'], [name='app']").forEach((input) => {
      const whole = OF_HOUSE.includes(kind());
      /** @type {HTMLInputElement} */ (input).disabled = whole;
      /** @type {HTMLElement} */ (input.closest("[data-field]")).hidden = whole;
    });
    setText(hintOf(form, "begin"), hint(kind(), form));
    checkNumbers(form);
    if (!rule && !called) nameField.value = plainName(valuesOf(form));
  };
  const nameField = /** @type {HTMLInputElement} */ (form.elements.namedItem("name"));
  let called = false; // by somebody
  nameField.addEventListener("input", () => (called = nameField.value !== ""));
  for (const [field, value] of Object.entries(given)) {
    const input = form.elements.namedItem(field);
    if (input instanceof HTMLInputElement || input instanceof HTMLSelectElement)
      input.value = value;
  }
  form.addEventListener("input", follow);
  follow();
  followAddresses(form, rule);
  followPreview(form, preview, () => bodyOf(valuesOf(form), receivers, rule), rule);
}

/**
 * @param {Receiver[]} receivers
 * @param {AlertRule} [rule]
 */
function fieldsOf(receivers, rule) {
  const its = /** @type {any} */ (rule?.condition ?? {});
  const isShare = Boolean(its.of) || its.occurrence === "disk" || its.measure === "errors";
  const shown = (/** @type {number | undefined} */ value) => {
    if (value === undefined) return "";
    return isShare ? String(percent(value)) : writeAmount(value, unitOf(its.metric ?? ""));
  };
  const ofs = new Set(["", "memory.limit", "cpu.limit", its.of ?? ""]);
  const own = receivers.filter((one) => !rule?.team || one.team === rule.team);
  return [
    field("name", t("What it is called"), {
      ...{ value: rule ? t(rule.name) : "", required: true, maxlength: 100 },
    }),
    !rule && choice("kind", t("What it looks at"), kinds()),
    !rule && choice("team", t("Team"), teamChoices(), teamChoices()[0]?.[0]),
    !rule &&
      field("app", t("App (empty: each of the team)"), {
        maxlength: 128,
        list: suggestions([...inventory.apps.keys()].sort()),
      }),
    field("metric", t("Metric"), {
      value: its.metric ?? "memory",
      required: true,
      list: suggestions(Object.keys(METRICS)),
    }),
    choice(
      "of",
      t("As a share of"),
      [...ofs].map((one) => [one, one || t("nothing: the number itself")]),
      its.of ?? "",
    ),
    choice("measure", t("Of all requests"), measures(), its.measure ?? "p95"),
    field(
      "address",
      t("Address (empty: all of the app)"),
      { value: its.address ?? "", maxlength: 1100, list: suggestions([]) },
      t("As the traffic lists it, such as GET /users/:id. Needs an app."),
    ),
    field(
      "text",
      t("Text in a line"),
      { value: its.text ?? "", required: true, maxlength: 500 },
      t("* stands for anything."),
    ),
    choice(
      "below",
      t("Harm is"),
      [
        ["", t("what is over the number")],
        ["1", t("what is under the number")],
      ],
      its.below ? "1" : "",
    ),
    field(
      "begin",
      t("Begins at"),
      { value: shown(its.begin), required: true, inputmode: "decimal" },
      " ",
    ),
    field(
      "end",
      t("Is over at"),
      { value: shown(its.end), inputmode: "decimal" },
      t(
        "A little further away, so that it does not begin and end all the time. Empty: the same number.",
      ),
    ),
    field("within", t("Within so many minutes"), {
      ...{ type: "number", min: 1, max: 60, required: true },
      value: Math.max(1, Math.round((its.within ?? 300) / 60)),
    }),
    field(
      "least",
      t("Only of so many requests within that time"),
      { type: "number", min: 1, max: 1_000_000, value: its.least ?? 20, required: true },
      t("Of fewer nobody knows how it is: nothing begins by them, and nothing is said to be well."),
    ),
    field("days", t("Or full in so many days (0: not asked)"), {
      ...{ type: "number", min: 0, max: 365, value: its.days ?? 3, required: true },
    }),
    field("wait", t("Has to be so for so many seconds"), {
      ...{ type: "number", min: 0, max: 86400, value: rule?.wait ?? 120, required: true },
    }),
    field("clear", t("Is over after so many seconds without"), {
      ...{ type: "number", min: 0, max: 86400, value: rule?.clear ?? 60, required: true },
    }),
    choice(
      "severity",
      t("How bad"),
      [
        ["critical", t("Harm: told at any hour")],
        ["warning", t("No harm yet: waits for the end of quiet hours")],
      ],
      rule?.severity,
    ),
    choice(
      "remind",
      t("While it lasts, tell again"),
      reminders(rule),
      String(rule ? rule.remind : 4 * 3600),
    ),
    own.length > 0 &&
      h(
        "fieldset",
        { class: "form-row alerts-choices" },
        h("legend", null, t("Who is told")),
        own.map(({ id, name }) =>
          check(`receiver-${id}`, name, rule?.receivers.includes(id) ?? false),
        ),
        h("p", { class: "hint" }, t("None of them: those who take everything.")),
      ),
  ];
}

/** @returns {[string, string][]} */
function measures() {
  return [
    ["p50", t("Response time of half of them (p50)")],
    ["p95", t("Response time of 95 % (p95)")],
    ["p99", t("Response time of 99 % (p99)")],
    ["errors", t("How many fail")],
    ["requests", t("How many there are")],
  ];
}

/**
 * @param {AlertRule} [rule]
 * @returns {[string, string][]}
 */
function reminders(rule) {
  const all = new Set(HOURS.map((hours) => hours * 3600));
  if (rule) all.add(rule.remind);
  return [...all]
    .sort((a, b) => a - b)
    .map((seconds) => [
      String(seconds),
      seconds ? t("every {n} h", { n: Number((seconds / 3600).toPrecision(3)) }) : t("never"),
    ]);
}

let count = 0;

/** A list of what may be chosen, and its id. @param {readonly string[]} words */
function suggestions(words) {
  const id = `suggestions-${++count}`;
  queueMicrotask(() => {
    const list = h(
      "datalist",
      { id },
      words.map((value) => h("option", { value })),
    );
    document.querySelector(`[list="${id}"]`)?.after(list);
  });
  return id;
}

/** @param {string} kind @param {HTMLFormElement} form */
function hint(kind, form) {
  const [metric, of] = [valueOf(form, "metric"), valueOf(form, "of")];
  if (kind === "traffic") {
    const measure = valueOf(form, "measure");
    if (measure === "errors") return t("Per cent of the requests.");
    return measure === "requests" ? t("A second.") : t("Seconds: 0.3 are 300 ms.");
  }
  if (kind === "disk") return t("Per cent of the disk.");
  if (kind === "certificate") return t("Days that are left.");
  if (kind === "crash-loop") return t("Ends that nobody had asked for.");
  if (kind === "log") return t("Lines.");
  if (of) return t("Per cent of {of}.", { of });
  const unit = unitOf(metric);
  if (unit.startsWith("bytes")) return t("Bytes: 200M, 1.5G.");
  if (unit === "cores") return t("Cores: 0.5 is half of one.");
  if (unit === "s/s") return t("Of a second, each second: 0.25 is a quarter of the time.");
  if (unit === "1/s") return t("A second.");
  return unit ? t("How many.") : t("As the app measures it.");
}

/** @param {HTMLFormElement} form */
function checkNumbers(form) {
  for (const name of ["begin", "end"]) {
    const input = /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
    const bad = !input.disabled && input.value.trim() && Number.isNaN(readAmount(input.value));
    input.setCustomValidity(bad ? t("A number, such as 0.5, 200M or 90.") : "");
  }
}

/**
 * @param {Values} given
 * @param {Receiver[]} receivers
 * @param {AlertRule} [rule]
 */
function bodyOf(given, receivers, rule) {
  const kind = rule ? kindOf(rule) : given.kind;
  const before = /** @type {any} */ (rule?.condition ?? {});
  const scale = given.of || kind === "disk" || given.measure === "errors" ? 0.01 : 1;
  const number = (/** @type {string} */ text) => Number((readAmount(text) * scale).toPrecision(15));
  /** @type {Record<string, unknown>} */
  const condition = { ...before };
  if (!COUNTED.includes(kind)) condition.occurrence = kind;
  if ("begin" in given) {
    condition.begin = number(given.begin);
    condition.end = usualEnd(kind, condition.begin, given.end ? number(given.end) : null);
  }
  if (kind === "metric")
    Object.assign(condition, { metric: given.metric, of: given.of, below: given.below === "1" });
  if (kind === "traffic")
    Object.assign(condition, {
      ...{ measure: given.measure, address: given.address.trim(), below: given.below === "1" },
      least: Number(given.least),
    });
  if (kind === "log") condition.text = given.text;
  if ("within" in given) condition.within = Number(given.within) * 60;
  if ("days" in given) condition.days = Number(given.days);
  /** @type {Record<string, unknown>} */
  const body = {
    // Those that everybody has are called by each reader's language until they are renamed.
    name: rule && given.name === t(rule.name) ? rule.name : given.name,
    condition,
    severity: given.severity,
    remind: Number(given.remind),
    receivers: receivers.filter(({ id }) => `receiver-${id}` in given).map(({ id }) => id),
  };
  if ("wait" in given) body.wait = Number(given.wait);
  if ("clear" in given) body.clear = Number(given.clear);
  if (rule) return body;
  const isEvent = !COUNTED.includes(kind);
  return { ...body, kind: isEvent ? "event" : kind, team: given.team ?? "", app: given.app ?? "" };
}

/** @param {string} kind @param {unknown} begin @param {number | null} end */
function usualEnd(kind, begin, end) {
  if (kind === "crash-loop") return 0;
  if (kind === "certificate") return Number(begin) + 1;
  return end ?? begin;
}

/** @param {HTMLFormElement} form @param {string} name */
function hintOf(form, name) {
  return /** @type {HTMLElement} */ (form.querySelector(`[data-field="${name}"] .hint`));
}
