// The page of all apps: one row each, by stack, filtered as one types, true as it is looked at.

import "../frame/frame.js";
import { AppRow, columns } from "./app_row.js";
import { message, noContainers, silentEngine } from "./apps_empty.js";
import { ChosenBar } from "./chosen_bar.js";
import { goneApps } from "./gone_apps.js";
import { choose, onStep } from "../lib/address.js";
import { Problem } from "../lib/api.js";
import { ColumnWidths } from "../lib/column_widths.js";
import { openDialog } from "../lib/dialog.js";
import { byId, h, keepFocus, setAttribute, setChildren, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { formatNumber, t, tn } from "../lib/i18n.js";
import { inventory } from "../live/inventory.js";
import { bind } from "../frame/keys.js";
import { may } from "../frame/permissions.js";
import { appState, byStack, filterApps, isGone, isStopped, isTrouble } from "../live/app_state.js";
import { noticed } from "../frame/notices.js";
import { readUnits } from "../lib/units.js";
import { overview } from "../live/overview.js";
import { startNodeStrip } from "./node_strip.js";
import { Sorting } from "./sorting.js";

/** @typedef {import("../live/app_state.js").App} App */

const field = /** @type {HTMLInputElement} */ (byId("apps-filter"));
const chips = byId("apps-chips");
const list = byId("apps-list");
const count = byId("apps-count");

const LATE = 1_000; // ms

/** @type {Record<string, {label: string, has: (app: App) => boolean}>} */
const KINDS = {
  all: { label: t("All"), has: () => true },
  up: { label: t("Running"), has: (app) => appState(app) === "running" },
  trouble: { label: t("In trouble"), has: isTrouble },
  stopped: {
    label: t("Stopped"),
    has: isStopped,
  },
  gone: { label: t("Only logs kept"), has: isGone },
};

/** @type {Map<string, AppRow>} */
const rows = new Map();
const sorting = new Sorting(list);
const units = readUnits();
const widths = new ColumnWidths("apps", list, (name) => list.querySelectorAll(`.cell.${name}`));
let kind = "all";
let late = false; // the apps take long to come

// What is shown

/** An app may come to another group: who is at its row is there as well. */
const draw = () => keepFocus(drawAll);

function drawAll() {
  const apps = filterApps(inventory.apps.values(), field.value).filter(KINDS[kind].has);
  const there = apps.filter((app) => !isGone(app));
  const gone = apps.filter(isGone);
  /** @type {Element[]} */
  const wanted = apps.length ? [head()] : [];
  /** @type {[string | null, App[]][]} */
  const stacks = sorting.by ? [[null, sorting.sorted(there)]] : byStack(there);
  // Where there are no stacks, a heading that says so tells nothing.
  const alone = stacks.length === 1 && stacks[0][0] === null;
  for (const [stack, members] of stacks) {
    const box = group(stack ?? "", stack ?? t("Without a stack"), members);
    box.classList.toggle("unnamed", alone && !gone.length);
    wanted.push(box);
  }
  if (gone.length) {
    wanted.push(group("\0gone", t("No containers any more, logs kept"), gone));
  }
  const more = goneApps.count(field.value);
  const offered = more && (kind === "all" || kind === "gone");
  if (offered) wanted.push(moreOfThem(more));
  else if (!apps.length) wanted.push(empty(more));
  sorting.show();
  setAttribute(list, "role", apps.length ? "table" : "group");
  const ports = there.some((app) => app.instances.some((one) => one.ports.length > 0));
  list.classList.toggle("no-ports", !ports);
  setChildren(list, wanted);
  for (const name of rows.keys()) if (!inventory.apps.has(name)) rows.delete(name);
  drawChips(more ?? 0);
  drawCount();
  chosen.draw();
}

/**
 * @param {string} key
 * @param {string} label
 * @param {App[]} apps
 */
function group(key, label, apps) {
  const box = groupBox(key, label);
  const members = apps.flatMap((app) => {
    let row = rows.get(app.name);
    if (row) row.update(app);
    else {
      row = new AppRow(app);
      rows.set(app.name, row);
      row.measured.show(overview.apps.get(app.name), units, true);
      chosen.adopt(row);
    }
    return row.rows();
  });
  setText(/** @type {Element} */ (box.querySelector(".group-count")), formatNumber(apps.length));
  setChildren(box, [/** @type {Element} */ (box.firstElementChild), ...members]);
  return box;
}

/** @type {Map<string, HTMLElement>} */
const boxes = new Map();

/**
 * @param {string} key
 * @param {string} label
 */
function groupBox(key, label) {
  let box = boxes.get(key);
  if (!box) {
    const heading = h("h2", null, label);
    box = h(
      "div",
      { class: "app-group", role: "rowgroup", "aria-label": label },
      h(
        "div",
        { class: "group-head", role: "row" },
        h(
          "div",
          { class: "group-name", role: "cell", "aria-colspan": columns().length },
          heading,
          h("span", { class: "group-count faint" }),
        ),
      ),
    );
    boxes.set(key, box);
  }
  return box;
}

/** @type {HTMLElement | undefined} */
let headRow;

function head() {
  headRow ??= h(
    "div",
    { class: "app-row list-head", role: "row" },
    columns().map(({ name, label }) =>
      h(
        "div",
        { class: `cell ${name}`, role: "columnheader", "aria-label": label },
        sorting.head(name, label),
        name !== "line" && widths.handle(name, label), // the last one has what is left
      ),
    ),
  );
  return headRow;
}

/** @param {number} more that are gone and not here */
function drawChips(more) {
  const found = filterApps(inventory.apps.values(), field.value);
  for (const chip of chips.querySelectorAll("button")) {
    const { has } = KINDS[chip.dataset.kind ?? ""];
    const unseen = chip.dataset.kind === "gone" ? more : 0;
    const number = found.filter(has).length + unseen;
    setText(/** @type {Element} */ (chip.querySelector(".faint")), formatNumber(number));
    chip.setAttribute("aria-pressed", String(chip.dataset.kind === kind));
    chip.hidden = chip.dataset.kind === "gone" && number === 0 && kind !== "gone";
    chip.classList.toggle("alarm", chip.dataset.kind === "trouble" && number > 0);
  }
}

const moreText = h("span");
const moreButton = h(
  "button",
  { class: "button", type: "button", onclick: () => void showMore() },
  moreText,
);
const moreBox = h("div", { class: "apps-more" }, moreButton);

/**
 * Thousands of apps that came and went would bury what runs: they are behind their number.
 *
 * @param {number} n
 */
function moreOfThem(n) {
  setText(
    moreText,
    field.value.trim()
      ? matchesOf(n)
      : tn("{n} app that is gone", "{n} apps that are gone", n, { n: formatNumber(n) }),
  );
  return moreBox;
}

/** @param {number} n */
function matchesOf(n) {
  const shown = { n: formatNumber(n) };
  return tn("{n} app that is gone matches", "{n} apps that are gone match", n, shown);
}

async function showMore() {
  moreButton.disabled = true;
  try {
    await inventory.loadMore(field.value.trim());
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    openDialog(t("This was not done"), h("p", { role: "alert" }, sentence(error)));
  } finally {
    moreButton.disabled = false;
  }
}

function drawCount() {
  const containers = [...inventory.apps.values()].reduce((n, app) => n + app.instances.length, 0);
  setText(count, inventory.known ? tn("{n} container", "{n} containers", containers) : "");
}

// Nothing to show

/** @param {number | null} more that are gone and match; null: that is being asked */
function empty(more) {
  const silent = noticed.has("engine-unreachable") || noticed.has("engine-refused");
  // They mostly come before one could read that they are asked for.
  if (!inventory.known && !silent) {
    return late ? message(t("Asking the engine for its containers."), "") : h("div");
  }
  if (field.value || kind !== "all") {
    if (more === null) return h("div");
    if (more && field.value.trim()) {
      return message(
        t("No app with containers matches."),
        matchesOf(more),
        h("button", { class: "button", type: "button", onclick: showGone }, t("Show them")),
      );
    }
    return message(
      t("No app matches."),
      t("The filter looks at names, stacks, images, ids and ports."),
      h("button", { class: "button", type: "button", onclick: clear }, t("Clear the filter")),
    );
  }
  return silent ? silentEngine() : noContainers(may("deploy"));
}

// Filter, kept in the address so that a copied link opens the same view

function readAddress() {
  const given = new URLSearchParams(location.search);
  field.value = given.get("q") ?? "";
  const wanted = given.get("show") ?? "all";
  kind = wanted in KINDS ? wanted : "all";
}

/** @param {boolean} [typing] more of it may come */
function changed(typing = false) {
  choose({ q: field.value, show: kind === "all" ? "" : kind }, typing);
  draw();
}

function showGone() {
  kind = "gone";
  changed();
  void showMore();
}

function clear() {
  field.value = "";
  kind = "all";
  changed();
  field.focus();
}

for (const [name, { label }] of Object.entries(KINDS)) {
  chips.append(
    h(
      "button",
      {
        class: "chip",
        type: "button",
        dataset: { kind: name },
        onclick: () => {
          kind = name;
          changed();
        },
      },
      label,
      h("span", { class: "faint" }),
    ),
  );
}
field.addEventListener("input", () => changed(true));
field.addEventListener("keydown", (event) => {
  if (event.key === "Escape") clear();
  else if (event.key === "ArrowDown" || (event.key === "Enter" && !event.isComposing)) {
    event.preventDefault();
    move(1);
  }
});

// By keyboard

/** The rows in the order they are seen. */
function shownRows() {
  return [...list.querySelectorAll("[data-app]")].flatMap((element) => {
    const row = rows.get(/** @type {HTMLElement} */ (element).dataset.app ?? "");
    return row ? [row] : [];
  });
}

/** @param {number} step */
function move(step) {
  const all = shownRows();
  const at = all.findIndex((row) => row.row.contains(document.activeElement));
  const next = all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + step))];
  next?.link.focus();
  next?.row.scrollIntoView({ block: "nearest" });
}

/** @param {boolean} open */
function toggle(open) {
  const row = shownRows().find((one) => one.row.contains(document.activeElement));
  if (!row) return false;
  return row.toggle(open);
}

const section = t("Apps");
bind({ keys: ["j", "ArrowDown"], label: t("Next app"), group: section, run: () => move(1) });
bind({ keys: ["k", "ArrowUp"], label: t("Previous app"), group: section, run: () => move(-1) });
bind({ keys: "Enter", label: t("Open its logs"), group: section, run: () => false });
bind({
  keys: ["l", "ArrowRight"],
  label: t("Show its instances"),
  group: section,
  run: () => toggle(true),
});
bind({
  keys: ["h", "ArrowLeft"],
  label: t("Hide its instances"),
  group: section,
  run: () => toggle(false),
});
bind({ keys: "f", label: t("Filter the apps"), group: section, run: () => field.focus() });

const chosen = new ChosenBar(byId("apps"), shownRows);
list.addEventListener("toggled", draw);
sorting.addEventListener("change", draw);
overview.addEventListener("change", () => {
  for (const [name, row] of rows) {
    if (overview.moved || overview.changed.has(name)) {
      row.measured.show(overview.apps.get(name), units, overview.moved);
    }
  }
});
inventory.addEventListener("apps", draw);
inventory.addEventListener("activity", () => {
  for (const [name, row] of rows) {
    const app = inventory.apps.get(name);
    if (app) row.updateActivity(app);
  }
});
goneApps.addEventListener("count", draw);
addEventListener("notices", draw);
setInterval(() => {
  for (const row of rows.values()) row.tick();
}, 1000);
readAddress();
onStep(() => {
  readAddress();
  draw();
});
draw();
overview.follow();
startNodeStrip(byId("node-strip"), units);
setTimeout(() => {
  late = true;
  if (!inventory.known) draw();
}, LATE);
