// The page of Compose projects: what each has, and bringing it up and down.

import "../frame/frame.js";
import { appAddress, logsAddress } from "../frame/addresses.js";
import { call, Problem } from "../lib/api.js";
import { confirm, openDialog } from "../lib/dialog.js";
import { byId, h, icon, setAttribute, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { t, tn } from "../lib/i18n.js";
import { listItem } from "../lib/list_item.js";
import { redraw } from "../lib/redraw.js";
import { toast } from "../lib/toast.js";
import { appState, stateIcon } from "../live/app_state.js";
import { inventory } from "../live/inventory.js";

/** @typedef {import("../types/api.js").Stack} Stack */

const SOON = 400; // ms: Compose changes many containers at once, which is one change to a reader

const list = byId("stacks-list");
const error = byId("stacks-error");
/** Those that are brought up or down from here. @type {Set<string>} */
const busy = new Set();
/** @type {Stack[]} */
let stacks = [];
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

async function load() {
  try {
    ({ stacks } = await call("GET", "/api/v1/stacks"));
    error.hidden = true;
    draw();
  } catch (thrown) {
    if (!(thrown instanceof Problem)) throw thrown;
    setText(error, sentence(thrown));
    error.hidden = false;
  }
  setAttribute(list, "aria-busy", "false");
}

function draw() {
  redraw(list, stacks.map(row));
  byId("stacks-none").hidden = stacks.length > 0;
}

/** @param {Stack} stack */
function row(stack) {
  const { name, apps, containers, files, unreadable } = stack;
  const facts = [
    containers
      ? tn("{n} container", "{n} containers", containers, { n: containers })
      : t("down, no containers"),
    ...apps.map(appLink),
  ];
  const where = unreadable
    ? [
        icon("warning"),
        t("Its file cannot be read here, so it is brought up and down elsewhere:"),
        " ",
        h("code", null, unreadable),
      ]
    : files.flatMap((file, n) => [n ? ", " : "", h("code", null, file)]);
  const actions = h("span", { class: "item-actions" });
  if (apps.length) {
    const href = logsAddress(apps);
    actions.append(h("a", { class: "button", href }, t("All logs")));
  }
  if (!unreadable) {
    actions.append(button(t("Bring it up"), stack, () => bring(stack, "up")));
    if (containers) actions.append(button(t("Bring it down"), stack, () => bringDown(stack)));
  }
  if (!containers) actions.append(button(t("Forget it"), stack, () => forget(stack)));
  const item = listItem(name, facts, actions);
  item.dataset.key = name;
  item.append(h("p", { class: `stacks-file${unreadable ? " stacks-unreadable" : ""}` }, where));
  return item;
}

/** With how it does, where that is known. @param {string} name */
function appLink(name) {
  const app = inventory.apps.get(name);
  return h(
    "a",
    { class: "stacks-app", href: appAddress(name) },
    app && stateIcon(appState(app)),
    name,
  );
}

/**
 * @param {string} verb
 * @param {Stack} stack
 * @param {() => Promise<void>} run
 */
function button(verb, { name }, run) {
  return h(
    "button",
    {
      class: "button small",
      type: "button",
      disabled: busy.has(name),
      "aria-label": `${verb}: ${name}`,
      onclick: () => void run(),
    },
    verb,
  );
}

/** @param {Stack} stack */
async function bringDown(stack) {
  const text = [
    t("Its containers and its networks are removed: {names}", { names: stack.apps.join(", ") }),
    t("Its volumes and its logs stay. It can be brought up again from here."),
  ];
  const choices = { keep: { verb: t("Cancel") }, down: { verb: t("Bring it down"), danger: true } };
  const title = t("Bring {name} down", { name: stack.name });
  if ((await confirm(title, text, choices)) === "down") await bring(stack, "down");
}

/**
 * @param {Stack} stack
 * @param {"up" | "down"} way
 */
async function bring({ name }, way) {
  busy.add(name);
  draw();
  toast(t("Compose is at work on {name} …", { name }), { stays: true });
  try {
    await call("POST", `/api/v1/stacks/${encodeURIComponent(name)}/${way}`, {});
    toast(way === "up" ? t("{name} is up", { name }) : t("{name} is down", { name }));
  } catch (thrown) {
    if (!(thrown instanceof Problem)) throw thrown;
    toast("");
    openDialog(t("This was not done"), h("p", { role: "alert" }, sentence(thrown)));
  }
  busy.delete(name);
  await load();
}

/** @param {Stack} stack */
async function forget({ name }) {
  try {
    await call("DELETE", `/api/v1/stacks/${encodeURIComponent(name)}`);
  } catch (thrown) {
    if (!(thrown instanceof Problem)) throw thrown;
    openDialog(t("This was not done"), h("p", { role: "alert" }, sentence(thrown)));
  }
  await load();
}

// Containers that come and go are told; what of them is a project the API knows.
inventory.addEventListener("apps", () => {
  clearTimeout(timer);
  timer = setTimeout(() => void load(), SOON);
});
void load();
