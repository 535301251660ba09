// User and password of a registry or of a Git host: sent before anything else, and shown to nobody again.

import { call, Problem } from "../lib/api.js";
import { h, icon, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { t } from "../lib/i18n.js";
import { row } from "./form_fields.js";
import { credentialsPath } from "./names.js";

export class CredentialsBox {
  #user = h("input", { class: "field", type: "text", autocomplete: "off" });
  #password = h("input", { class: "field", type: "password", autocomplete: "new-password" });
  #userRow = row({ label: t("User") }, this.#user);
  #passwordRow = row({ label: t("Password or token") }, this.#password);
  #where = h("p", { class: "hint" });

  /**
   * @param {"registry" | "git"} kind
   * @param {string} asks what asks for a password
   * @param {{owner: string}} team whose they are, as it is chosen now
   */
  constructor(kind, asks, team) {
    this.kind = kind;
    this.team = team;
    this.element = h(
      "details",
      { class: "spec-group new-credentials" },
      h("summary", null, icon("chevron"), h("span", null, asks)),
      h(
        "div",
        { class: "spec-fields" },
        this.#where,
        h("div", { class: "spec-pair" }, this.#userRow.element, this.#passwordRow.element),
      ),
    );
  }

  /** @param {string} words what they are kept for */
  explain(words) {
    setText(this.#where, words);
  }

  /**
   * Keeps what was written, if anything was.
   *
   * @param {string} host
   * @throws {Problem} which stands beside the fields, too
   */
  async keep(host) {
    this.#userRow.showError("");
    this.#passwordRow.showError("");
    const { value: user } = this.#user;
    const { value: password } = this.#password;
    if (!user && !password) return;
    try {
      const path = credentialsPath(this.kind, host, this.team.owner);
      await call("PUT", path, { user, password });
      this.#password.value = "";
      this.#password.placeholder = t("kept");
    } catch (error) {
      if (error instanceof Problem) {
        this.element.open = true;
        this.#passwordRow.showError(sentence(error));
      }
      throw error;
    }
  }
}
