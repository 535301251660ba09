// The lines under the bar that follow from the connection: lost, held back, pasting, notices.

import { t } from "../lib/i18n.js";
import { Banners } from "./banners.js";
import { noticeSentence } from "./sentences.js";

/** @typedef {import("./terminal_socket.js").Connection} Connection */
/** @typedef {import("./terminal_socket.js").Said} Said */

const BIG = 64 * 1024; // characters of a paste from which its way is shown
const SHOWN = 4_000; // ms that a word in passing is shown

export class ViewLines extends Banners {
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */
  #passing = new Map();

  /** How the connection is; to be called every second, since it counts down. @param {Connection} connection */
  showAway(connection) {
    const { phase, state, retryAt, blocked } = connection;
    const lost = state === "waiting" || (state === "connecting" && phase === "away");
    if (connection.over || !lost) return this.set("away", null);
    const seconds = Math.max(1, Math.ceil(((retryAt ?? 0) - Date.now()) / 1000));
    const kept = connection.outgoing.unconfirmed
      ? t("What you typed is kept and sent then.")
      : t("The terminal goes on meanwhile.");
    const why = blocked
      ? t("The server answers, but its WebSocket does not: a proxy in between may not pass it on.")
      : state === "connecting"
        ? t("The connection is lost: connecting again.")
        : t("The connection is lost, next try in {n} s.", { n: seconds });
    this.set("away", {
      text: `${why} ${kept}`,
      act: { verb: t("Try now"), run: () => connection.retry() },
      quiet: true,
    });
  }

  /**
   * How far a big paste has come.
   *
   * @param {Connection} connection
   * @param {() => void} stop
   */
  showPaste(connection, stop) {
    const { pasting } = connection.outgoing;
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
