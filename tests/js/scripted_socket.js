// A WebSocket whose other end is the test: what was sent is kept, what comes is said.

import { mock } from "node:test";

/** @type {ScriptedSocket[]} */
export const sockets = [];

class ScriptedSocket {
  static OPEN = 1;
  readyState = 0;
  /** @type {any[]} */
  sent = [];

  constructor(url, protocol) {
    Object.assign(this, { url, protocol });
    sockets.push(this);
  }

  send(data) {
    this.sent.push(typeof data === "string" ? JSON.parse(data) : Buffer.from(data).toString());
  }

  close() {
    this.readyState = 3;
  }

  // The server's side

  accept() {
    this.readyState = 1;
    this.onopen();
  }

  say(message) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  output(text) {
    const bytes = new TextEncoder().encode(text);
    this.onmessage?.({ data: bytes.buffer });
  }

  /** The connection ends, with a code or (1006) without a word. */
  drop(code = 1006) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

/** The newest one. */
export const socket = () => sockets.at(-1);

/** What a page has and node has not. Time stands still until it is told to go on. */
export function setUpPage() {
  sockets.length = 0;
  const page = new EventTarget();
  Object.assign(globalThis, {
    WebSocket: ScriptedSocket,
    location: { protocol: "https:", host: "here", pathname: "/", search: "", hash: "" },
    document: Object.assign(new EventTarget(), { visibilityState: "visible" }),
    addEventListener: page.addEventListener.bind(page),
    fetch: async () => ({ ok: true, status: 200 }),
  });
  mock.timers.enable({ apis: ["setInterval", "setTimeout", "Date"] });
  return { page, tick: (ms) => mock.timers.tick(ms), done: () => mock.timers.reset() };
}
