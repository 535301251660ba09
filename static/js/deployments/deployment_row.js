// One deployment in a list: made once, and then only told what changed.

import { h, icon, setAttribute, setText } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { showRelative } from "../lib/relative_time.js";
import { hasEnded } from "../live/deployments.js";
import { deploymentAddress } from "./deployment_api.js";
import { shape, turnShape } from "./shape.js";
import { duration, share, standing, stateShape, stateWord, took } from "./words.js";

/** @typedef {import("../live/deployments.js").Deployment} Deployment */

/**
 * What a row may offer; each is asked when it is drawn.
 *
 * @typedef {{
 *   app: boolean, mayDeploy: (app: string) => boolean, cancel: (deployment: Deployment) => void,
 *   back: (deployment: Deployment) => void, canGoBack: (deployment: Deployment) => boolean,
 * }} Offers `app`: the app's name is shown
 */

export class DeploymentRow {
  #shape = shape("waiting");
  #name = h("span", { class: "deploys-app mono cut" });
  #number = h("span", { class: "deploys-number" });
  #link;
  #words = h("span", { class: "deploys-words" });
  #bar = h("progress", { class: "deploys-bar", max: "1", "aria-label": t("How far it is") });
  #by = h("span", { class: "deploys-by cut" });
  #when = h("time");
  #took = h("span", { class: "deploys-took" });
  #cancel;
  #back;

  /**
   * @param {Deployment} deployment
   * @param {Offers} offers
   */
  constructor(deployment, offers) {
    this.deployment = deployment;
    this.offers = offers;
    this.#link = h(
      "a",
      { class: "deploys-link", href: deploymentAddress(deployment.id) },
      offers.app && this.#name,
      this.#number,
    );
    this.#cancel = h(
      "button",
      { class: "button small", type: "button", onclick: () => offers.cancel(this.deployment) },
      t("Cancel"),
    );
    this.#back = h(
      "button",
      { class: "button small", type: "button", onclick: () => offers.back(this.deployment) },
      icon("back"),
      t("Back to release {n}", { n: deployment.release }),
    );
    this.element = h(
      "li",
      { class: "deploys-row", dataset: { id: deployment.id } },
      h("div", { class: "deploys-what" }, this.#shape, this.#link),
      h("div", { class: "deploys-how" }, this.#words, this.#bar),
      h("div", { class: "deploys-who" }, this.#by, this.#when),
      this.#took,
      h("div", { class: "deploys-actions" }, this.#cancel, this.#back),
    );
  }

  get link() {
    return this.#link;
  }

  /**
   * @param {Deployment} deployment
   * @param {number} now ms by the server's clock
   */
  show(deployment, now) {
    this.deployment = deployment;
    const { app, number, state, by, created } = deployment;
    setAttribute(this.element, "data-state", state);
    turnShape(this.#shape, stateShape(state), stateWord(state));
    setText(this.#name, app);
    setText(this.#number, t("Deployment {n}", { n: number }));
    setText(this.#words, standing(deployment));
    setAttribute(this.#words, "title", standing(deployment));
    setText(this.#by, t("by {who}", { who: by }));
    showRelative(this.#when, created, t("Begun"));
    this.tick(now);
    const may = this.offers.mayDeploy(app);
    this.#cancel.hidden = !may || hasEnded(deployment) || !deployment.can_cancel;
    this.#cancel.disabled = deployment.cancelled_by !== null;
    this.#back.hidden = !may || !this.offers.canGoBack(deployment);
  }

  /** @param {number} now */
  tick(now) {
    const { deployment } = this;
    const ended = hasEnded(deployment);
    this.#bar.hidden = ended || deployment.state === "queued";
    if (!this.#bar.hidden) this.#bar.value = share(deployment, {}, now);
    const seconds = took(deployment, now);
    setText(this.#took, seconds === null ? "" : duration(seconds));
  }
}
