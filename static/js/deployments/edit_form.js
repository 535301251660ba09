// Changing the configuration of an app that is there: the form of a new one, filled with what serves;
// what would change is shown before anything does.

import { keyHint } from "../frame/keys.js";
import { Problem } from "../lib/api.js";
import { h, setChildren, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { t } from "../lib/i18n.js";
import { begin, planOf } from "./begin.js";
import { deploymentAddress } from "./deployment_api.js";
import { textField, withoutName } from "./form_fields.js";
import { showPlan } from "./plan_view.js";
import { SpecForm } from "./spec_form.js";
import { SpecModel } from "./spec_model.js";

const PAUSE = 400; // ms after the last key before the plan is asked for

export class EditForm {
  #model;
  #form;
  /** From what it is made: fields that the form has outside of itself. */
  #sources;
  #plan = h("div", { class: "edit-plan", "aria-live": "polite" });
  #error = h("p", { class: "error", role: "alert", hidden: true });
  #deploy;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #asked = 0;
  #busy = false;

  /**
   * @param {string} app
   * @param {Record<string, any>} spec of the release that is changed
   * @param {() => void} close
   */
  constructor(app, spec, close) {
    this.app = app;
    this.#model = new SpecModel(spec);
    this.#form = new SpecForm(this.#model);
    this.#sources = sourceFields(this.#model, spec);
    this.#deploy = h(
      "button",
      { class: "button main", type: "button", onclick: () => void this.deploy() },
      t("Deploy"),
      keyHint("mod+enter"),
    );
    this.element = h(
      "div",
      { class: "edit" },
      this.#sources.map((field) => field.element),
      spec.build && !spec.build.git ? folderHint() : null,
      this.#form.element,
      h("h3", null, t("What will happen")),
      this.#plan,
      this.#error,
      h(
        "div",
        { class: "edit-choices" },
        this.#deploy,
        h("button", { class: "button", type: "button", onclick: close }, t("Cancel")),
      ),
    );
    this.#model.addEventListener("change", () => {
      for (const field of this.#sources) field.update();
      this.#changed();
    });
    for (const field of this.#sources) field.update();
    void this.#askPlan();
  }

  #changed() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#askPlan(), PAUSE);
  }

  async #askPlan() {
    const asked = ++this.#asked;
    if (this.#busy) return;
    if (this.#model.error) {
      return setChildren(this.#plan, [
        h("p", { class: "muted" }, t("The YAML is not complete yet.")),
      ]);
    }
    const spec = this.#model.toJSON();
    try {
      const plan = await planOf(this.app, { spec });
      if (asked !== this.#asked) return;
      this.#clear();
      showPlan(this.#plan, plan, spec, this.app);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (asked !== this.#asked) return;
      setChildren(this.#plan, []);
      this.#showProblem(error, false);
    }
  }

  async deploy() {
    if (this.#busy || this.#model.error) return;
    this.#clear();
    this.#busy = this.#deploy.disabled = true;
    try {
      const spec = this.#model.toJSON();
      // Whatever is wrong with it is said before Swarm is asked for.
      await planOf(this.app, { spec });
      const begun = await begin(this.app, { spec }, null);
      // The page that is left stays as it is, so that nothing is deployed twice.
      if (begun) return location.assign(deploymentAddress(begun.id));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.#showProblem(error, true);
    }
    this.#busy = this.#deploy.disabled = false;
  }

  /**
   * @param {Problem} problem
   * @param {boolean} focus whether somebody asked for it
   */
  #showProblem(problem, focus) {
    const text = sentence(problem);
    const its = this.#sources.find(({ field }) => field === problem.field);
    if (its) return its.showError(withoutName(text, its.field));
    if (problem.field && this.#form.showError(problem.field, text, focus)) {
      if (!focus) setChildren(this.#plan, [h("p", { class: "spec-error" }, text)]);
      return;
    }
    setText(this.#error, text);
    this.#error.hidden = false;
  }

  #clear() {
    this.#error.hidden = true;
    this.#form.clearErrors();
    for (const field of this.#sources) field.showError("");
  }
}

function folderHint() {
  return h(
    "p",
    { class: "muted" },
    t(
      "It was built from a folder that was sent: what was built runs on with what is changed here. To build it anew, send the folder as a new app of the same name.",
    ),
  );
}

/**
 * @param {SpecModel} model
 * @param {Record<string, any>} spec
 */
function sourceFields(model, spec) {
  if (spec.build?.git) {
    return [
      textField(model, ["build", "git"], {
        label: t("Git address"),
        hint: t("It is fetched and built anew with each deployment."),
        mono: true,
      }),
      textField(model, ["build", "branch"], { label: t("Branch"), mono: true }),
    ];
  }
  if (spec.build) return [];
  return [
    textField(model, ["image"], {
      label: t("Image"),
      hint: t("One that is on this machine is used as it is; any other is fetched."),
      mono: true,
    }),
  ];
}
