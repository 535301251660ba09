// The lines between the bar of a terminal and its screen: what is the matter now. Each stays until
// it is not true any more, or, where it only informs, until it is closed.

import { h, icon, setChildren, setText } from "../lib/dom.js";
import { t } from "../lib/i18n.js";

/**
 * `progress`: 0 to 1. `act`: a button. `close`: may be closed. `quiet`: not read out. `passing`:
 * over the screen, which keeps its size: what runs there need not know.
 *
 * @typedef {{
 *   text: string, bad?: boolean, progress?: number, act?: {verb: string, run: () => void},
 *   close?: boolean, quiet?: boolean, passing?: boolean,
 * }} Banner
 */

export class Banners {
  element = h("div", { class: "term-banners" });
  /** @type {Map<string, {line: HTMLElement, text: HTMLElement, progress: HTMLProgressElement}>} */
  #lines = new Map();

  /**
   * Shows a line, or changes it.
   *
   * @param {string} name
   * @param {Banner | null} banner null takes it away
   */
  set(name, banner) {
    const old = this.#lines.get(name);
    if (!banner) {
      old?.line.remove();
      this.#lines.delete(name);
      return;
    }
    const shown = old ?? this.#make(name, banner);
    setText(shown.text, banner.text);
    shown.progress.hidden = banner.progress === undefined;
    shown.progress.value = banner.progress ?? 0;
  }

  clear() {
    this.#lines.clear();
    setChildren(this.element, []);
  }

  /**
   * @param {string} name
   * @param {Banner} banner
   */
  #make(name, { bad, act, close, quiet, passing }) {
    const text = h("span", { class: "term-banner-text" });
    const progress = h("progress", { max: 1, "aria-label": t("How far it has come") });
    const line = h(
      "div",
      {
        class: "term-banner",
        dataset: { banner: name, tone: bad ? "bad" : "warn", ...(passing && { passing: "yes" }) },
        role: quiet ? null : "status",
      },
      icon("warning"),
      text,
      progress,
      act && h("button", { class: "button small", type: "button", onclick: act.run }, act.verb),
      close &&
        h(
          "button",
          {
            class: "tool",
            type: "button",
            "aria-label": t("Close"),
            onclick: () => this.set(name, null),
          },
          icon("close"),
        ),
    );
    const shown = { line, text, progress };
    this.#lines.set(name, shown);
    this.element.append(line);
    return shown;
  }
}
