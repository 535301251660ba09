// The one live socket of a page: channels, reconnecting, and going on exactly where it was.
// The protocol is described in docs/protocols/live.md.

import { Channels } from "./channels.js";
import { ReconnectingSocket } from "./reconnecting_socket.js";

/** @typedef {import("./channels.js").Handlers} Handlers */
/** @typedef {import("./channels.js").Options} Options */
/** @typedef {import("./channels.js").Subscription} Subscription */

/** State changes are announced as the event `state`. */
export class LiveSocket extends ReconnectingSocket {
  /** How many lines the page is behind the server; the log page says so. */
  behind = 0;

  #channels = new Channels((message) => this.send(message));

  constructor() {
    super("/websocket", "cloudbang.live.v1");
  }

  /**
   * Follows a channel. After a lost connection it is subscribed again, after the last seq seen.
   * One subscription a channel: close the first before the second.
   *
   * @param {string} channel
   * @param {Options} options
   * @param {Handlers} handlers by op
   * @returns {Subscription}
   */
  subscribe(channel, options, handlers) {
    const subscription = this.#channels.add(channel, options, handlers);
    this.start();
    return subscription;
  }

  /** @param {number} lines */
  setBehind(lines) {
    if (lines === this.behind) return;
    this.behind = lines;
    this.announce();
  }

  /** @override @protected */
  opened() {
    this.send({ op: "batch" });
    this.#channels.resume();
  }

  /**
   * @param {string | ArrayBuffer} data
   * @override
   * @protected
   */
  received(data) {
    if (typeof data !== "string") return;
    let message;
    try {
      message = JSON.parse(data);
    } catch (error) {
      console.error("the live socket sent what is not JSON", error);
      return;
    }
    this.#channels.receive(message);
  }

  /** @override @protected */
  lost() {
    this.#channels.lost();
  }
}

/** The page's live socket. */
export const live = new LiveSocket();
