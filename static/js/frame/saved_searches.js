// Searches that the reader keeps under a name: pinned to the sidebar with how many lines of the last
// hour they find, and in the palette. Asked for as long as somebody looks.

import { call, Problem } from "../lib/api.js";
import { byId, h, icon, setAttribute, setChildren, setText } from "../lib/dom.js";
import { formatNumber, formatTime, t, tn } from "../lib/i18n.js";
import { recallInTab, rememberInTab } from "../lib/storage.js";
import { addEntries, entry } from "./command_palette.js";

/** @typedef {import("../types/api.js").SavedSearch} SavedSearch */
/** @typedef {Pick<SavedSearch, "name" | "view" | "apps" | "query" | "pinned">} NewSearch */

const PATH = "/api/v1/me/searches";
const EVERY = 60_000; // ms between two countings
const STALE = 180_000; // ms after which a count is none
const KEPT = "saved-searches";
const whose = byId("account").textContent?.trim() ?? "";

/** Announces `change`. */
class SavedSearches extends EventTarget {
  /** @type {SavedSearch[]} */
  list = [];
  #asked = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  follow() {
    const kept = JSON.parse(recallInTab(KEPT) ?? "null");
    // Who signs in after somebody else in the same tab is not shown what was theirs.
    if (kept?.whose === whose) this.#take(kept.list, false);
    document.addEventListener("visibilitychange", () => this.#plan());
    void this.load();
  }

  /** Asks again, when it is time and somebody looks. */
  #plan() {
    clearTimeout(this.#timer);
    if (document.hidden) return;
    const wait = Math.max(0, this.#asked + EVERY - performance.now());
    this.#timer = setTimeout(() => void this.load(), wait);
  }

  async load() {
    this.#asked = performance.now();
    try {
      /** @type {{ searches: SavedSearch[] }} */
      const { searches } = await call("GET", `${PATH}?counts=1`);
      this.#take(searches);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.dispatchEvent(new Event("change")); // counts of a while ago are shown no more
    }
    this.#plan();
  }

  /** @param {NewSearch} wanted */
  async add(wanted) {
    await call("POST", PATH, wanted);
    await this.load();
  }

  /**
   * @param {number} id
   * @param {{ name?: string, pinned?: boolean }} part
   */
  async change(id, part) {
    await call("PATCH", `${PATH}/${id}`, part);
    await this.load();
  }

  /** @param {number} id */
  async remove(id) {
    await call("DELETE", `${PATH}/${id}`);
    this.#take(this.list.filter((one) => one.id !== id));
  }

  /** @param {SavedSearch[]} list @param {boolean} [keep] */
  #take(list, keep = true) {
    this.list = list;
    if (keep) rememberInTab(KEPT, JSON.stringify({ whose, list }));
    this.dispatchEvent(new Event("change"));
  }
}

export const savedSearches = new SavedSearches();

/** What a search is called, also one whose name may not be seen any more. @param {SavedSearch} one */
export function nameOf({ name, state }) {
  return state === "hidden" ? t("A search of apps that you may not view any more") : name;
}

/** What it looks at, and why that is nothing. @param {SavedSearch} one */
export function aboutOf({ state, apps, gone }) {
  if (state === "hidden") return "";
  if (state === "gone") return t("{apps}: gone", { apps: gone.join(", ") });
  const rest = gone.length ? t("{apps}: gone", { apps: gone.join(", ") }) : "";
  const there = apps.filter((app) => !gone.includes(app));
  const which = there.length ? there.join(", ") : t("All apps");
  return [which, rest].filter(Boolean).join(" · ");
}

// The sidebar

/** @type {Map<number, { element: HTMLElement, name: HTMLElement, count: HTMLElement }>} */
const rows = new Map();

/** @param {SavedSearch} one */
function makeRow(one) {
  const name = h("span", { class: "side-name cut" });
  const count = h("span", { class: "side-count" });
  // What leads nowhere is no link.
  const element = one.address
    ? h("a", { class: "side-app", href: one.address }, icon("bookmark"), name, count)
    : h("span", { class: "side-app side-nowhere" }, icon("bookmark"), name, count);
  return { element, name, count };
}

/** @param {SavedSearch["count"]} count */
function countWords(count) {
  if (!count || Date.now() - Date.parse(count.at) > STALE) return "";
  return formatNumber(count.lines) + (count.complete ? "" : "+");
}

function drawPinned() {
  const pinned = savedSearches.list.filter((one) => one.pinned);
  const box = byId("side-pinned");
  const elements = pinned.map((one) => {
    let row = rows.get(one.id);
    const there = row?.element.getAttribute("href") ?? "";
    if (!row || there !== one.address) rows.set(one.id, (row = makeRow(one)));
    setText(row.name, nameOf(one));
    const gone = one.state === "gone" ? t("gone") : "";
    setText(row.count, gone || countWords(one.count));
    const n = one.count?.lines ?? 0;
    const hour = one.count
      ? `${tn("{n} line in the last hour", "{n} lines in the last hour", n)} (${formatTime(one.count.at)})`
      : "";
    row.element.title = [nameOf(one), aboutOf(one), hour].filter(Boolean).join("\n");
    const here = one.address !== "" && location.pathname + location.search === one.address;
    setAttribute(row.element, "aria-current", here ? "page" : null);
    return row.element;
  });
  const ids = new Set(pinned.map((one) => one.id));
  for (const id of rows.keys()) if (!ids.has(id)) rows.delete(id);
  setChildren(box, elements);
  box.hidden = !elements.length;
}

export function startSavedSearches() {
  savedSearches.addEventListener("change", drawPinned);
  addEntries(() =>
    savedSearches.list.flatMap((one) =>
      one.address
        ? [entry(one.name, t("Search"), "bookmark", () => location.assign(one.address))]
        : [],
    ),
  );
  savedSearches.follow();
}
