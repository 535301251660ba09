// Several apps started, stopped, restarted or deleted at once: what will happen to which is listed
// before, and what became of each afterwards.

import { call, Problem } from "../lib/api.js";
import { openDialog } from "../lib/dialog.js";
import { h, icon, setChildren, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { formatBytes, formatNumber, t, tn } from "../lib/i18n.js";
import { belongingsLines } from "./delete_deployed.js";
import { sort } from "./operable.js";

/** @typedef {import("../live/app_state.js").App} App */
/** @typedef {import("./operable.js").What} What */
/** @typedef {import("../types/api.js").Belongings} Belongings */
/** @typedef {import("../types/api.js").OperationOutcome} Outcome */

/** @param {What} what */
function words(what) {
  switch (what) {
    case "start":
      return {
        title: t("Start several apps"),
        these: t("These are started:"),
        not: t("These stay as they are, since they run or have nothing to start:"),
        verb: (/** @type {number} */ n) => tn("Start {n} app", "Start {n} apps", n),
        doing: t("Starting …"),
        done: (/** @type {number} */ n) => tn("{n} app was started", "{n} apps were started", n),
        danger: false,
      };
    case "stop":
      return {
        title: t("Stop several apps"),
        these: t("These are stopped. Nobody answers for them until they are started again:"),
        not: t("These stay as they are, since they do not run:"),
        verb: (/** @type {number} */ n) => tn("Stop {n} app", "Stop {n} apps", n),
        doing: t("Stopping …"),
        done: (/** @type {number} */ n) => tn("{n} app was stopped", "{n} apps were stopped", n),
        danger: true,
      };
    case "restart":
      return {
        title: t("Restart several apps"),
        these: t("These are restarted:"),
        not: t("These stay as they are, since they do not run:"),
        verb: (/** @type {number} */ n) => tn("Restart {n} app", "Restart {n} apps", n),
        doing: t("Restarting …"),
        done: (/** @type {number} */ n) =>
          tn("{n} app was restarted", "{n} apps were restarted", n),
        danger: false,
      };
    case "delete":
      return {
        title: t("Delete several apps"),
        these: t("These go, and cannot be brought back:"),
        not: t("These stay, since they have containers that CloudBang did not make:"),
        verb: (/** @type {number} */ n) => tn("Delete {n} app", "Delete {n} apps", n),
        doing: t("Deleting …"),
        done: (/** @type {number} */ n) => tn("{n} app is gone", "{n} apps are gone", n),
        danger: true,
      };
  }
}

/**
 * @param {What} what
 * @param {App[]} apps
 * @param {() => void} done once it was carried out, whatever came of it
 */
export async function operateSeveral(what, apps, done) {
  const [fits, others] = sort(what, apps);
  const said = words(what);
  const deletes = what === "delete";
  const volumes = box(t("Also their volumes: what is in them is lost for ever"));
  const logs = box(t("Also their logs"));
  const body = h("div");
  const error = h("p", { class: "error", role: "alert", hidden: true });
  const keep = h("button", { class: "button", type: "button" }, t("Cancel"));
  const go = h(
    "button",
    { class: `button ${said.danger ? "danger" : "main"}`, type: "button", disabled: !fits.length },
    said.verb(fits.length),
  );
  const facts = new Map(fits.map((app) => [app.name, h("span", { class: "muted" })]));
  setChildren(body, [
    ...(fits.length ? [h("p", null, said.these), names(fits, facts)] : []),
    ...(others.length ? [h("p", null, said.not), names(others)] : []),
    ...(deletes && fits.length ? [volumes.label, logs.label] : []),
    error,
    h("div", { class: "dialog-choices" }, keep, go),
  ]);
  const dialog = openDialog(said.title, body);
  keep.addEventListener("click", () => dialog.close());
  keep.focus();
  go.addEventListener("click", async () => {
    go.disabled = true;
    setText(go, said.doing);
    error.hidden = true;
    const asked = { what, apps: fits.map((app) => app.name) };
    const more = deletes ? { volumes: volumes.input.checked, logs: logs.input.checked } : {};
    try {
      const { outcomes } = await call("POST", "/api/v1/operations", { ...asked, ...more });
      done();
      showOutcomes(dialog, body, outcomes, said.done);
    } catch (thrown) {
      if (!(thrown instanceof Problem)) throw thrown;
      setText(error, sentence(thrown));
      error.hidden = false;
      go.disabled = false;
      setText(go, said.verb(fits.length));
    }
  });
  if (deletes) await Promise.all(fits.map((app) => describe(app, facts.get(app.name))));
}

/**
 * What goes with an app, as soon as the server has said it.
 *
 * @param {App} app
 * @param {HTMLElement | undefined} place
 */
async function describe({ name }, place) {
  if (!place) return;
  try {
    /** @type {Belongings} */
    const found = await call("GET", `/api/v1/apps/${encodeURIComponent(name)}/removal`);
    const log = tn("{n} line, {size} on the disk", "{n} lines, {size} on the disk", found.lines, {
      n: formatNumber(found.lines),
      size: formatBytes(found.bytes),
    });
    const lines = found.deployed ? belongingsLines(found) : [log];
    setChildren(
      place,
      lines.map((line) => h("span", { class: "several-facts" }, line)),
    );
  } catch (thrown) {
    if (!(thrown instanceof Problem)) throw thrown;
    setText(place, sentence(thrown));
  }
}

/**
 * @param {HTMLDialogElement} dialog
 * @param {HTMLElement} body
 * @param {Outcome[]} outcomes
 * @param {(n: number) => string} sentenceOf
 */
function showOutcomes(dialog, body, outcomes, sentenceOf) {
  const well = outcomes.filter((one) => one.done);
  const failed = outcomes.filter((one) => !one.done);
  const close = h(
    "button",
    { class: "button", type: "button", onclick: () => dialog.close() },
    t("Close"),
  );
  setChildren(body, [
    h("p", { role: "status" }, sentenceOf(well.length)),
    ...(well.length ? [list(well, "check")] : []),
    ...(failed.length
      ? [h("p", { class: "several-failed" }, t("This was not done:")), list(failed, "close")]
      : []),
    h("div", { class: "dialog-choices" }, close),
  ]);
  close.focus();
}

/**
 * @param {Outcome[]} outcomes
 * @param {string} sign
 */
function list(outcomes, sign) {
  return h(
    "ul",
    { class: "several" },
    outcomes.map(({ app, done, detail, volumes_left: left }) => {
      const why = left
        ? t("These volumes stay, since somebody uses them: {names}", { names: left.join(", ") })
        : detail;
      return h(
        "li",
        { dataset: { app, done: done ? "yes" : "no" } },
        icon(sign),
        h("span", null, h("span", { class: "mono" }, app), why && `: ${why}`),
      );
    }),
  );
}

/**
 * @param {App[]} apps
 * @param {Map<string, HTMLElement>} [facts]
 */
function names(apps, facts) {
  return h(
    "ul",
    { class: "plain-list several-names" },
    apps.map(({ name }) => h("li", null, h("span", { class: "mono" }, name), facts?.get(name))),
  );
}

/** @param {string} text */
function box(text) {
  const input = h("input", { type: "checkbox" });
  return { input, label: h("label", { class: "check" }, input, text) };
}
