// The one live socket of a page: channels, reconnecting, and going on exactly where it was.
// The protocol is described in docs/protocols.md, "The live socket".

import { Backoff } from "./backoff.js";
import { Channels } from "./channels.js";

/** @typedef {import("./channels.js").Handlers} Handlers */
/** @typedef {import("./channels.js").Options} Options */
/** @typedef {import("./channels.js").Subscription} Subscription */

/**
 * `connecting`: a socket is being opened. `live`: it is open. `waiting`: it is not, and will be
 * tried again at `retryAt`. `stopped`: the account's session has ended, or the page is going away.
 *
 * @typedef {"connecting" | "live" | "waiting" | "stopped"} State
 */

const PROTOCOL = "cloudbang.live.v1";
const SESSION_ENDED = 4401;
const PING_EVERY = 20_000; // ms; the server's own pings are invisible to a page
const PING_ANSWER = 10_000; // ms a pong, or anything else, may take
const PROBE_ANSWER = 4_000; // ms, when there is reason to think that the socket is dead
const OPEN_WITHIN = 10_000; // ms a handshake may take
const TICK = 1_000;
const SLEPT = 15_000; // ms between two ticks that only a sleeping machine explains
const SETTLED = 5_000; // ms a socket must last for the backoff to start over

/** State changes are announced as the event `state`. */
export class Live extends EventTarget {
  /** @type {State} */
  state = "connecting";
  /** When it will be tried again, in milliseconds since 1970; null unless waiting. @type {number | null} */
  retryAt = null;
  /** True when the server answers but the socket does not open: something between strips it. */
  blocked = false;
  /** How many lines the page is behind the server; the log page says so. */
  behind = 0;

  /** @type {WebSocket | null} */
  #socket = null;
  #channels = new Channels((message) => this.#send(message));
  #backoff = new Backoff();
  #openedAt = 0;
  #connectingSince = 0;
  #heardAt = 0;
  #pingedAt = 0;
  #answerWithin = PING_ANSWER;
  #tickedAt = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticker;

  /** Opens the socket; a second call does nothing. */
  start() {
    if (this.#ticker !== undefined) return;
    this.#tickedAt = Date.now();
    this.#ticker = setInterval(() => this.#tick(), TICK);
    addEventListener("online", () => this.retry());
    // Losing the network does not mean losing a server on this very machine: ask it.
    addEventListener("offline", () => this.#probe());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#wake();
    });
    // A page that comes back from the browser's cache has a dead socket.
    addEventListener("pageshow", (event) => event.persisted && this.#reopen());
    addEventListener("pagehide", () => this.#drop());
    this.#open();
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

  /** Tries at once instead of at `retryAt`. */
  retry() {
    if (this.state === "waiting") this.#open();
    else this.#probe();
  }

  /** @param {number} lines */
  setBehind(lines) {
    if (lines === this.behind) return;
    this.behind = lines;
    this.#announce();
  }

  /** Ends it for good; used when the account signs out. */
  stop() {
    clearInterval(this.#ticker);
    this.#drop();
    this.#become("stopped");
  }

  #open() {
    this.#drop();
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/websocket`, PROTOCOL);
    this.#socket = socket;
    this.#openedAt = 0;
    this.#connectingSince = Date.now();
    this.#become("connecting");
    socket.onopen = () => this.#onOpen();
    socket.onmessage = (event) => this.#onMessage(event.data);
    socket.onclose = (event) => this.#onClose(event.code);
  }

  #onOpen() {
    this.#openedAt = this.#heardAt = Date.now();
    this.#pingedAt = 0;
    this.blocked = false;
    this.#become("live");
    this.#channels.resume();
  }

  /** @param {unknown} data */
  #onMessage(data) {
    this.#heardAt = Date.now();
    this.#pingedAt = 0;
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

  /** @param {number} code */
  #onClose(code) {
    const lasted = this.#openedAt ? Date.now() - this.#openedAt : 0;
    const opened = this.#openedAt > 0;
    this.#drop();
    if (code === SESSION_ENDED) return this.#signIn();
    if (lasted > SETTLED) this.#backoff.reset();
    this.retryAt = Date.now() + this.#backoff.next();
    this.#become("waiting");
    // A refused handshake looks like a dead network from here; the API tells them apart.
    if (!opened) void this.#askWhy();
  }

  async #askWhy() {
    try {
      const answer = await fetch("/api/v1/me", { headers: { Accept: "application/json" } });
      if (answer.status === 401) return this.#signIn();
      if (this.state === "waiting" && this.blocked !== answer.ok) {
        this.blocked = answer.ok;
        this.#announce();
      }
    } catch {
      this.blocked = false;
    }
  }

  #signIn() {
    if (this.state === "stopped") return;
    this.stop();
    const here = location.pathname + location.search + location.hash;
    location.assign(`/sign-in?next=${encodeURIComponent(here)}`);
  }

  #tick() {
    const now = Date.now();
    const slept = now - this.#tickedAt > SLEPT;
    this.#tickedAt = now;
    if (this.state === "live" && this.#pingedAt && now - this.#pingedAt > this.#answerWithin) {
      this.#onClose(0);
    } else if (slept) {
      // Or a hidden page, whose timers are slowed down to one a minute: asking costs little.
      this.#wake();
    } else if (this.state === "waiting") {
      if (this.retryAt !== null && now >= this.retryAt) this.#open();
    } else if (this.state === "connecting") {
      if (now - this.#connectingSince > OPEN_WITHIN) this.#onClose(0);
    } else if (this.state === "live" && now - this.#heardAt > PING_EVERY) {
      this.#ping(PING_ANSWER);
    }
  }

  #wake() {
    this.#tickedAt = Date.now();
    if (this.state === "waiting") this.#open();
    else if (Date.now() - this.#heardAt > TICK) this.#probe();
  }

  #probe() {
    if (this.state === "live") this.#ping(PROBE_ANSWER);
  }

  /** @param {number} answerWithin */
  #ping(answerWithin) {
    if (this.#pingedAt) return;
    this.#pingedAt = Date.now();
    this.#answerWithin = answerWithin;
    this.#send({ op: "ping" });
  }

  #reopen() {
    if (this.state !== "stopped") this.#open();
  }

  /** @param {object} message */
  #send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #drop() {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = null;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    this.#channels.lost();
  }

  /** @param {State} state */
  #become(state) {
    if (state !== "waiting") this.retryAt = null;
    this.state = state;
    this.#announce();
  }

  #announce() {
    this.dispatchEvent(new Event("state"));
  }
}

/** The page's live socket. */
export const live = new Live();
