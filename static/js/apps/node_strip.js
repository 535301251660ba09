// The machine, above the apps: processor, memory, load, disk, network, and how long the disk lasts. For
// who may see its numbers: nothing is shown to others.

import { call, Problem } from "../lib/api.js";
import { afterPaint, h, setAttribute, setChildren, setText } from "../lib/dom.js";
import { formatMeasured, formatNumber, t, tn } from "../lib/i18n.js";
import { Trend } from "../lib/trend.js";
import { formatIn, formatValue, scaleOf } from "../lib/units.js";
import { overview } from "../live/overview.js";
import { daysUntilFull } from "./disk_forecast.js";

/** @typedef {import("../lib/units.js").Units} Units */

const AGAIN = 600_000; // ms until the disk is looked at again
const DAY = 86_400;
const SOON = 14; // days: it is time to do something
const TIGHT = 0.9; // of a limit

class Item {
  #value = h("span", { class: "node-value" });
  #more = h("span", { class: "node-more" });
  #trend = new Trend();
  #bar = h("span", { class: "node-bar", hidden: true }, h("i"));

  /** @param {string} label */
  constructor(label) {
    this.element = h(
      "li",
      { class: "node-item", hidden: true },
      h("span", { class: "node-label" }, label),
      this.#value,
      this.#more,
      this.#bar,
    );
  }

  /** @param {(number | null)[]} spark */
  draw(spark) {
    if (!this.#trend.element.isConnected) this.element.append(this.#trend.element);
    this.#trend.draw(spark);
  }

  /**
   * @param {string | null} value null: it is not known
   * @param {string} [more]
   * @param {number | null} [part] of what there is
   */
  show(value, more = "", part = null) {
    this.element.hidden = value === null;
    setText(this.#value, value ?? "");
    setText(this.#more, more);
    this.#bar.hidden = part === null;
    if (part === null) return;
    const bar = /** @type {HTMLElement} */ (this.#bar.firstElementChild);
    bar.style.width = `${Math.round(Math.min(1, part) * 100)}%`;
    setAttribute(this.element, "data-tight", part >= TIGHT ? "yes" : null);
  }

  /**
   * @param {string} text
   * @param {boolean} warns
   */
  say(text, warns) {
    setText(this.#more, text);
    setAttribute(this.element, "data-tight", warns ? "yes" : null);
  }
}

class NodeStrip {
  #list = h("ul", { class: "node-items" });
  #trouble = h("p", { class: "node-trouble", role: "status", hidden: true });
  #cpu = new Item(t("CPU"));
  #memory = new Item(t("Memory"));
  #load = new Item(t("Load"));
  #network = new Item(t("Network"));
  /** By path. @type {Map<string, Item>} */
  #disks = new Map();
  /** By path. @type {Map<string, number>} */
  #days = new Map();

  /**
   * @param {HTMLElement} box
   * @param {Units} units
   */
  constructor(box, units) {
    this.box = box;
    this.units = units;
    box.append(this.#list, this.#trouble);
    overview.addEventListener("change", () => this.#draw());
    afterPaint(() => void this.#lookAhead());
  }

  #draw() {
    const { node, trouble } = overview;
    this.#trouble.hidden = !trouble;
    setText(this.#trouble, trouble ?? "");
    this.box.hidden = !node.size && !trouble;
    if (this.box.hidden) return;
    this.#drawDisks();
    setChildren(this.#list, [
      this.#cpu.element,
      this.#memory.element,
      this.#load.element,
      ...[...this.#disks.values()].map((disk) => disk.element),
      this.#network.element,
    ]);
    const count = this.#of("cpu.count");
    const cpu = this.#of("cpu");
    const cores = count && tn("of {n} core", "of {n} cores", count, { n: formatMeasured(count) });
    this.#cpu.show(
      cpu === null ? null : this.#cores(cpu),
      cores || "",
      count && cpu && cpu / count,
    );
    this.#share(this.#memory, "memory", "memory.limit");
    const load = this.#of("load");
    this.#load.show(load === null ? null : formatMeasured(Math.round(load * 100) / 100));
    this.#drawNetwork();
    if (!overview.moved) return;
    this.#cpu.draw(overview.cpu.spark);
    this.#memory.draw(overview.memory.spark);
  }

  /** @param {string} name */
  #of(name) {
    return overview.node.get(name) ?? null;
  }

  /** @param {number} cpu */
  #cores(cpu) {
    const rounded = Math.round(cpu * 100) / 100;
    return this.units.cpu === "percent"
      ? formatValue("cores", rounded, this.units)
      : formatMeasured(rounded);
  }

  /**
   * @param {Item} item
   * @param {string} used
   * @param {string} limit
   */
  #share(item, used, limit) {
    const now = this.#of(used);
    const most = this.#of(limit);
    if (now === null) return item.show(null);
    const of = most === null ? "" : t("of {n}", { n: formatValue("bytes", most, this.units) });
    item.show(formatValue("bytes", now, this.units), of, most && now / most);
  }

  #drawNetwork() {
    const received = this.#of("network.received");
    const sent = this.#of("network.sent");
    if (received === null || sent === null) return this.#network.show(null);
    const scale = scaleOf("bytes/s", Math.max(received, sent), this.units, "network.sent");
    this.#network.show(`↓ ${formatMeasured(received / scale.by)} ↑ ${formatIn(scale, sent)}`);
  }

  #drawDisks() {
    const paths = [...overview.node.keys()].filter((name) => name.startsWith("disk.used"));
    for (const name of paths.sort()) {
      const path = name.slice("disk.used".length).trim();
      let item = this.#disks.get(path);
      if (!item) {
        item = new Item(t("Disk"));
        item.element.title = path;
        this.#disks.set(path, item);
      }
      this.#share(item, name, name.replace("used", "limit"));
      const days = this.#days.get(path);
      if (days !== undefined) item.say(fullIn(days), days < SOON);
    }
  }

  /** How the disks fill, from the day before. */
  async #lookAhead() {
    setTimeout(() => void this.#lookAhead(), AGAIN);
    const since = Math.floor(Date.now() / 1000) - DAY;
    const query = new URLSearchParams({
      names: "disk.used,disk.limit",
      since: String(since),
      points: "144",
    });
    try {
      const { series } = await call("GET", `/api/v1/node/metrics?${query}`);
      this.#days.clear();
      for (const { name, labels, points } of series) {
        if (name !== "disk.used") continue;
        const limit = series.find(
          (/** @type {any} */ one) => one.name === "disk.limit" && one.labels.path === labels.path,
        );
        const most = limit?.points.findLast((/** @type {any} */ one) => one[2] !== null)?.[2];
        /** @type {[number, number | null][]} */
        const used = points.map((/** @type {any} */ [time, , mean]) => [time, mean]);
        const days = most ? daysUntilFull(used, most) : null;
        if (days !== null) this.#days.set(labels.path ?? "", days);
      }
      this.#draw();
    } catch (error) {
      // Who may not see it is not told more; what cannot be asked now is asked again.
      if (!(error instanceof Problem)) throw error;
    }
  }
}

/** @param {number} days */
function fullIn(days) {
  if (days < 1) return t("full within a day");
  const n = Math.floor(days);
  return tn("full in about {n} day", "full in about {n} days", n, { n: formatNumber(n) });
}

/**
 * @param {HTMLElement} box
 * @param {Units} units
 */
export function startNodeStrip(box, units) {
  new NodeStrip(box, units);
}
