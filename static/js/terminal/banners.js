// The lines between the bar of a terminal and its screen: what is the matter now. Each stays until
// it is not true any more, or, where it only informs, until it is closed.

import { h, icon, setChildren, setText } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { silentSeconds } from "../live/reconnecting_socket.js";
import { noticeSentence } from "./session_info.js";

/** @typedef {import("./terminal_socket.js").TerminalSocket} TerminalSocket */
/** @typedef {import("./terminal_socket.js").Said} Said */

/**
 * `progress`: 0 to 1. `act`: a button. `close`: may be closed. `quiet`: not read out. `passing`:
 * over the screen, which keeps its size: what runs there need not know.
 *
 * @typedef {{
 *   text: string, bad?: boolean, progress?: number, act?: {verb: string, run: () => void},
 *   close?: boolean, quiet?: boolean, passing?: boolean,
 * }} Banner
 */

const BIG = 64 * 1024; // characters of a paste from which its way is shown
const SHOWN = 4_000; // ms that a word in passing is shown

export class Banners {
  element = h("div", { class: "term-banners" });
  /** @type {Map<string, {line: HTMLElement, text: HTMLElement, progress: HTMLProgressElement}>} */
  #lines = new Map();
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */
  #passing = new Map();

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

  // What follows from the connection: lost, held back, pasting, notices

  /** How the connection is; to be called every second, since it counts down. @param {TerminalSocket} socket */
  showAway(socket) {
    const { phase, state, retryAt, blocked } = socket;
    const lost = state === "waiting" || (state === "connecting" && phase === "away");
    this.#showSilent(socket);
    if (socket.over || !lost) return this.set("away", null);
    const seconds = Math.max(1, Math.ceil(((retryAt ?? 0) - Date.now()) / 1000));
    const kept = socket.input.unconfirmed
      ? t("What you typed is kept and sent then.")
      : t("The terminal goes on meanwhile.");
    const why = blocked
      ? t("The server answers, but its WebSocket does not: a proxy in between may not pass it on.")
      : state === "connecting"
        ? t("The connection is lost: connecting again.")
        : t("The connection is lost, next try in {n} s.", { n: seconds });
    this.set("away", {
      text: `${why} ${kept}`,
      act: { verb: t("Try now"), run: () => socket.retry() },
      quiet: true,
    });
  }

  /** The socket looks open and nothing comes over it. @param {TerminalSocket} socket */
  #showSilent({ over, silentSince, state }) {
    if (over || state !== "live" || silentSince === null) return this.set("silent", null);
    const n = silentSeconds(silentSince);
    const text = t("The server has not answered for {n} s.", { n });
    this.set("silent", { text, quiet: true, passing: true });
  }

  /**
   * How far a big paste has come.
   *
   * @param {TerminalSocket} socket
   * @param {() => void} stop
   */
  showPaste(socket, stop) {
    const { pasting } = socket.input;
    if (!pasting || pasting.total < BIG) return this.set("paste", null);
    this.set("paste", {
      text: t("Pasting; Esc or ^C stops it."),
      progress: pasting.at / pasting.total,
      act: { verb: t("Stop"), run: stop },
    });
  }

  /** @param {Said} said */
  showNotice(said) {
    if (said.code === "unpaused") return this.set("paused", null);
    const stays = said.code === "paused" || said.code === "pulling";
    this.set(said.code, { text: noticeSentence(said), close: !stays });
  }

  /** @param {Said} said */
  showError(said) {
    if (said.code === "read-only") return this.showReadOnly();
    this.set("error", { text: said.message, bad: true, close: true });
  }

  showReadOnly() {
    this.pass("watch", t("You may only watch here."));
  }

  /**
   * Says something in passing.
   *
   * @param {string} name
   * @param {string} text
   */
  pass(name, text) {
    this.set(name, { text, passing: true });
    clearTimeout(this.#passing.get(name));
    this.#passing.set(
      name,
      setTimeout(() => this.set(name, null), SHOWN),
    );
  }
}
