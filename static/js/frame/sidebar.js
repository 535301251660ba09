// The sidebar: every app with its state and what it is doing, a search, a width of its own, and
// below 900 px a drawer.

import { appAddress } from "./addresses.js";
import { nameElement } from "../lib/cut_name.js";
import { byId, h, setAttribute, setChildren, setText } from "../lib/dom.js";
import { formatRate, t, tn } from "../lib/i18n.js";
import { deployments } from "../live/deployments.js";
import { inventory } from "../live/inventory.js";
import { bind } from "./keys.js";
import {
  appState,
  byStack,
  filterApps,
  isGone,
  nameInStack,
  showState,
  stateIcon,
} from "../live/app_state.js";
import { recall, recallInTab, remember, rememberInTab } from "../lib/storage.js";

/** @typedef {import("../live/app_state.js").App} App */

const NARROW = matchMedia("(width < 900px)");
const WIDTH = { least: 180, usual: 248, most: 480, step: 16 };

const root = document.documentElement;
const side = byId("side");
const list = byId("side-apps");
const search = /** @type {HTMLInputElement} */ (byId("side-search"));
const opener = byId("side-open");
const closer = byId("side-close");
const edge = byId("side-edge");

/** @type {Map<string, {link: HTMLAnchorElement, update: (app: App) => void}>} */
const rows = new Map();
/** The key of those that only have logs left; no stack can be called so. */
const GONE = "\0gone";
const current = document.getElementById("app-name")?.dataset.app ?? null;

/** @param {App} app */
function makeRow(app) {
  const state = stateIcon(appState(app));
  const name = nameElement(nameInStack(app), "side-name");
  const rate = h("span", { class: "side-rate" });
  const link = h(
    "a",
    {
      class: "side-app",
      href: appAddress(app.name),
      title: app.name,
      "aria-current": app.name === current && "page",
    },
    state,
    name,
    rate,
  );
  const update = (/** @type {App} */ now) => {
    const shown = appState(now);
    showState(state, shown);
    setAttribute(link, "data-state", shown);
    const deploying = deployments.underWay(now.name) !== null;
    rate.classList.toggle("side-deploying", deploying);
    setText(rate, deploying ? t("deploying") : now.rate > 0 ? formatRate(now.rate) : "");
  };
  return { link, update };
}

const LATELY = 24 * 3_600_000; // ms
const LATELY_AT_MOST = 5;

/** Of those that are gone the one that is looked at, and those that went last. @param {App[]} gone */
function lately(gone) {
  const since = new Date(Date.now() - LATELY).toISOString();
  const last = gone
    .filter((app) => app.name !== current && wentAt(app) > since)
    .sort((a, b) => (wentAt(a) < wentAt(b) ? 1 : -1))
    .slice(0, LATELY_AT_MOST);
  return gone.filter((app) => app.name === current || last.includes(app));
}

/** @param {App} app @returns {string} when it was last heard of */
function wentAt({ since, last_line: line }) {
  return (line?.[1] ?? "") > (since ?? "") ? (line?.[1] ?? "") : (since ?? "");
}

let shownBefore = false;

function draw() {
  // One app alone, before the others have come, would jump away from under the pointer.
  if (!inventory.known) return;
  const found = filterApps(inventory.apps.values(), search.value);
  const stacks = byStack(found.filter((app) => !isGone(app)));
  // Years of logs of what is long gone would bury what runs: they are found by searching.
  const gone = found.filter(isGone);
  const shown = search.value ? gone : lately(gone);
  const unseen = search.value ? 0 : gone.length + inventory.more;
  if (gone.length || unseen) stacks.push([GONE, shown]);
  /** @type {Element[]} */
  const wanted = [];
  for (const [stack, apps] of stacks) {
    // One heading more than there are groups to tell apart is noise.
    if (stacks.length > 1 || stack) wanted.push(heading(stack));
    for (const app of apps) {
      let row = rows.get(app.name);
      if (!row) rows.set(app.name, (row = makeRow(app)));
      row.update(app);
      wanted.push(row.link);
    }
    if (stack === GONE && apps.length < unseen) wanted.push(goneLink(unseen));
  }
  if (!wanted.length && search.value) {
    wanted.push(h("p", { class: "side-none" }, t("No app is called that.")));
  }
  setChildren(list, wanted);
  for (const name of rows.keys()) if (!inventory.apps.has(name)) rows.delete(name);
  if (!shownBefore) list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  shownBefore = true;
}

// What the last page of this tab showed: names are there with the first paint, and what is true of them
// when it is known.

const KEPT = "sidebar-apps";
const MOST_KEPT = 200;
const whose = byId("account").textContent?.trim() ?? "";

/** `[name, as it is shown]` of an app, `[heading]` of a group. @typedef {[string, string] | [string]} Kept */

function keep() {
  if (!inventory.known || search.value) return;
  const names = new Map([...rows].map(([name, { link }]) => [link, name]));
  /** @type {Kept[]} */
  const shown = [...list.children].slice(0, MOST_KEPT).flatMap((element) => {
    const text = element.querySelector(".side-name")?.textContent ?? "";
    const name = names.get(/** @type {HTMLAnchorElement} */ (element));
    if (name !== undefined) return /** @type {Kept[]} */ ([[name, text]]);
    return element.matches("h2") ? /** @type {Kept[]} */ ([[element.textContent ?? ""]]) : [];
  });
  rememberInTab(KEPT, JSON.stringify({ whose, shown }));
}

function drawKept() {
  const kept = JSON.parse(recallInTab(KEPT) ?? "null");
  // Who signs in after somebody else in the same tab is not shown what was theirs.
  if (!kept || kept.whose !== whose) return;
  setChildren(
    list,
    kept.shown.map((/** @type {Kept} */ [name, text]) =>
      text === undefined
        ? h("h2", { class: "side-stack" }, name)
        : h(
            "a",
            {
              class: "side-app",
              href: appAddress(name),
              title: name,
              "aria-current": name === current && "page",
              "data-state": "gone",
            },
            h("span", { class: "state-box side-state" }),
            h("span", { class: "side-name cut" }, text),
          ),
    ),
  );
  list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
}

const goneText = h("span", { class: "cut" });
const goneElement = h(
  "a",
  { class: "side-app", href: "/?show=gone", dataset: { state: "gone" } },
  goneText,
);

/** @param {number} n */
function goneLink(n) {
  setText(goneText, tn("{n} app", "{n} apps", n));
  return goneElement;
}

/** @type {Map<string | null, HTMLElement>} */
const headings = new Map();

/** @param {string | null} stack */
function heading(stack) {
  let element = headings.get(stack);
  if (!element) {
    element = h(
      "h2",
      { class: "side-stack" },
      stack === GONE ? t("Only logs kept") : (stack ?? t("Without a stack")),
    );
    headings.set(stack, element);
  }
  return element;
}

function drawActivity() {
  for (const [name, row] of rows) {
    const app = inventory.apps.get(name);
    if (app) row.update(app);
  }
}

/** @param {number} step */
function moveFocus(step) {
  const links = [...list.querySelectorAll("a")];
  const at = links.indexOf(/** @type {HTMLAnchorElement} */ (document.activeElement));
  const next = at + step;
  if (next < 0) search.focus();
  else links[Math.min(next, links.length - 1)]?.focus();
}

function followSearch() {
  search.addEventListener("input", draw);
  search.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter") {
      const first = list.querySelector("a");
      if (first) location.assign(first.href);
    } else if (event.key === "Escape") {
      search.value = "";
      draw();
      search.blur();
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      moveFocus(1);
    }
  });
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    moveFocus(step);
  });
  addEventListener("find-app", () => {
    open();
    search.focus();
    search.select();
  });
}

// Open, closed, drawer

function open() {
  if (NARROW.matches) {
    side.classList.add("open");
    byId("side-apps").closest(".frame")?.querySelector(".frame-content")?.setAttribute("inert", "");
  } else {
    delete root.dataset.sidebar;
    remember("sidebar", null);
  }
  opener.setAttribute("aria-expanded", "true");
}

function close() {
  if (NARROW.matches) {
    side.classList.remove("open");
    document.querySelector(".frame-content")?.removeAttribute("inert");
  } else {
    root.dataset.sidebar = "closed";
    remember("sidebar", "closed");
  }
  opener.setAttribute("aria-expanded", "false");
  if (side.contains(document.activeElement)) opener.focus();
}

function isOpen() {
  return NARROW.matches ? side.classList.contains("open") : root.dataset.sidebar !== "closed";
}

function followOpening() {
  opener.addEventListener("click", () => {
    open();
    closer.focus();
  });
  closer.addEventListener("click", close);
  byId("side-scrim").addEventListener("click", close);
  side.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented && NARROW.matches) close();
  });
  NARROW.addEventListener("change", () => {
    side.classList.remove("open");
    document.querySelector(".frame-content")?.removeAttribute("inert");
  });
  bind({ keys: "[", label: t("Sidebar"), run: () => (isOpen() ? close() : open()) });
}

// Its width

/** @param {number} width */
function setWidth(width) {
  const wide = Math.round(Math.min(WIDTH.most, Math.max(WIDTH.least, width)));
  root.style.setProperty("--sidebar", `${wide}px`);
  remember("sidebar-width", String(wide));
  edge.setAttribute("aria-valuenow", String(wide));
}

function followEdge() {
  edge.setAttribute("aria-valuemin", String(WIDTH.least));
  edge.setAttribute("aria-valuemax", String(WIDTH.most));
  edge.setAttribute("aria-valuenow", recall("sidebar-width") ?? String(WIDTH.usual));
  edge.addEventListener("pointerdown", (event) => {
    edge.setPointerCapture(event.pointerId);
    edge.classList.add("dragging");
  });
  edge.addEventListener("pointermove", (event) => {
    if (edge.classList.contains("dragging")) setWidth(event.clientX);
  });
  edge.addEventListener("lostpointercapture", () => edge.classList.remove("dragging"));
  edge.addEventListener("dblclick", () => setWidth(WIDTH.usual));
  edge.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -WIDTH.step, ArrowRight: WIDTH.step }[event.key];
    if (!steps) return;
    event.preventDefault();
    setWidth(side.getBoundingClientRect().width + steps);
  });
}

export function startSidebar() {
  followSearch();
  followOpening();
  followEdge();
  drawKept();
  addEventListener("pagehide", keep);
  inventory.addEventListener("apps", draw);
  inventory.addEventListener("activity", drawActivity);
  deployments.addEventListener("change", drawActivity);
}
