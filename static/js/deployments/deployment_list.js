// Deployments in groups: under way, waiting, recent; of all apps or of one. Live, older ones on demand.

import { choose, onStep } from "../lib/address.js";
import { Problem } from "../lib/api.js";
import { byId, h, keepFocus, setChildren, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { formatNumber, t } from "../lib/i18n.js";
import { deployments, hasEnded } from "../live/deployments.js";
import {
  cancelDeployment,
  deployRelease,
  deploymentAddress,
  findDeployments,
} from "./deployment_api.js";
import { Clock } from "./clock.js";
import { DeploymentRow } from "./deployment_row.js";

/** @typedef {import("../live/deployments.js").Deployment} Deployment */

const PAGE = 50; // of those that are older
const TICK = 500; // ms

/** @type {Record<string, {label: string, states: string[]}>} */
const CHOICES = {
  all: { label: t("All"), states: [] },
  serving: { label: t("Went well"), states: ["serving"] },
  failed: { label: t("Went wrong"), states: ["failed"] },
  cancelled: { label: t("Cancelled"), states: ["cancelled"] },
};

export class DeploymentList {
  /** Older ones that were asked for. @type {Map<number, Deployment>} */
  #older = new Map();
  /** By id. @type {Map<number, DeploymentRow>} */
  #rows = new Map();
  #choice = "all";
  /** Whether there is nothing older, by choice. @type {Set<string>} */
  #complete = new Set();
  #clock;
  #more = /** @type {HTMLButtonElement} */ (byId("deploys-older"));
  #said = byId("deploys-said");
  #chips = byId("deploys-chips");

  /**
   * @param {{
   *   app?: string, now: number, mayDeploy: (app: string) => boolean,
   *   canGoBack?: (deployment: Deployment) => boolean,
   * }} options `app`: its alone; `now`: ms on the server when the page was written
   */
  constructor({ app = "", now, mayDeploy, canGoBack = () => false }) {
    this.app = app;
    this.#clock = new Clock(now);
    this.offers = {
      app: !app,
      mayDeploy,
      canGoBack,
      cancel: (/** @type {Deployment} */ one) => void this.#do(() => cancelDeployment(one.id)),
      back: (/** @type {Deployment} */ one) =>
        void this.#do(async () => {
          const begun = await deployRelease(one.app, one.release);
          if (begun) location.assign(deploymentAddress(begun.id));
        }),
    };
    this.#choice = choiceIn(new URLSearchParams(location.search));
    this.#makeChips();
    onStep((params) => this.#choose(choiceIn(params)));
    this.#more.addEventListener("click", () => void this.#loadOlder());
    deployments.addEventListener("change", () => this.draw());
    setInterval(() => this.#tick(), TICK);
    if (app || this.#choice !== "all") void this.#loadOlder();
    deployments.follow();
    this.draw();
  }

  /** All that are known and wanted, the newest first. */
  get #wanted() {
    const all = new Map([...this.#older, ...deployments.all]);
    return [...all.values()]
      .filter((one) => !this.app || one.app === this.app)
      .sort((a, b) => b.id - a.id);
  }

  /** One that begins or ends comes to another group: who is at it is there as well. */
  draw() {
    keepFocus(() => this.#draw());
  }

  #draw() {
    const all = this.#wanted;
    const { states } = CHOICES[this.#choice];
    const running = all.filter(({ state }) => state === "running");
    // The one whose turn comes first stands first.
    const waiting = all.filter(({ state }) => state === "queued").reverse();
    const past = all.filter(
      (one) => hasEnded(one) && (!states.length || states.includes(one.state)),
    );
    this.#group("running", running);
    this.#group("waiting", waiting);
    this.#group("recent", past);
    for (const id of this.#rows.keys()) {
      if (!all.some((one) => one.id === id)) this.#rows.delete(id);
    }
    byId("deploys-recent-section").hidden = !all.some(hasEnded) && this.#choice === "all";
    byId("deploys-none").hidden = past.length > 0 || !deployments.known;
    byId("deploys-empty").hidden = !deployments.known || all.length > 0;
    // The first message has the newest of all: when they are few, there are no others.
    const few = !this.app && this.#choice === "all" && past.length < PAGE;
    this.#more.hidden =
      few || this.#complete.has(this.#choice) || !deployments.known || !all.length;
    this.#showProblem(deployments.problem);
  }

  /**
   * @param {string} name
   * @param {Deployment[]} members
   */
  #group(name, members) {
    const now = this.#clock.now();
    const rows = members.map((one) => {
      let row = this.#rows.get(one.id);
      if (!row) this.#rows.set(one.id, (row = new DeploymentRow(one, this.offers)));
      row.show(one, now);
      return row.element;
    });
    setChildren(byId(`deploys-${name}`), rows);
    const count = document.getElementById(`deploys-${name}-count`);
    if (count) setText(count, formatNumber(members.length));
    if (name !== "recent") byId(`deploys-${name}-section`).hidden = !members.length;
  }

  #tick() {
    const now = this.#clock.now();
    for (const row of this.#rows.values()) if (!hasEnded(row.deployment)) row.tick(now);
  }

  async #loadOlder() {
    const { states } = CHOICES[this.#choice];
    const choice = this.#choice;
    // One that goes on may be much older than all that have ended.
    const shown = this.#wanted.filter(
      (one) => hasEnded(one) && (!states.length || states.includes(one.state)),
    );
    this.#more.disabled = true;
    try {
      const found = await findDeployments({
        app: this.app,
        state: states[0],
        before: shown.at(-1)?.id,
        limit: PAGE,
      });
      for (const one of found) this.#older.set(one.id, one);
      if (found.length < PAGE) this.#complete.add(choice);
      this.draw();
    } catch (error) {
      this.#showProblem(error);
    } finally {
      this.#more.disabled = false;
    }
  }

  /** @param {() => Promise<unknown>} work */
  async #do(work) {
    try {
      await work();
      this.#showProblem(null);
    } catch (error) {
      this.#showProblem(error);
    }
  }

  /** @param {unknown} error */
  #showProblem(error) {
    if (error && !(error instanceof Problem)) throw error;
    this.#said.hidden = !error;
    if (error instanceof Problem) setText(this.#said, sentence(error));
  }

  #makeChips() {
    for (const [name, { label }] of Object.entries(CHOICES)) {
      const onclick = () => {
        choose({ show: name === "all" ? "" : name });
        this.#choose(name);
      };
      const chip = h("button", { class: "chip", type: "button", onclick }, label);
      chip.dataset.choice = name;
      this.#chips.append(chip);
    }
    this.#press();
  }

  /** @param {string} name */
  #choose(name) {
    if (name === this.#choice) return;
    this.#choice = name;
    this.#press();
    this.draw();
    if (!this.#complete.has(name)) void this.#loadOlder();
  }

  #press() {
    for (const chip of this.#chips.querySelectorAll("button")) {
      chip.setAttribute("aria-pressed", String(chip.dataset.choice === this.#choice));
    }
  }

  /** By key: the next link, or the one before. @param {number} step */
  move(step) {
    const links = [...document.querySelectorAll(".deploys-link")];
    const at = links.findIndex((link) => link === document.activeElement);
    const next = links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + step))];
    if (next instanceof HTMLElement) next.focus();
  }
}

/** @param {URLSearchParams} params */
function choiceIn(params) {
  const asked = params.get("show") ?? "all";
  return Object.hasOwn(CHOICES, asked) ? asked : "all";
}
