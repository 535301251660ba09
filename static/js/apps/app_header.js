// The head of an app's pages: its state and since when, where it listens, its instances; and the
// menu of those who manage it: putting it away, deleting its log or all of it. Before anything is
// deleted it is said what will be.

import { afterPaint, byId, h } from "../lib/dom.js";
import { t, formatBytes, formatNumber, formatTime, tn } from "../lib/i18n.js";
import { inventory } from "../live/inventory.js";
import { bind } from "../frame/keys.js";
import { shortImage, shortPorts } from "./format_container.js";
import { appAddress, logsAddress, terminalAddress } from "../frame/addresses.js";
import { may } from "../frame/permissions.js";
import {
  appState,
  counted,
  instanceCount,
  isKept,
  reason,
  since,
  stateIcon,
  stateSentence,
} from "../live/app_state.js";
import { redraw } from "../lib/redraw.js";
import { showRelative } from "../lib/relative_time.js";
import { call, Problem } from "../lib/api.js";
import { confirm, openDialog } from "../lib/dialog.js";
import { sentence } from "../lib/form.js";
import { deployments } from "../live/deployments.js";
import { openContainers } from "./containers_dialog.js";
import { addressLinks, getDeployed } from "./deployed.js";
import { offerDeletion } from "./delete_deployed.js";
import { startOomCard } from "./oom_card.js";
import { offerOperating } from "./operate.js";

/** @typedef {import("../live/app_state.js").App} App */
/** @typedef {import("../types/api.js").Belongings} Removal */

/** @param {string} app whose page this is */
function offerRemoval(app) {
  const menu = document.getElementById("app-manage-menu");
  if (!menu) return;
  const path = `/api/v1/apps/${encodeURIComponent(app)}`;
  /** @type {Record<string, () => Promise<void>>} */
  const actions = {
    "delete-lines": () => deleteLines(app, path),
    "delete-app": () => deleteApp(app, path),
    "put-away": () => putAway(path, true),
    "bring-back": () => putAway(path, false),
  };
  menu.addEventListener("click", (event) => {
    const item = /** @type {Element} */ (event.target).closest("[data-manage]");
    const action = actions[/** @type {HTMLElement | null} */ (item)?.dataset.manage ?? ""];
    if (!action) return;
    menu.hidePopover();
    action().catch((error) => {
      if (!(error instanceof Problem)) throw error;
      openDialog(t("This was not done"), h("p", { role: "alert" }, sentence(error)));
    });
  });
  const draw = () => {
    const known = inventory.apps.get(app);
    const there = known !== undefined && known.instances.length > 0;
    const deployed = known?.kind === "deployed";
    // Of an app that is listed nowhere the page was drawn with what is known.
    const away = known ? known.put_away : menu.dataset.away === "yes";
    /** @type {Record<string, boolean>} */
    const hidden = {
      "delete-app": there && !deployed,
      "put-away": there || away || deployed,
      "bring-back": there || !away,
    };
    for (const item of menu.querySelectorAll("button")) {
      item.hidden = hidden[item.dataset.manage ?? ""] ?? false;
    }
  };
  inventory.addEventListener("apps", draw);
  draw();
}

/**
 * @param {string} app
 * @param {string} path
 */
async function deleteLines(app, path) {
  const found = await call("GET", `${path}/removal`);
  if (!found.lines) {
    openDialog(t("Delete the log of {app}", { app }), h("p", null, t("No line of it is kept.")));
    return;
  }
  const text = [
    ...whatOfTheLog(found),
    t("Its containers are not touched: what they log from now on is kept. This cannot be undone."),
  ];
  const choice = await ask(t("Delete the log of {app}", { app }), text, t("Delete the log"));
  if (choice) await call("DELETE", `${path}/lines`);
}

/**
 * @param {string} app
 * @param {string} path
 */
async function deleteApp(app, path) {
  const found = await call("GET", `${path}/removal`);
  if (found.deployed) return offerDeletion(app, found);
  const { events } = found;
  const text = [
    ...(found.lines ? whatOfTheLog(found) : [t("No line of it is kept.")]),
    tn("{n} event of it", "{n} events of it", events, { n: formatNumber(events) }),
    t("It leaves every list. This cannot be undone."),
  ];
  if (!(await ask(t("Delete {app}", { app }), text, t("Delete the app")))) return;
  await call("DELETE", path);
  location.assign("/");
}

/**
 * @param {string} path
 * @param {boolean} away
 */
async function putAway(path, away) {
  const app = await call(away ? "POST" : "DELETE", `${path}/put_away`);
  byId("app-manage-menu").dataset.away = app.put_away ? "yes" : "no";
  if (away) location.assign("/");
  else inventory.take(app);
}

/**
 * @param {Removal} found
 * @returns {string[]}
 */
function whatOfTheLog({ lines, bytes, first_time: first, last_time: last }) {
  const what = tn("{n} line, {size} on the disk", "{n} lines, {size} on the disk", lines, {
    n: formatNumber(lines),
    size: formatBytes(bytes),
  });
  if (!first || !last) return [what];
  return [what, t("From {from} to {to}", { from: formatTime(first), to: formatTime(last) })];
}

/**
 * @param {string} title
 * @param {string[]} text
 * @param {string} verb
 */
async function ask(title, text, verb) {
  const choices = { keep: { verb: t("Cancel") }, delete: { verb, danger: true } };
  return (await confirm(title, text, choices)) === "delete";
}

/**
 * An app that neither the engine nor the store knows any more, once that is sure.
 *
 * @param {string} name
 * @returns {import("../live/app_state.js").App | null}
 */
function nobody(name) {
  if (!inventory.known) return null;
  const lines = { last_line: null, first: 1, next: 1, rate: 0 };
  const how = { state: "gone", trouble: false, running: 0, since: null, up: false };
  const what = { team: "", stack: null, put_away: false };
  return { name, instances: [], kind: "found", condition: "gone", ...what, ...how, ...lines };
}

/** @param {string} name */
function draw(name) {
  const app = inventory.apps.get(name) ?? nobody(name);
  if (!app) return;
  redraw(byId("app-state"), [stateIcon(appState(app))]);
  const when = since(app);
  const time = h("time");
  showRelative(time, when, app.up ? t("Started") : t("Stopped"));
  const troubled = app.instances.find((one) => reason(one));
  const why = troubled && reason(troubled);
  const ports = [...new Set(app.instances.flatMap((one) => one.ports))];
  const facts = [
    h(
      "span",
      null,
      stateSentence(app),
      when && (app.up ? ` · ${t("started")} ` : " · "),
      when && time,
    ),
    why && h("span", { class: "cut", title: troubled.error ?? why }, why),
    stackFact(app),
    keptFact(app),
    counted(app).length > 1 && h("span", { class: "wide" }, instanceCount(app)),
    app.instances.length === 1 &&
      h(
        "span",
        { class: "mono cut wide", title: app.instances[0].image },
        shortImage(app.instances[0].image),
      ),
    ports.length > 0 &&
      h("span", { class: "mono cut wide", title: ports.join("\n") }, shortPorts(ports, 3).text),
  ];
  redraw(
    byId("app-facts"),
    facts.filter((fact) => fact instanceof Element),
  );
}

/** Where the apps of its stack are read as one log. @param {App} app */
function stackFact({ stack }) {
  if (!stack) return null;
  const names = [...inventory.apps.values()].filter((one) => one.stack === stack).map(nameOf);
  if (names.length < 2) return null;
  const label = t("All logs of {stack}", { stack });
  return h("a", { class: "cut wide", href: logsAddress(names), title: label }, label);
}

/** @param {App} app */
const nameOf = ({ name }) => name;

/** What is kept of before an app was deployed does not run, and is easily forgotten. @param {App} app */
function keptFact(app) {
  const kept = app.instances.filter((one) => isKept(app, one));
  if (!kept.length || !may("deploy", app.name)) return null;
  const n = kept.length;
  return h(
    "button",
    {
      class: "fact-button",
      id: "app-kept",
      type: "button",
      title: kept.map((one) => one.name).join("\n"),
      onclick: () => openContainers(app.name),
    },
    tn("{n} container from before", "{n} containers from before", n, { n: formatNumber(n) }),
  );
}

/** @type {string | null} */
let asked = null;

/**
 * Where it answers, where it was deployed: as often as a deployment of it begins or ends.
 *
 * @param {string} name
 */
async function drawAddresses(name) {
  if (inventory.apps.get(name)?.kind !== "deployed") return;
  const its = [...deployments.all.values()].filter((one) => one.app === name);
  const now = its.map(({ id, state }) => `${id} ${state}`).join();
  if (asked === now) return;
  asked = now;
  try {
    const box = byId("app-addresses");
    const links = addressLinks((await getDeployed(name)).addresses);
    redraw(box, links);
    box.hidden = !links.length;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    asked = null; // what is shown stays, and the next change asks again
  }
}

/** The keys that lead to the tabs that there are. */
function bindTabs() {
  const keys = { metrics: "g m", traffic: "g r", app_deployments: "g d", configuration: "g c" };
  for (const [tab, key] of Object.entries(keys)) {
    const link = document.querySelector(`.tabs [data-tab="${tab}"]`);
    if (!(link instanceof HTMLAnchorElement)) continue;
    const label = link.textContent ?? "";
    bind({ keys: key, label, group: t("Go to"), run: () => location.assign(link.href) });
  }
}

/** Of the app whose page this is. */
export function startAppHeader() {
  const name = byId("app-name").dataset.app ?? "";
  inventory.addEventListener("apps", () => {
    draw(name);
    void drawAddresses(name);
  });
  deployments.addEventListener("change", () => void drawAddresses(name));
  bindTabs();
  if (may("terminal", name)) {
    bind({
      keys: "g t",
      label: t("Terminals of this app"),
      group: t("Go to"),
      run: () => location.assign(terminalAddress(name)),
    });
  }
  bind({
    keys: "g l",
    label: t("Logs of this app"),
    group: t("Go to"),
    run: () => location.assign(appAddress(name)),
  });
  offerOperating(name);
  offerRemoval(name);
  startOomCard(name);
  // Writing times and numbers takes a browser long the first time.
  afterPaint(() => draw(name));
}
