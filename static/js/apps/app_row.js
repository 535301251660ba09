// One app in the list of apps: a row that is made once and then only told what changed.

import { nameElement } from "../lib/cut_name.js";
import { h, icon, setAttribute, setText } from "../lib/dom.js";
import { formatNumber, formatRate, t } from "../lib/i18n.js";
import { plainText } from "../lib/ansi.js";
import { appAddress, terminalButton } from "../frame/addresses.js";
import { may } from "../frame/permissions.js";
import { openContainers } from "./containers_dialog.js";
import { shortImage, shortPorts } from "./format_container.js";
import { MeasuredCells } from "./measured_cells.js";
import { redraw, redrawn } from "../lib/redraw.js";
import { Sparkline } from "../lib/sparkline.js";
import * as states from "../live/app_state.js";
import { showState, stateIcon } from "../live/app_state.js";
import { showRelative } from "../lib/relative_time.js";

/** @typedef {import("../live/app_state.js").App} App */
/** @typedef {import("../live/app_state.js").Instance} Instance */

/** The columns, in order; the head of the list and the rows agree by their class names. */
export function columns() {
  return [
    { name: "name", label: t("App") },
    { name: "image", label: t("Image") },
    { name: "ports", label: t("Ports") },
    { name: "cpu", label: t("CPU") },
    { name: "memory", label: t("Memory") },
    { name: "since", label: t("Since") },
    { name: "rate", label: t("Rate") },
    { name: "line", label: t("Last line") },
  ];
}

/**
 * @param {string} name
 * @param {...(Node | string)} content
 */
function cell(name, ...content) {
  return h("div", { class: `cell ${name}`, role: "cell" }, ...content);
}

export class AppRow {
  #state = stateIcon("gone");
  #badge = h("span", { class: "badge" });
  #terminal = h("span", { class: "terminal-place" });
  #toggle;
  #link;
  #image = cell("image");
  #ports = cell("ports");
  #since = h("time");
  #restarts = h("span", { class: "restarts" });
  #rate = h("span", { class: "rate-number" });
  #spark = new Sparkline();
  #text = h("span", { class: "line-text cut" });
  #when = h("time");
  /** What it uses. */
  measured = new MeasuredCells();
  #open = false;
  /** Those of its instances, by id. @type {Map<string, HTMLElement>} */
  #instances = new Map();
  /** @type {HTMLInputElement | null} */
  #box = null;
  /** @type {App} */
  #app;

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    this.#toggle = h(
      "button",
      {
        class: "app-toggle",
        type: "button",
        "aria-expanded": "false",
        onclick: () => this.toggle(),
      },
      icon("chevron"),
    );
    this.#link = h(
      "a",
      { class: "app-link cut", href: appAddress(app.name), title: app.name },
      nameElement(states.nameInStack(app)),
    );
    this.row = h(
      "div",
      { class: "app-row", role: "row", dataset: { app: app.name } },
      cell("name", this.#toggle, this.#state, this.#link, this.#badge, this.#terminal),
      this.#image,
      this.#ports,
      ...this.measured.elements,
      cell("since", this.#since, this.#restarts),
      cell("rate", this.#spark.element, this.#rate),
      cell("line", this.#text, this.#when),
    );
    this.update(app);
  }

  /** The rows it takes: its own and, while it is open, one for each instance. */
  rows() {
    const { name, instances } = this.#app;
    const rows = (this.#open ? instances : []).map((one) => {
      const row = redrawn(this.#instances.get(one.id), instanceRow(one, name));
      return /** @type {[string, HTMLElement]} */ ([one.id, row]);
    });
    this.#instances = new Map(rows);
    return [this.row, ...this.#instances.values()];
  }

  get link() {
    return this.#link;
  }

  get name() {
    return this.#app.name;
  }

  /** Whether there is anything that its reader may do with it. */
  get mayBeChosen() {
    return this.#box !== null && !this.#box.hidden;
  }

  /**
   * A box before its name, with which it is chosen among others.
   *
   * @param {(range: boolean) => void} choose `range`: with all from the one that was chosen before
   */
  offerChoice(choose) {
    this.#box = h("input", {
      class: "app-choice",
      type: "checkbox",
      "aria-label": t("Choose {app}", { app: this.#app.name }),
      onclick: (/** @type {MouseEvent} */ event) => {
        choose(event.shiftKey);
      },
    });
    this.#toggle.before(this.#box);
    this.update(this.#app);
  }

  /**
   * @param {boolean} chosen
   * @param {boolean} any whether any is: then all of them can be, also by touch
   */
  showChosen(chosen, any) {
    if (!this.#box) return;
    this.#box.checked = chosen;
    setAttribute(this.row, "data-chosen", chosen ? "yes" : null);
    this.#box.classList.toggle("app-choice-seen", any);
  }

  /** @param {boolean} [open] */
  toggle(open = !this.#open) {
    if (open === this.#open || !this.#app.instances.length) return;
    this.#open = open;
    setAttribute(this.#toggle, "aria-expanded", String(open));
    this.row.dispatchEvent(new Event("toggled", { bubbles: true }));
  }

  /** @param {App} app */
  update(app) {
    this.#app = app;
    const { instances } = app;
    const state = states.appState(app);
    const label = t("Instances of {app}", { app: app.name });
    showState(this.#state, state);
    setAttribute(this.row, "data-state", state);
    setAttribute(this.#toggle, "aria-label", label);
    this.#toggle.disabled = !instances.length;
    if (this.#box) this.#box.hidden = !may("deploy", app.name);
    this.#showBadge(app, state);
    this.#showTerminal(app);
    const images = [...new Set(instances.map((one) => one.image))];
    const image = images.length > 1 ? t("{n} images", { n: images.length }) : (images[0] ?? "");
    setText(this.#image, shortImage(image));
    setAttribute(this.#image, "title", images.join("\n") || null);
    showPorts(this.#ports, instances);
    showRelative(this.#since, states.since(app), app.up ? t("Started") : t("Stopped"));
    showRestarts(this.#restarts, states.restarts(app));
    this.updateActivity(app);
  }

  /** A second has passed. */
  tick() {
    this.#spark.add(this.#app.rate);
  }

  /** Only what changes with every line. @param {App} app */
  updateActivity(app) {
    setText(this.#rate, app.rate > 0 ? formatRate(app.rate) : "");
    const mute = app.instances.length > 0 && app.instances.every((one) => !one.readable);
    const nothing = mute ? unreadable(app.instances[0]) : t("Nothing logged yet");
    const text = app.last_line ? plainText(app.last_line[4]) : nothing;
    setText(this.#text, text);
    this.#text.classList.toggle("none", !app.last_line);
    showRelative(this.#when, app.last_line?.[1] ?? null);
  }

  /** The terminal button of the only instance; those of several stand in their own rows. @param {App} app */
  #showTerminal({ name, instances }) {
    const button = instances.length === 1 ? terminalButton(name, instances[0]) : null;
    const now = this.#terminal.querySelector("a")?.getAttribute("href");
    if (now === (button?.getAttribute("href") ?? undefined)) return;
    redraw(this.#terminal, button ? [button] : []);
  }

  /**
   * @param {App} app
   * @param {states.Shown} state
   */
  #showBadge(app, state) {
    const bad = states.isTrouble(app);
    const its = states.counted(app).length;
    const several = its > 1;
    const text =
      state === "running" && several
        ? `×${formatNumber(its)}`
        : state === "running" || state === "gone"
          ? ""
          : states.stateBadge(app);
    setText(this.#badge, text);
    this.#badge.hidden = !text;
    this.#badge.className = `badge${bad ? " bad" : state === "partial" ? " warn" : ""}`;
    const why = app.instances.map(states.reason).filter(Boolean);
    const title = [text && states.stateSentence(app), several && states.instanceCount(app), ...why]
      .filter(Boolean)
      .join("\n");
    setAttribute(this.#badge, "title", title || null);
  }
}

/**
 * @param {Instance} one
 * @param {string} app
 */
function instanceRow(one, app) {
  const href = `${appAddress(app)}?container=${one.id.slice(0, 12)}`;
  const state = one.condition;
  const started = h("time");
  showRelative(started, one.since, states.isAlive(one) ? t("Started") : t("Stopped"));
  const image = cell("image", shortImage(one.image));
  image.title = one.image;
  const ports = cell("ports");
  showPorts(ports, [one]);
  const restarts = h("span", { class: "restarts" });
  showRestarts(restarts, one.restarts);
  const facts = [
    one.one_off && t("one-off task"),
    state === "failed" && states.endSentence(one),
    one.error && states.reason(one),
    one.health && states.healthSentence(one),
    !one.readable && unreadable(one),
  ];
  return h(
    "div",
    { class: "app-row instance-row", role: "row", dataset: { instance: one.id } },
    cell(
      "name",
      stateIcon(state),
      h("a", { class: "app-link cut", href, title: one.name }, nameElement(one.name)),
      terminalButton(app, one) ?? "",
      containerButton(app, one) ?? "",
    ),
    image,
    ports,
    cell("cpu"),
    cell("memory"),
    cell("since", started, restarts),
    cell("rate"),
    cell(
      "line",
      h("span", { class: "mono faint" }, one.id.slice(0, 12)),
      h(
        "span",
        { class: "muted cut" },
        [states.stateWord(state), ...facts].filter(Boolean).join(" · "),
      ),
    ),
  );
}

/**
 * Opens what can be done with a container by itself.
 *
 * @param {string} app
 * @param {Instance} one
 */
function containerButton(app, one) {
  if (one.of_service || !may("deploy", app)) return null;
  const label = t("Operate {name}", { name: one.name });
  const open = () => openContainers(app);
  return h(
    "button",
    {
      class: "tool container-more",
      type: "button",
      title: label,
      "aria-label": label,
      onclick: open,
    },
    icon("more"),
  );
}

/** @param {Instance} one */
function unreadable(one) {
  if (one.unreadable_reason && one.log_driver !== "none") return t(one.unreadable_reason);
  return t("The log driver {driver} cannot be read", { driver: one.log_driver || "?" });
}

const PORTS_SHOWN = 2;

/**
 * @param {Element} box
 * @param {Instance[]} instances
 */
function showPorts(box, instances) {
  const all = [...new Set(instances.flatMap((one) => one.ports))];
  const { text, open } = shortPorts(all, PORTS_SHOWN);
  setText(box, text);
  setAttribute(box, "title", all.join("\n") || null);
  box.classList.toggle("closed", !open);
}

/**
 * @param {Element} box
 * @param {number} n
 */
function showRestarts(box, n) {
  if (!n) return redraw(box, []);
  const text = formatNumber(n);
  if (box.querySelector("[aria-hidden=true]:not(svg)")?.textContent === text) return;
  const label = states.restartCount(n);
  redraw(box, [
    h(
      "span",
      { class: "restart-count", title: label },
      icon("state-restarting"),
      h("span", { "aria-hidden": "true" }, text),
      h("span", { class: "quiet" }, label),
    ),
  ]);
}
