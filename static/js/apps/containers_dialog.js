// The containers of an app, each operated by itself: what CloudBang did not make, and what is kept of
// before it was taken over. What Swarm would undo is left to the app.

import { call, Problem } from "../lib/api.js";
import { confirm, openDialog } from "../lib/dialog.js";
import { h, setAttribute, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { t } from "../lib/i18n.js";
import { redraw } from "../lib/redraw.js";
import { showRelative } from "../lib/relative_time.js";
import { endSentence, isAlive, isKept, reason, stateIcon, stateWord } from "../live/app_state.js";
import { inventory } from "../live/inventory.js";
import { may } from "../frame/permissions.js";
import { verbsOf } from "./operable.js";

/** @typedef {import("../live/app_state.js").Instance} Instance */
/** @typedef {import("./operable.js").Verb} Verb */

/** @param {Verb} verb */
function verbWord(verb) {
  switch (verb) {
    case "start":
      return t("Start");
    case "stop":
      return t("Stop…");
    case "restart":
      return t("Restart");
    case "pause":
      return t("Pause");
    case "unpause":
      return t("Resume");
    case "kill":
      return t("Kill…");
    case "remove":
      return t("Remove…");
  }
}

/** @param {string} app that has containers of its own: see `isKept` and `verbsOf` */
export function openContainers(app) {
  const list = h("ul", { class: "items container-list" });
  const none = h("p", { class: "muted", hidden: true }, t("It has no containers any more."));
  const about = h("p", { class: "muted", hidden: true });
  const error = h("p", { class: "error", role: "alert", hidden: true });
  const dialog = openDialog(t("Containers of {app}", { app }), about, list, none, error);
  /** Those that are being operated. @type {Set<string>} */
  const busy = new Set();

  const draw = () => {
    const its = inventory.apps.get(app);
    const instances = its?.instances.filter((one) => !one.of_service) ?? [];
    const kept = its !== undefined && instances.some((one) => isKept(its, one));
    setText(
      about,
      t(
        "CloudBang did not make these: one that was taken over is kept until you remove it. Started again it runs beside the app.",
      ),
    );
    about.hidden = !kept;
    none.hidden = instances.length > 0;
    redraw(list, instances.map(row));
  };

  /** @param {Instance} one */
  const row = (one) => {
    const when = h("time");
    showRelative(when, one.since);
    const ended = isAlive(one) ? null : endSentence(one);
    const word = ended ?? stateWord(one.condition);
    const facts = [word, reason(one)].filter(Boolean).join(" · ");
    return h(
      "li",
      { class: "item", dataset: { container: one.id, key: one.id } },
      h("span", { class: "item-name container-name" }, stateIcon(one.condition), one.name),
      h("span", { class: "item-facts" }, facts, " · ", when),
      h(
        "span",
        { class: "item-actions" },
        verbsOf(one)
          .filter((verb) => verb !== "remove" || may("manage", app))
          .map((verb) => button(verb, one)),
      ),
    );
  };

  /**
   * @param {Verb} verb
   * @param {Instance} one
   */
  const button = (verb, one) =>
    h(
      "button",
      {
        class: `button small${verb === "kill" || verb === "remove" ? " danger" : ""}`,
        type: "button",
        disabled: busy.has(one.id),
        dataset: { verb },
        "aria-label": `${verbWord(verb)} ${one.name}`,
        onclick: () => void run(verb, one),
      },
      verbWord(verb),
    );

  /**
   * @param {Verb} verb
   * @param {Instance} one
   */
  const run = async (verb, one) => {
    error.hidden = true;
    const sure = await ask(verb, one);
    if (!sure) return;
    busy.add(one.id);
    draw();
    const path = `/api/v1/containers/${one.id}`;
    try {
      if (verb === "remove") {
        await call("DELETE", path, { force: isAlive(one) || one.state === "restarting", ...sure });
      } else await call("POST", `${path}/${verb}`, {});
    } catch (thrown) {
      if (!(thrown instanceof Problem)) throw thrown;
      setText(error, sentence(thrown));
      error.hidden = false;
    }
    busy.delete(one.id);
    draw();
  };

  inventory.addEventListener("apps", draw);
  dialog.addEventListener("close", () => inventory.removeEventListener("apps", draw));
  draw();
}

/**
 * Says what will happen, where it cannot be taken back or somebody may miss it.
 *
 * @param {Verb} verb
 * @param {Instance} one
 * @returns {Promise<{volumes?: boolean} | null>} null where it is not wanted
 */
async function ask(verb, one) {
  const { name } = one;
  if (verb === "remove") return askRemoval(one);
  if (verb === "stop") {
    const text = t(
      "It is asked to end, and killed if it does not in time. It stays ended until it is started again.",
    );
    return (await isSure(t("Stop {app}", { app: name }), [text], t("Stop it"))) ? {} : null;
  }
  if (verb === "kill") {
    const text = [
      t("Its process ends at once: what it has not written down is lost."),
      t("It stays ended until it is started again. What it wrote, its volumes and its log stay."),
    ];
    return (await isSure(t("Kill {name}", { name }), text, t("Kill it"))) ? {} : null;
  }
  return {};
}

/**
 * @param {string} title
 * @param {string[]} text
 * @param {string} verb
 */
async function isSure(title, text, verb) {
  const choices = { keep: { verb: t("Cancel") }, go: { verb, danger: true } };
  return (await confirm(title, text, choices)) === "go";
}

/**
 * @param {Instance} one
 * @returns {Promise<{volumes: boolean} | null>}
 */
function askRemoval(one) {
  return new Promise((resolve) => {
    /** @type {{volumes: boolean} | null} */
    let answer = null;
    const volumes = h("input", { type: "checkbox" });
    const keep = h("button", { class: "button", type: "button" }, t("Cancel"));
    const go = h("button", { class: "button danger", type: "button" }, t("Remove it"));
    const goes = [
      (isAlive(one) || one.state === "restarting") && t("It runs: it is killed first"),
      t("The container, with what it wrote outside of its volumes"),
    ];
    const stays = [t("Its image, its volumes that have a name, and its log")];
    const dialog = openDialog(
      t("Remove the container {name}", { name: one.name }),
      h("p", null, t("This goes, and cannot be brought back:")),
      plainList(goes),
      h("p", null, t("This stays:")),
      plainList(stays),
      h("label", { class: "check" }, volumes, t("Also its volumes that have no name")),
      h("div", { class: "dialog-choices" }, keep, go),
    );
    keep.addEventListener("click", () => dialog.close());
    go.addEventListener("click", () => {
      answer = { volumes: volumes.checked };
      dialog.close();
    });
    dialog.addEventListener("close", () => resolve(answer));
    setAttribute(dialog, "data-container", one.id);
    keep.focus();
  });
}

/** @param {(string | false)[]} texts */
function plainList(texts) {
  return h(
    "ul",
    { class: "plain-list" },
    texts.filter((text) => text !== false).map((text) => h("li", null, text)),
  );
}
