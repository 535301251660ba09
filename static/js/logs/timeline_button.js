// The button, and the key, of what a log says how often over time. Whether it is shown is kept for the
// person; what draws it is loaded when it is.

import { bind } from "../frame/keys.js";
import { byId, setAttribute } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { recall, remember } from "../lib/storage.js";

/** @typedef {import("./log_view.js").LogView} LogView */

const KEY = `log-timeline:${byId("account").textContent?.trim() ?? ""}`;

class TimelineButton {
  #button = byId("log-over-time");
  #wanted = false;
  /** @type {import("./log_timeline.js").LogTimeline | null} */
  #shown = null;

  /** @param {LogView} view */
  constructor(view) {
    this.view = view;
    this.#button.addEventListener("click", () => this.toggle());
    bind({
      keys: "h",
      label: t("How often over time"),
      group: t("Log"),
      run: () => this.toggle(),
    });
    if (recall(KEY) === "1") void this.#show(true);
  }

  toggle() {
    remember(KEY, this.#wanted ? null : "1");
    void this.#show(!this.#wanted);
  }

  /** @param {boolean} wanted */
  async #show(wanted) {
    this.#wanted = wanted;
    setAttribute(this.#button, "aria-pressed", String(wanted));
    if (!wanted) {
      this.#shown?.close();
      this.#shown = null;
      return;
    }
    const { LogTimeline } = await import("./log_timeline.js");
    if (this.#wanted && !this.#shown) this.#shown = new LogTimeline(this.view);
  }
}

/** @param {LogView} view */
export function setUpTimeline(view) {
  new TimelineButton(view);
}
