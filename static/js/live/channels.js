// What a page follows over its live socket. Knows nothing of sockets: messages go in, messages
// come out, so that it can be tested without a browser.

/**
 * A line as the server sends it: seq, time (RFC 3339 with nanoseconds), short container id,
 * stream, text; and, once put beside it, the level that it says.
 *
 * @typedef {[...import("../types/api.js").Line, (import("../logs/levels.js").Level | null)?]} Row
 * @typedef {import("../types/api.js").Lines} Lines
 */

/**
 * Where a `log/…` channel starts (`after` a seq, or with the last `tail` lines), and its filters.
 *
 * @typedef {{after?: number, tail?: number, container?: string, stream?: string}} Options
 */

/**
 * A handler named by the op of the messages it takes. `lines` gets the rows first.
 *
 * @typedef {{
 *   subscribed?: (message: {channel: string, first?: number, next?: number}) => void,
 *   lines?: (lines: Row[], message: {channel: string, lines: Row[], levels?: Lines["levels"], entries?: Lines["entries"]}) => void,
 *   gap?: (message: {channel: string, from: number, to: number, reason: string}) => void,
 *   error?: (message: {channel: string, code: string, message: string}) => void,
 *   lost?: () => void,
 *   [op: string]: ((...values: any[]) => void) | undefined,
 * }} Handlers
 */

/** Milliseconds after which a channel that the store ended is asked for again: at first, at most. */
const AGAIN = [1_000, 15_000];

/** One followed channel. */
export class Subscription {
  /** The last seq seen, or null before the first line: where to go on after a lost connection. */
  /** @type {number | null} */
  position = null;
  /** Whether the server has confirmed it on the current connection. */
  active = false;
  /** How often in a row the store could not be read for it. */
  failed = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} until it is asked for again */
  timer = undefined;

  /** @type {(subscription: Subscription) => void} */
  #onClose;

  /**
   * @param {string} channel
   * @param {Options} options
   * @param {Handlers} handlers
   * @param {(subscription: Subscription) => void} onClose
   */
  constructor(channel, options, handlers, onClose) {
    this.channel = channel;
    this.options = options;
    this.handlers = handlers;
    this.position = options.after ?? null;
    this.#onClose = onClose;
  }

  /** The message that subscribes it, from the start or from where it was. */
  request() {
    const { after, tail, ...filters } = this.options;
    const start =
      this.position !== null ? { after: this.position } : tail !== undefined ? { tail } : {};
    return { op: "subscribe", channel: this.channel, ...filters, ...start };
  }

  close() {
    this.#onClose(this);
  }
}

export class Channels {
  /** @type {Map<string, Subscription>} */
  #followed = new Map();
  /**
   * Answers still to come, by channel. Closing a subscription and opening another on the same
   * channel leaves messages of the first in flight: they end with the answer to the second.
   *
   * @type {Map<string, number>}
   */
  #unanswered = new Map();

  /** @param {(message: object) => boolean} send false when there is no open socket */
  constructor(send) {
    this.send = send;
  }

  /**
   * @param {string} channel
   * @param {Options} options
   * @param {Handlers} handlers
   * @returns {Subscription}
   */
  add(channel, options, handlers) {
    if (this.#followed.has(channel)) throw new Error(`${channel} is followed already`);
    const subscription = new Subscription(channel, options, handlers, (s) => this.#remove(s));
    this.#followed.set(channel, subscription);
    this.#request(subscription);
    return subscription;
  }

  /** A socket has opened: every channel is asked for again, from where it was. */
  resume() {
    this.#unanswered.clear();
    for (const subscription of this.#followed.values()) {
      clearTimeout(subscription.timer);
      this.#request(subscription);
    }
  }

  /** The socket is gone. */
  lost() {
    this.#unanswered.clear();
    for (const subscription of this.#followed.values()) {
      subscription.active = false;
      clearTimeout(subscription.timer);
      subscription.handlers.lost?.();
    }
  }

  /** @param {any} message one, or several as one */
  receive(message) {
    const { op, channel } = message;
    if (op === "batch") {
      for (const one of message.messages) this.receive(one);
      return;
    }
    const subscription = this.#followed.get(channel);
    const unanswered = this.#unanswered.get(channel) ?? 0;
    if (unanswered > 0) {
      if (op !== "subscribed" && op !== "error") return;
      this.#unanswered.set(channel, unanswered - 1);
      if (unanswered > 1) return;
    }
    if (!subscription) return;
    this.#note(subscription, message);
    const handler = subscription.handlers[op];
    if (!handler) return;
    try {
      if (op === "lines") handler(message.lines, message);
      else handler(message);
    } catch (error) {
      // One part of the page that fails must not take the others' messages with it.
      reportError(error);
    }
  }

  /**
   * @param {Subscription} subscription
   * @param {any} message
   */
  #note(subscription, message) {
    if (message.op === "subscribed") {
      subscription.active = true;
      const { first, next } = message;
      // An empty log: whatever comes is new, also when the connection is lost before it comes.
      if (subscription.position === null && next !== undefined && next === first) {
        subscription.position = next - 1;
      }
    } else if (message.op === "lines" && message.lines.length) {
      subscription.position = message.lines[message.lines.length - 1][0];
      subscription.failed = 0;
    } else if (message.op === "gap") {
      subscription.position = Math.max(subscription.position ?? 0, message.to);
    } else if (message.op === "error" && message.code === "storage-failed") {
      // It ended the subscription, and it may be over in a moment.
      subscription.active = false;
      clearTimeout(subscription.timer);
      const delay = Math.min(AGAIN[0] * 2 ** subscription.failed, AGAIN[1]);
      subscription.failed += 1;
      subscription.timer = setTimeout(() => this.#request(subscription), delay);
    }
  }

  /** @param {Subscription} subscription */
  #request(subscription) {
    if (!this.send(subscription.request())) return;
    const { channel } = subscription;
    this.#unanswered.set(channel, (this.#unanswered.get(channel) ?? 0) + 1);
  }

  /** @param {Subscription} subscription */
  #remove(subscription) {
    if (this.#followed.get(subscription.channel) !== subscription) return;
    this.#followed.delete(subscription.channel);
    clearTimeout(subscription.timer);
    this.send({ op: "unsubscribe", channel: subscription.channel });
  }
}
