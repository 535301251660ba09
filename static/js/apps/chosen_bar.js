// Apps that are chosen in the list of apps: by their boxes, by keyboard, a range with shift; and the
// bar of what can be done with all of them.

import { bind } from "../frame/keys.js";
import { may } from "../frame/permissions.js";
import { h, icon, setText } from "../lib/dom.js";
import { t, tn } from "../lib/i18n.js";
import { inventory } from "../live/inventory.js";
import { Chosen } from "./chosen.js";
import { sort } from "./operable.js";
import { operateSeveral } from "./operate_several.js";

/** @typedef {import("./operable.js").What} What */
/** @typedef {import("./app_row.js").AppRow} AppRow */

export class ChosenBar {
  #chosen = new Chosen();
  #count = h("span", { class: "chosen-count", role: "status" });
  /** @type {[What, HTMLButtonElement][]} */
  #buttons;
  #bar;

  /**
   * @param {Element} place
   * @param {() => AppRow[]} rows in the order in which they are seen
   */
  constructor(place, rows) {
    this.rows = rows;
    /** @type {[What, string][]} */
    const verbs = [
      ["start", t("Start")],
      ["stop", t("Stop…")],
      ["restart", t("Restart")],
      ["delete", t("Delete…")],
    ];
    this.#buttons = verbs.map(([what, verb]) => [
      what,
      h(
        "button",
        {
          class: `button small${what === "delete" ? " danger" : ""}`,
          type: "button",
          dataset: { several: what },
          onclick: () => void operateSeveral(what, this.#apps(), () => this.clear()),
        },
        verb,
      ),
    ]);
    this.#bar = h(
      "div",
      { class: "chosen-bar", role: "toolbar", "aria-label": t("Chosen apps"), hidden: true },
      this.#count,
      this.#buttons.map(([, button]) => button),
      h(
        "button",
        {
          class: "tool",
          type: "button",
          "aria-label": t("Choose none"),
          title: t("Choose none"),
          onclick: () => this.clear(),
        },
        icon("close"),
      ),
    );
    place.append(this.#bar);
    this.#bindKeys();
  }

  #bindKeys() {
    const group = t("Apps");
    const here = (/** @type {boolean} */ range) => () => {
      const row = this.rows().find((one) => one.row.contains(document.activeElement));
      return row ? this.#choose(row, range) : false;
    };
    bind({ keys: "x", label: t("Choose it"), group, run: here(false) });
    bind({ keys: "X", label: t("Choose all from the last one to it"), group, run: here(true) });
    bind({
      keys: "Escape",
      label: t("Choose none"),
      group,
      run: () => (this.#chosen.size ? this.clear() : false),
    });
  }

  /** The row gets its box, where its reader may do anything with its app. @param {AppRow} row */
  adopt(row) {
    row.offerChoice((range) => this.#choose(row, range));
  }

  /**
   * @param {AppRow} row
   * @param {boolean} range
   */
  #choose(row, range) {
    if (!row.mayBeChosen) return;
    const shown = this.rows().flatMap((one) => (one.mayBeChosen ? [one.name] : []));
    if (range) this.#chosen.extend(row.name, shown);
    else this.#chosen.toggle(row.name);
    this.draw();
  }

  clear() {
    this.#chosen.clear();
    this.draw();
  }

  #apps() {
    return this.#chosen.of(inventory.apps.values());
  }

  draw() {
    const apps = this.#chosen.size ? this.#apps() : [];
    for (const row of this.rows()) row.showChosen(this.#chosen.has(row.name), apps.length > 0);
    this.#bar.hidden = apps.length === 0;
    if (!apps.length) return;
    setText(this.#count, tn("{n} app chosen", "{n} apps chosen", apps.length));
    for (const [what, button] of this.#buttons) {
      const wants = what === "delete" ? "manage" : "deploy";
      button.disabled = !sort(what, apps)[0].some((app) => may(wants, app.name));
    }
  }
}
