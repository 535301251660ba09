// Whose a new app will be: asked of who may deploy in more than one team.

import { teamsWhere } from "../frame/permissions.js";
import { h } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { inventory } from "../live/inventory.js";
import { row } from "./form_fields.js";

const DEFAULT = "default"; // the team that every installation has

/** Announces `change`. */
export class TeamField extends EventTarget {
  field = "team";
  #teams = teamsWhere("deploy").sort();
  #chosen = this.#teams.includes(DEFAULT) || this.#teams.length < 2;
  #select = h(
    "select",
    { class: "field" },
    this.#chosen ? [] : [h("option", { value: "" }, t("Choose a team"))],
    this.#teams.map((team) => h("option", { value: team, selected: team === DEFAULT }, team)),
  );

  /** @param {() => string[]} names of the apps, which are all one team's */
  constructor(names) {
    super();
    this.names = names;
    const hint = t("Only its people see the app. An app that is there stays its team's.");
    const made = row({ label: t("Team"), hint }, this.#select);
    this.element = made.element;
    this.element.hidden = this.#teams.length < 2;
    this.showError = made.showError;
    this.#select.addEventListener("change", () => {
      this.showError("");
      this.dispatchEvent(new Event("change"));
    });
    inventory.addEventListener("apps", () => this.update());
  }

  /** The team of what is there already. */
  #there() {
    return this.names()
      .map((name) => inventory.apps.get(name)?.team)
      .find(Boolean);
  }

  /** Whose it will be, "" while nobody has said. */
  get owner() {
    return this.#there() ?? this.#select.value;
  }

  /** @returns {{team?: string}} as a deployment is asked for */
  get asked() {
    const { value } = this.#select;
    return value && !this.element.hidden && !this.#there() ? { team: value } : {};
  }

  focus() {
    this.#select.focus();
  }

  /** The names are others. */
  update() {
    const there = this.#there();
    if (there && this.#teams.includes(there)) this.#select.value = there;
    this.#select.disabled = Boolean(there);
  }
}
