// A socket that keeps itself alive: opened again after it was lost, asked whether it still is
// there, and tried at once when there is reason to hope. What is said on it is its heirs' matter.

import { goToSignIn } from "./sign_in_redirect.js";

/**
 * `connecting`: a socket is being opened. `live`: it is open. `waiting`: it is not, and will be
 * tried again at `retryAt`. `stopped`: the account's login has ended, what the socket was for is
 * over, or the page is going away.
 *
 * @typedef {"connecting" | "live" | "waiting" | "stopped"} State
 */

const LOGIN_ENDED = 4401;
const PING_EVERY = 20_000; // ms; the server's own pings are invisible to a page
const PING_SEEN = 2_000; // ms of silence, of a page that is looked at: it asks at the next tick
const SEEN_ANSWER = 5_000; // ms until its socket is given up
const PING_ANSWER = 10_000; // ms a pong, or anything else, may take
const SILENT_AFTER = 900; // ms without an answer from which the page says so, where answers are quick
const PROBE_ANSWER = 3_000; // ms, when there is reason to think that the socket is dead
const ANSWER_SOON = 1_000; // ms that what a page said may go without any word before it asks
const BUSY = 5; // messages in a row, none of them later than
const BUSY_GAP = 1_000; // ms after the one before: then silence is a reason to ask
const BUSY_QUIET = 1_500; // ms of it
const OPEN_WITHIN = 10_000; // ms a handshake may take
const TICK = 1_000;
const SLEPT = 15_000; // ms between two ticks that only a sleeping machine explains
const SETTLED = 5_000; // ms a socket must last for the backoff to start over

/** State changes are announced as the event `state`. */
export class ReconnectingSocket extends EventTarget {
  /** @type {State} */
  state = "connecting";
  /** When it will be tried again, in milliseconds since 1970; null unless waiting. @type {number | null} */
  retryAt = null;
  /** Since when an answer that is overdue is waited for, in milliseconds since 1970; the socket looks open. @type {number | null} */
  silentSince = null;
  /** True when the server answers but the socket does not open: something between strips it. */
  blocked = false;

  /** @type {WebSocket | null} */
  #socket = null;
  #backoff = new Backoff();
  #openedAt = 0;
  #connectingSince = 0;
  #heardAt = 0;
  #inARow = 0; // messages that came soon after one another
  #awaitsSince = 0; // since when the page waits for a word; 0: it does not
  #pingedAt = 0;
  #usual = 0; // ms an answer takes here, at the longest lately
  #answerWithin = PING_ANSWER;
  #tickedAt = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticker;
  #listening = new AbortController();

  /**
   * @param {string} path
   * @param {string} protocol the WebSocket subprotocol
   */
  constructor(path, protocol) {
    super();
    this.path = path;
    this.protocol = protocol;
  }

  // For heirs

  /** The socket is open. @protected */
  opened() {}

  /**
   * A message has come.
   * @param {string | ArrayBuffer} data
   * @protected
   */
  received(data) {
    void data;
  }

  /** An open socket, or one that was about to be, is gone. @protected */
  lost() {}

  /**
   * The server has closed it, or it broke.
   * @param {number} code 0 when nobody said one
   * @returns {boolean} whether that was the end, so that it is not opened again
   * @protected
   */
  closed(code) {
    return code === LOGIN_ENDED;
  }

  /**
   * @param {object | Uint8Array} message sent as JSON, bytes as they are
   * @returns {boolean} false when there is no open socket
   */
  send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(
      message instanceof Uint8Array
        ? /** @type {Uint8Array<ArrayBuffer>} */ (message)
        : JSON.stringify(message),
    );
    return true;
  }

  // For everybody

  /** Opens the socket; a second call does nothing. */
  start() {
    if (this.#ticker !== undefined) return;
    this.#tickedAt = Date.now();
    this.#ticker = setInterval(() => this.#tick(), TICK);
    const { signal } = this.#listening;
    addEventListener("online", () => this.retry(), { signal });
    // Losing the network does not mean losing a server on this very machine: ask it.
    addEventListener("offline", () => this.#probe(), { signal });
    document.addEventListener(
      "visibilitychange",
      () => document.visibilityState === "visible" && this.#wake(),
      { signal },
    );
    // A page that comes back from the browser's cache has a dead socket.
    addEventListener("pageshow", (event) => event.persisted && this.#reopen(), { signal });
    addEventListener("pagehide", () => this.#drop(), { signal });
    this.#open();
  }

  /** Tries at once instead of at `retryAt`. */
  retry() {
    if (this.state === "waiting") this.#open();
    else this.#probe();
  }

  /** What was just said is answered as a rule, if only with a confirmation: without any word the
   * socket is asked whether it is still there. */
  expectAnswer() {
    if (this.#awaitsSince || this.state !== "live") return;
    this.#awaitsSince = Date.now();
  }

  /** Ends it for good; used when the account signs out. */
  stop() {
    clearInterval(this.#ticker);
    this.#listening.abort();
    this.#drop();
    this.#become("stopped");
  }

  #open() {
    this.#drop();
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}${this.path}`, this.protocol);
    socket.binaryType = "arraybuffer";
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
    this.#pingedAt = this.#awaitsSince = this.#inARow = 0;
    this.blocked = false;
    this.#become("live");
    this.opened();
  }

  /** @param {string | ArrayBuffer} data */
  #onMessage(data) {
    const now = Date.now();
    if (this.#pingedAt) this.#usual = Math.max(now - this.#pingedAt, 0.8 * this.#usual);
    this.#inARow = now - this.#heardAt > BUSY_GAP ? 0 : this.#inARow + 1;
    this.#heardAt = now;
    this.#pingedAt = this.#awaitsSince = 0;
    if (this.silentSince !== null) {
      this.silentSince = null;
      this.announce();
    }
    this.received(data);
  }

  /** @param {number} code */
  #onClose(code) {
    const lasted = this.#openedAt ? Date.now() - this.#openedAt : 0;
    const opened = this.#openedAt > 0;
    this.#drop();
    const over = this.closed(code);
    if (code === LOGIN_ENDED) return this.#signIn();
    if (over) return this.stop();
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
        this.announce();
      }
    } catch {
      this.blocked = false;
    }
  }

  #signIn() {
    if (this.state === "stopped") return;
    this.stop();
    goToSignIn();
  }

  #tick() {
    const now = Date.now();
    const slept = now - this.#tickedAt > SLEPT;
    this.#tickedAt = now;
    if (this.state === "live" && this.#pingedAt && now - this.#pingedAt >= this.#answerWithin) {
      this.#onClose(0);
    } else if (slept) {
      // Or a hidden page, whose timers are slowed down to one a minute: asking costs little.
      this.#wake();
    } else if (this.state === "waiting") {
      if (this.retryAt !== null && now >= this.retryAt) this.#open();
    } else if (this.state === "connecting") {
      if (now - this.#connectingSince > OPEN_WITHIN) this.#onClose(0);
    } else if (this.state === "live") {
      const silent = now - this.#heardAt;
      if (this.#awaitsSince && now - this.#awaitsSince >= ANSWER_SOON) this.#probe();
      else if (this.#inARow >= BUSY && silent >= BUSY_QUIET) this.#probe();
      else if (silent >= (isLookedAt() ? PING_SEEN : PING_EVERY)) {
        this.#ping(isLookedAt() ? SEEN_ANSWER : PING_ANSWER);
      }
      this.#lookAtAnswer(now);
    }
  }

  /** An answer that takes longer than it does here is said, before the socket is given up. @param {number} now */
  #lookAtAnswer(now) {
    if (!this.#pingedAt || this.silentSince !== null) return;
    const enough = Math.min(PROBE_ANSWER, Math.max(SILENT_AFTER, 2 * this.#usual));
    if (now - this.#pingedAt < enough) return;
    this.silentSince = this.#heardAt;
    this.announce();
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
    if (this.#pingedAt) {
      this.#answerWithin = Math.min(this.#answerWithin, Date.now() - this.#pingedAt + answerWithin);
      return;
    }
    this.#pingedAt = Date.now();
    this.#answerWithin = answerWithin;
    this.send({ op: "ping" });
  }

  #reopen() {
    if (this.state !== "stopped") this.#open();
  }

  #drop() {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = null;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    this.lost();
  }

  /** @param {State} state */
  #become(state) {
    if (state !== "waiting") this.retryAt = null;
    this.silentSince = null;
    this.state = state;
    this.announce();
  }

  /** @protected */
  announce() {
    this.dispatchEvent(new Event("state"));
  }
}

/** What a page shows that nobody looks at deceives nobody. */
function isLookedAt() {
  return document.visibilityState === "visible";
}

/**
 * For how long nothing was heard, as it is said.
 *
 * @param {number} since ms since 1970
 */
export function silentSeconds(since) {
  return Math.max(1, Math.round((Date.now() - since) / 1000));
}

/**
 * Doubles from half a second to fifteen, with jitter: after a restart of the server a thousand
 * pages must not come back in the same moment.
 */
export class Backoff {
  #tries = 0;

  /**
   * @param {{first?: number, longest?: number, random?: () => number}} [options] times in ms
   */
  constructor({ first = 500, longest = 15_000, random = Math.random } = {}) {
    this.first = first;
    this.longest = longest;
    this.random = random;
  }

  /** Milliseconds to wait now: between half and all of the current step. */
  next() {
    const step = Math.min(this.longest, this.first * 2 ** this.#tries);
    this.#tries += 1;
    return Math.round(step * (0.5 + this.random() / 2));
  }

  reset() {
    this.#tries = 0;
  }
}
