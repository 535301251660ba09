// What can be done with an app that was deployed: start, stop, restart, scale, deploy once more; and
// with one that was found: start, stop, restart its containers, and take one over as an app.

import { call, Problem } from "../lib/api.js";
import { confirm, openDialog } from "../lib/dialog.js";
import { byId, h } from "../lib/dom.js";
import { onSubmit, sentence } from "../lib/form.js";
import { t, tn } from "../lib/i18n.js";
import { deployments } from "../live/deployments.js";
import { inventory } from "../live/inventory.js";
import { openContainers } from "./containers_dialog.js";
import { getDeployed } from "./deployed.js";
import { offerTakeOver } from "./take_over.js";

const MOST = 100; // instances of an app, as in cloudbang/domain/deploy/spec.py

/** @param {string} app whose page this is */
export function offerOperating(app) {
  const menu = document.getElementById("app-operate-menu");
  if (!menu) return;
  const path = `/api/v1/apps/${encodeURIComponent(app)}`;
  /** @type {Record<string, () => Promise<unknown>>} */
  const actions = {
    start: () => call("POST", `${path}/start`, {}),
    restart: () => call("POST", `${path}/restart`, {}),
    stop: () => stop(app, path),
    scale: () => scale(app, path),
    redeploy: () => redeploy(app, path),
    containers: async () => openContainers(app),
    "take-over": () => takeOver(app),
  };
  menu.addEventListener("click", (event) => {
    const item = /** @type {Element} */ (event.target).closest("[data-operate]");
    const action = actions[/** @type {HTMLElement | null} */ (item)?.dataset.operate ?? ""];
    if (!action) return;
    menu.hidePopover();
    action().catch((error) => {
      if (!(error instanceof Problem)) throw error;
      openDialog(t("This was not done"), h("p", { role: "alert" }, sentence(error)));
    });
  });
  const draw = () => {
    const known = inventory.apps.get(app);
    const runs = known !== undefined && known.running > 0;
    const busy = deployments.underWay(app) !== null;
    const deployed = known?.kind === "deployed";
    const there = deployed || (known !== undefined && known.instances.length > 0);
    /** @type {Record<string, boolean>} */
    const offered = {
      start: !runs && there,
      stop: runs,
      restart: runs,
      scale: deployed,
      redeploy: deployed,
      containers: Boolean(known?.instances.some((one) => !one.of_service)),
      "take-over": !deployed && there,
    };
    byId("app-operate-busy").hidden = !busy;
    for (const item of menu.querySelectorAll("button")) {
      item.hidden = !offered[item.dataset.operate ?? ""];
      // While a deployment is under way the app is its alone.
      item.disabled = busy && item.dataset.operate !== "containers";
    }
  };
  inventory.addEventListener("apps", draw);
  deployments.addEventListener("change", draw);
  draw();
}

/**
 * @param {string} app
 * @param {string} path
 */
async function stop(app, path) {
  const text = t("Nobody answers for it until it is started again. Its volumes and its log stay.");
  const choices = { keep: { verb: t("Cancel") }, stop: { verb: t("Stop it"), danger: true } };
  const choice = await confirm(t("Stop {app}", { app }), text, choices);
  if (choice === "stop") await call("POST", `${path}/stop`, {});
}

/** The container of an app that has one; of several the newest, as the list has them. @param {string} app */
async function takeOver(app) {
  const its = inventory.apps.get(app)?.instances.filter((one) => !one.one_off) ?? [];
  const container = its.at(-1);
  if (container) await offerTakeOver(container.id);
}

/**
 * @param {string} app
 * @param {string} path
 */
async function scale(app, path) {
  const now =
    inventory.apps.get(app)?.instances.filter((one) => !one.one_off && !one.replaced).length ?? 1;
  const field = h("input", {
    class: "field",
    id: "scale-replicas",
    name: "replicas",
    type: "number",
    min: "1",
    max: String(MOST),
    required: true,
    value: String(Math.max(1, now)),
  });
  const form = h(
    "form",
    { class: "form line", method: "post" },
    h("div", { class: "form-row short" }, h("label", { for: field.id }, t("Instances")), field),
    h("button", { class: "button main", type: "submit" }, t("Scale")),
    h("p", { class: "error", role: "alert", hidden: true }),
  );
  const says = tn("{n} instance is there now.", "{n} instances are there now.", now);
  const dialog = openDialog(t("Scale {app}", { app }), h("p", { class: "muted" }, says), form);
  onSubmit(form, async ({ replicas }) => {
    await call("POST", `${path}/scale`, { replicas: Number(replicas) });
    dialog.close();
  });
  field.focus();
  field.select();
}

/**
 * @param {string} app
 * @param {string} path
 */
async function redeploy(app, path) {
  const { serving } = await getDeployed(app);
  if (serving === null) {
    openDialog(
      t("This was not done"),
      h("p", null, t("No release of it serves that could be deployed again.")),
    );
    return;
  }
  const { id } = await call("POST", `${path}/deployments`, { release: serving });
  location.assign(`/deployments/${id}`);
}
