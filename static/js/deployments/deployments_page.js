// Deployments over all apps: what is in trouble, under way, waiting, recent.

import "../frame/frame.js";
import { bind } from "../frame/keys.js";
import { may } from "../frame/permissions.js";
import { byId } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { inventory } from "../live/inventory.js";
import { DeploymentList } from "./deployment_list.js";
import { startHealthCard } from "./health_card.js";
import { showStack } from "./stack_box.js";

const root = byId("deploys");

const list = new DeploymentList({
  now: Number(root.dataset.now),
  // Of an app that is not listed yet the server knows; it refuses what one may not.
  mayDeploy: (app) => may("deploy", app),
});
showStack(root);
startHealthCard();
inventory.addEventListener("apps", () => list.draw());

const group = t("Deployments");
bind({ keys: ["j", "ArrowDown"], label: t("Next deployment"), group, run: () => list.move(1) });
bind({ keys: ["k", "ArrowUp"], label: t("Previous deployment"), group, run: () => list.move(-1) });
