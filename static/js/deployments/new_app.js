// A new app: from what it is made, what it is called, its specification, what will happen, Deploy.

import { keyHint } from "../frame/keys.js";
import { choose, onStep } from "../lib/address.js";
import { Problem } from "../lib/api.js";
import { h, setChildren, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { formatBytes, t } from "../lib/i18n.js";
import { redraw } from "../lib/redraw.js";
import { begin, planOf } from "./begin.js";
import { withoutName } from "./form_fields.js";
import { NameField } from "./name_field.js";
import { showPlan } from "./plan_view.js";
import { isWeb } from "./recipe.js";
import { SpecForm } from "./spec_form.js";
import { SpecModel } from "./spec_model.js";
import { TeamField } from "./team_field.js";

/**
 * One of the ways in which an app is made. `enter` and `leave` as it is chosen and another is;
 * `take` a text that was pasted elsewhere; `before` what is done before the deployment begins;
 * `folder` what is sent with it, `sends` what that is made of.
 *
 * @typedef {{kind: string, label: string, element: HTMLElement, enter: () => void, leave: () => void,
 *   take: (text: string) => Promise<void>, fields: import("./form_fields.js").FormField[],
 *   isReady: () => boolean, before: () => Promise<void>, folder: () => Blob | null,
 *   sends?: () => {bytes: number} | null, alone?: Alone}} Way
 * @typedef {{element: HTMLElement, deploy: () => Promise<string | null>}} Alone what a way has in
 *   place of the form; `deploy` gives the address to go to
 *
 * @typedef {{model: SpecModel, name: NameField, team: TeamField, hand: (kind: string, text: string) => Promise<void>,
 *   changed: () => void}} Draft
 */

const PAUSE = 400; // ms after the last change until the plan is asked for

export class NewApp {
  model = new SpecModel();
  name = new NameField({
    label: t("App name"),
    hint: t("Its log, its events and its address are kept under it."),
  });
  team = new TeamField(() => [this.name.value]);
  /** @type {Way[]} */
  #ways = [];
  /** @type {Way | null} */
  #way = null;
  #form = new SpecForm(this.model);
  #panel = h("div", { class: "new-panel" });
  #chips = h("div", { class: "chips", role: "group", "aria-label": t("From what") });
  #plan = h("div", { class: "new-plan-body", "aria-live": "polite" });
  #error = h("p", { class: "error", role: "alert", hidden: true });
  #progress = h("div", { class: "new-progress", hidden: true });
  #deploy = h(
    "button",
    { class: "button main", type: "button", onclick: () => void this.deploy() },
    t("Deploy"),
    keyHint("mod+enter"),
  );
  #stop = h("button", { class: "button", type: "button", hidden: true }, t("Stop"));
  #body = h("div", { class: "new-body" });
  #asked = 0;
  #timer = 0;
  #busy = false;
  #hadPort = false;

  constructor() {
    this.#body.append(this.name.element, this.team.element, this.#form.element);
    this.element = h(
      "div",
      { class: "new-app" },
      h("div", { class: "new-main" }, this.#chips, this.#panel, this.#body),
      h(
        "aside",
        { class: "new-plan", "aria-labelledby": "new-plan-title" },
        h("h2", { id: "new-plan-title" }, t("What will happen")),
        this.#plan,
        this.#error,
        this.#progress,
        h("div", { class: "new-actions" }, this.#stop, this.#deploy),
      ),
    );
    this.model.addEventListener("change", () => {
      this.#proposeRoute();
      for (const field of this.#way?.fields ?? []) field.update();
      this.changed();
    });
    this.name.addEventListener("change", () => {
      this.team.update();
      this.changed();
    });
    this.team.addEventListener("change", () => this.changed());
  }

  /** @returns {Draft} */
  get draft() {
    return {
      model: this.model,
      name: this.name,
      team: this.team,
      hand: (kind, text) => this.#hand(kind, text),
      changed: () => this.changed(),
    };
  }

  /** @param {Way[]} ways */
  offer(ways) {
    this.#ways = ways;
    setChildren(
      this.#chips,
      ways.map((way) =>
        h(
          "button",
          {
            class: "chip",
            type: "button",
            dataset: { way: way.kind },
            onclick: () => this.#turnTo(way.kind),
          },
          way.label,
        ),
      ),
    );
    onStep((params) => this.choose(params.get("from") ?? ways[0].kind));
  }

  /** The reader chose a way: the one before is a step back. @param {string} kind */
  #turnTo(kind) {
    choose({ from: kind === this.#ways[0].kind ? "" : kind });
    this.choose(kind);
  }

  /** @param {string} kind */
  choose(kind) {
    const way = this.#ways.find((one) => one.kind === kind) ?? this.#ways[0];
    if (way === this.#way) return;
    this.#way?.leave();
    this.#way = way;
    for (const chip of this.#chips.children) {
      const its = /** @type {HTMLElement} */ (chip).dataset.way === way.kind;
      chip.setAttribute("aria-pressed", String(its));
    }
    setChildren(this.#panel, [way.element]);
    this.#body.hidden = Boolean(way.alone);
    this.#clear();
    way.enter();
    this.changed();
  }

  /** Something is different: the plan is asked for again, soon. */
  changed() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#askPlan(), PAUSE);
    this.#deploy.disabled = this.#busy;
  }

  /** Whoever says a port mostly means a page; what they say of that afterwards stays. */
  #proposeRoute() {
    const port = this.model.get("port");
    if (port === undefined) this.#hadPort = false;
    else if (!this.#hadPort && Number(port) > 0) {
      this.#hadPort = true;
      const unsaid = !["route", "ports", "job"].some((key) => this.model.get(key) !== undefined);
      if (unsaid && isWeb(port)) {
        this.model.set(["route"], {});
      }
    }
  }

  async #askPlan() {
    const way = this.#way;
    const asked = ++this.#asked;
    if (!way || this.#busy) return;
    if (way.alone) return setChildren(this.#plan, [way.alone.element]);
    if (!way.isReady() || this.name.wrong || this.model.error) {
      return setChildren(this.#plan, [h("p", { class: "muted" }, this.#missing(way))]);
    }
    const spec = this.model.toJSON();
    try {
      const plan = await planOf(this.name.value, { spec, ...this.team.asked });
      if (asked !== this.#asked) return;
      this.#clear();
      showPlan(this.#plan, plan, spec, this.name.value);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (asked !== this.#asked) return;
      setChildren(this.#plan, []);
      this.#showProblem(error, false);
    }
  }

  /** @param {Way} way */
  #missing(way) {
    if (this.model.error) return t("The YAML is not complete yet.");
    if (way.isReady()) return this.name.wrong;
    switch (way.kind) {
      case "folder":
        return t("Choose a folder, or write a Dockerfile: what will happen stands here then.");
      case "git":
        return t("Write the address of a source: what will happen stands here then.");
      default:
        return t("Write the name of an image: what will happen stands here then.");
    }
  }

  async deploy() {
    const way = this.#way;
    if (!way || this.#busy) return;
    this.#clear();
    if (!way.alone && !this.#isComplete(way)) return;
    const stop = new AbortController();
    this.#stop.onclick = () => stop.abort();
    this.#setBusy(true);
    try {
      await way.before();
      const address = way.alone ? await way.alone.deploy() : await this.#begin(way, stop.signal);
      if (address) location.assign(address);
      // The page that is left stays as it is, so that nothing is deployed twice.
      else this.#setBusy(false);
    } catch (error) {
      this.#setBusy(false);
      if (!(error instanceof Problem)) throw error;
      this.#showProblem(error, true);
    }
  }

  /**
   * @param {Way} way
   * @param {AbortSignal} signal
   */
  async #begin(way, signal) {
    const spec = this.model.toJSON();
    // Whatever is wrong with it is said before a folder is sent, and before Swarm is asked for.
    const wanted = { spec, ...this.team.asked };
    await planOf(this.name.value, wanted);
    const folder = way.folder();
    const progress = (/** @type {number} */ sent, /** @type {number} */ all) =>
      this.#showSent(sent, all);
    const begun = await begin(this.name.value, wanted, folder, progress, signal);
    return begun && `/deployments/${begun.id}`;
  }

  /** @param {Way} way */
  #isComplete(way) {
    if (!way.isReady()) {
      this.#say(this.#missing(way));
      const control = way.element.querySelector("input:not([tabindex]), button");
      if (control instanceof HTMLElement) control.focus();
      return false;
    }
    if (this.name.wrong) {
      this.name.showError(this.name.wrong);
      this.name.focus();
      return false;
    }
    if (this.model.error) {
      this.#say(t("The YAML is not complete yet."));
      return false;
    }
    return true;
  }

  /**
   * @param {Problem} problem
   * @param {boolean} focus whether somebody has asked for it: a plan that cannot be made yet must not
   *   take the focus away
   */
  #showProblem(problem, focus) {
    const text = sentence(problem);
    const { field } = problem;
    const its =
      field && [this.team, ...(this.#way?.fields ?? [])].find((one) => one.field === field);
    if (its) its.showError(withoutName(text, its.field));
    else if (field && this.#form.showError(field, text, focus)) {
      if (!focus) setChildren(this.#plan, [h("p", { class: "spec-error" }, text)]);
    } else this.#say(problem.code === "admins-only" ? `${text}.` : text);
  }

  /** @param {string} text */
  #say(text) {
    setText(this.#error, text);
    this.#error.hidden = false;
  }

  #clear() {
    this.#error.hidden = true;
    this.#form.clearErrors();
    this.name.showError("");
    this.team.showError("");
    for (const field of this.#way?.fields ?? []) field.showError("");
  }

  /** @param {boolean} busy */
  #setBusy(busy) {
    this.#busy = busy;
    this.#deploy.disabled = busy;
    if (busy) return;
    this.#progress.hidden = true;
    this.#stop.hidden = true;
  }

  /**
   * @param {number} sent
   * @param {number} all bytes
   */
  #showSent(sent, all) {
    this.#progress.hidden = this.#stop.hidden = false;
    redraw(this.#progress, [
      h("progress", { max: 1, value: all ? sent / all : 1, "aria-label": t("Sending the folder") }),
      h(
        "p",
        { class: "hint" },
        sent < all
          ? t("Sending the folder: {n} of {all}", { n: formatBytes(sent), all: formatBytes(all) })
          : t("It has arrived and is unpacked."),
      ),
    ]);
  }

  /**
   * @param {string} kind
   * @param {string} text
   */
  async #hand(kind, text) {
    this.#turnTo(kind);
    await this.#way?.take(text);
  }
}
