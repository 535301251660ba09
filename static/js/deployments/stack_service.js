// One service of a Compose file: an app to be, with a form of its own.

import { Problem } from "../lib/api.js";
import { h, icon, setChildren, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { t } from "../lib/i18n.js";
import { planOf } from "./begin.js";
import { showPlan } from "./plan_view.js";
import { SpecForm } from "./spec_form.js";
import { SpecModel } from "./spec_model.js";

/** @typedef {import("../types/api.js").ComposeService} ComposeService */

export class StackService {
  model;
  /** Where what will happen to it stands. */
  plan = h("div");
  #error = h("p", { class: "spec-error", role: "alert", hidden: true });
  #box = h("div", { class: "spec-fields" });
  /** @type {SpecForm | null} */
  #form = null;

  /** @param {ComposeService} told */
  constructor(told) {
    this.told = told;
    this.model = new SpecModel(told.spec);
    for (const [name, value] of Object.entries(told.spec.secrets ?? {})) {
      this.model.set(["secrets", name], null);
      if (typeof value === "string") this.model.written.set(name, value);
    }
    const what = told.spec.image ?? t("built from {folder}", { folder: told.context || "." });
    this.element = h(
      "details",
      { class: "spec-group", dataset: { service: told.name } },
      h(
        "summary",
        null,
        icon("chevron"),
        h("span", { class: "mono" }, told.app),
        h("span", { class: "spec-count faint cut" }, String(what)),
      ),
      this.#box,
    );
    this.#box.append(this.#error);
    // Most are never opened: a form of each would be hundreds of fields.
    this.element.addEventListener("toggle", () => this.element.open && this.#open());
    if (told.problem) this.#say(told.problem.message);
    this.model.addEventListener("change", () => {
      this.#error.hidden = true;
    });
  }

  /** @param {{team?: string}} asked of all apps of the stack */
  async askPlan(asked) {
    const spec = this.model.toJSON();
    try {
      const plan = await planOf(this.told.app, { spec, ...asked });
      showPlan(this.plan, plan, spec, this.told.app, true);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setChildren(this.plan, [h("p", { class: "spec-error" }, sentence(error))]);
    }
  }

  /**
   * @param {string} field
   * @param {string} message
   */
  showError(field, message) {
    this.element.open = true;
    this.#open();
    if (!this.#form?.showError(field, message)) this.#say(message);
  }

  #open() {
    if (this.#form) return;
    this.#form = new SpecForm(this.model);
    this.#box.append(this.#form.element);
  }

  /** @param {string} message */
  #say(message) {
    setText(this.#error, message.charAt(0).toUpperCase() + message.slice(1));
    this.#error.hidden = false;
    this.element.open = true;
  }
}
