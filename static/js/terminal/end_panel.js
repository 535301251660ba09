// What stands under a terminal that is over: how it ended, and what can be done now.

import { h, icon, setChildren, setText } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { endFact, endSentence, refusalFact, refusalSentence } from "./session_info.js";

/** @typedef {import("./terminal_socket.js").TerminalSocket} TerminalSocket */
/** @typedef {import("./terminal_api.js").TerminalRequest} TerminalRequest */

/**
 * `again` opens another one like it; null when the reader may not. `back` takes it back.
 *
 * @typedef {{again: ((change: Partial<TerminalRequest>) => void) | null, choose?: () => void, back: () => void}} Ways
 */

export class EndPanel {
  #text = h("p", { class: "term-end-text", role: "status" });
  #fact = h("p", { class: "term-end-fact mono" });
  #failed = h("p", { class: "error", role: "alert", hidden: true });
  #actions = h("div", { class: "term-end-actions" });
  element = h(
    "div",
    { class: "term-end", hidden: true },
    h("div", { class: "term-end-words" }, this.#text, this.#fact, this.#failed),
    this.#actions,
  );

  get hidden() {
    return this.element.hidden;
  }

  hide() {
    this.element.hidden = true;
  }

  focus() {
    /** @type {HTMLElement | null} */ (this.#actions.querySelector("button, a"))?.focus();
  }

  /** Says why nothing new could be opened. @param {string} text */
  fail(text) {
    setText(this.#failed, text);
    this.#failed.hidden = false;
  }

  /**
   * @param {TerminalSocket} socket
   * @param {Ways} ways
   */
  show(socket, ways) {
    if (!this.hidden) return;
    const { phase, ended, refusal } = socket;
    this.#failed.hidden = true;
    this.element.hidden = false;
    if (phase === "ended" && ended) {
      setText(this.#text, endSentence(ended));
      setText(this.#fact, endFact(ended));
    } else if (phase === "replaced") {
      setText(this.#text, t("This terminal was opened in another place by the same page."));
      setText(this.#fact, "");
    } else {
      setText(this.#text, refusalSentence(refusal));
      setText(this.#fact, refusalFact(refusal));
    }
    this.#fact.hidden = !this.#fact.textContent;
    setChildren(this.#actions, this.#buttons(socket, ways));
  }

  /**
   * @param {TerminalSocket} socket
   * @param {Ways} ways
   */
  #buttons({ phase, mode, ended, refusal, session }, { again, choose, back }) {
    /** @type {HTMLElement[]} */
    const buttons = [];
    const add = (
      /** @type {string} */ verb,
      /** @type {() => void} */ run,
      /** @type {boolean} */ main = false,
    ) =>
      buttons.push(
        h("button", { class: main ? "button main" : "button", type: "button", onclick: run }, verb),
      );
    if (phase === "replaced") {
      add(t("Take it here"), back, true);
      return buttons;
    }
    const why = phase === "ended" ? ended?.reason : refusal?.code;
    if (again && why === "no-shell") {
      add(t("Open a toolbox beside it"), () => again({ kind: "toolbox", command: [] }), true);
    } else if (again && why !== "container-removed" && session?.kind !== "share") {
      add(t("Open a new one"), () => again({}), true);
    }
    if (choose) add(t("Choose what to open"), choose);
    // A guest may look on, not back.
    if (session?.recorded && (mode === "own" || again)) {
      const href = `/terminals/${session.id}/replay`;
      buttons.push(h("a", { class: "button", href }, icon("play"), t("Replay")));
    }
    // Nothing is left to do here: the way on.
    if (!buttons.length)
      buttons.push(h("a", { class: "button", href: "/terminals" }, t("Terminals")));
    return buttons;
  }
}
