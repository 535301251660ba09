// The deployments of one app, and back to any release that is kept.

import "../frame/frame.js";
import { startAppHeader } from "../apps/app_header.js";
import { bind } from "../frame/keys.js";
import { Problem } from "../lib/api.js";
import { byId } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { deployments } from "../live/deployments.js";
import { getReleases } from "./deployment_api.js";
import { DeploymentList } from "./deployment_list.js";

const root = byId("deploys");
const app = root.dataset.app ?? "";

/** Releases that one can go back to. @type {Set<number>} */
let kept = new Set();
/** @type {number | null} */
let serving = null;

const list = new DeploymentList({
  app,
  now: Number(root.dataset.now),
  mayDeploy: () => root.dataset.mayDeploy === "yes",
  // Each release once: at the deployment that brought it last.
  canGoBack: ({ id, release, state }) => {
    if (state !== "serving" || release === serving || !kept.has(release)) return false;
    const its = [...deployments.all.values()].filter((one) => one.app === app);
    return !its.some((one) => one.release === release && one.state === "serving" && one.id > id);
  },
});

let known = "";

/** What serves and what is kept changes with each deployment that ends. */
async function look() {
  const its = [...deployments.all.values()].filter((one) => one.app === app);
  const now = its.map(({ id, state }) => `${id} ${state}`).join();
  if (now === known) return;
  known = now;
  try {
    const found = await getReleases(app);
    serving = found.serving;
    kept = new Set(found.releases.filter((one) => one.can_return).map((one) => one.number));
    list.draw();
  } catch (error) {
    known = "";
    if (!(error instanceof Problem)) throw error; // then nothing is offered
  }
}

deployments.addEventListener("change", () => void look());
startAppHeader();

const group = t("Deployments");
bind({ keys: ["j", "ArrowDown"], label: t("Next deployment"), group, run: () => list.move(1) });
bind({ keys: ["k", "ArrowUp"], label: t("Previous deployment"), group, run: () => list.move(-1) });
