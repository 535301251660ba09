// What is in trouble now, and since which deployment.

import { appAddress } from "../frame/addresses.js";
import { byId, h, setText } from "../lib/dom.js";
import { t, tn } from "../lib/i18n.js";
import { redraw } from "../lib/redraw.js";
import { showRelative } from "../lib/relative_time.js";
import { appState, reason, since, stateIcon, stateSentence } from "../live/app_state.js";
import { deployments } from "../live/deployments.js";
import { inventory } from "../live/inventory.js";
import { deploymentAddress, findDeployments } from "./deployment_api.js";
import { shape } from "./shape.js";
import { findTrouble } from "./trouble.js";
import { aftermath, standing } from "./words.js";

/** @typedef {import("./trouble.js").Trouble} Trouble */
/** @typedef {import("../live/deployments.js").Deployment} Deployment */

/** Those that came before what the page knows: by app the deployment that serves. @type {Map<string, Deployment | null>} */
const asked = new Map();

function draw() {
  if (!inventory.known || !deployments.known) return;
  const known = [...deployments.all.values(), ...[...asked.values()].filter((one) => one !== null)];
  const found = findTrouble(inventory.apps.values(), known);
  redraw(byId("health-list"), found.map(row));
  const running = [...inventory.apps.values()].filter((app) => app.running > 0).length;
  const well = byId("health-well");
  well.hidden = found.length > 0;
  setText(
    byId("health-well-text"),
    running
      ? tn(
          "{n} app runs, and nothing is in trouble.",
          "{n} apps run, and nothing is in trouble.",
          running,
        )
      : t("Nothing is in trouble."),
  );
  byId("health").dataset.state = found.some((one) => one.ill)
    ? "bad"
    : found.length
      ? "warn"
      : "ok";
  for (const { app, ill, since: by } of found) if (ill && !by && !asked.has(app)) void ask(app);
}

/** @param {string} app */
async function ask(app) {
  asked.set(app, null);
  try {
    const [newest] = await findDeployments({ app, state: "serving", limit: 1 });
    if (!newest) return;
    asked.set(app, newest);
    draw();
  } catch {
    asked.delete(app); // asked again with the next change
  }
}

/** @param {Trouble} trouble */
function row({ app, ill, since: by }) {
  const name = h("a", { class: "mono", href: appAddress(app) }, app);
  if (!ill && by) {
    return h(
      "li",
      { class: "health-row", dataset: { key: app } },
      shape("unhealthy", t("Its last deployment failed")),
      name,
      h("span", { class: "health-words" }, `${standing(by)} ${aftermath(by)}`),
      link(by),
    );
  }
  const app_ = /** @type {import("../live/app_state.js").App} */ (ill);
  const why = app_.instances.map(reason).find(Boolean) ?? "";
  const time = h("time");
  showRelative(time, since(app_));
  return h(
    "li",
    { class: "health-row", dataset: { key: app } },
    stateIcon(appState(app_)),
    name,
    h(
      "span",
      { class: "health-words" },
      [stateSentence(app_), why].filter(Boolean).join(" · "),
      " ",
      time,
    ),
    by ? link(by) : h("span", { class: "muted" }, t("not deployed here")),
  );
}

/** @param {Deployment} by */
function link(by) {
  const time = h("time");
  showRelative(time, by.finished ?? by.created);
  return h(
    "span",
    { class: "health-since" },
    h("a", { href: deploymentAddress(by.id) }, t("since deployment {n}", { n: by.number })),
    " ",
    time,
  );
}

export function startHealthCard() {
  inventory.addEventListener("apps", draw);
  deployments.addEventListener("change", draw);
  draw();
}
