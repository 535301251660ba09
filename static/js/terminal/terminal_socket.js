// `cloudbang.tty.v1`, the page's side of it: docs/protocols/terminal.md. It comes back to its session
// after every loss, with each byte of output and of input exactly once.

import { ReconnectingSocket } from "../live/reconnecting_socket.js";
import { DrawnOffset } from "./drawn_offset.js";
import { InputBuffer } from "./input_buffer.js";
import { OldOutput } from "./old_output.js";
import { OutputSizes } from "./output_sizes.js";

/** @typedef {import("../types/api.js").Ticket} Ticket */
/** @typedef {{id: number, name: string, mode: Mode, keyboard: boolean, columns: number | null, rows: number | null}} Person */
/** @typedef {"own" | "type" | "watch"} Mode */
/** @typedef {"smallest" | "owner" | "typing"} SizedBy whose window decides the size */
/** @typedef {{code: string, message: string}} Said */
/** @typedef {{reason: string, code: number | null, message: string}} Ended */
/**
 * @typedef {{
 *   id: string, kind: "exec" | "toolbox" | "share", app: string, container: string, name: string,
 *   command: string[], user: string, folder: string, account: string, started: string,
 *   recorded: boolean, title: string, [more: string]: any,
 * }} Session
 */

/**
 * `opening`: not there yet. `attached`. `away`: the connection is lost, it will be back. `ended`,
 * `refused`, `replaced` (another page has taken its place), `closed` (by this page).
 *
 * @typedef {"opening" | "attached" | "away" | "ended" | "refused" | "replaced" | "closed"} Phase
 */

/**
 * What it calls. `output` has to call `drawn` once the bytes have been drawn; `reset` clears the
 * screen, and `resize` sizes it, after all that was given before. `size`: what all share now, and
 * whose windows it is the size of. `changed`: who is there, what may be done.
 *
 * @typedef {{
 *   output: (bytes: Uint8Array, drawn: () => void) => void,
 *   reset: (restore: string, skipped: number) => void,
 *   resize?: (columns: number, rows: number) => void,
 *   size?: (columns: number, rows: number, by: number[]) => void,
 *   changed?: () => void,
 *   notice?: (said: Said) => void,
 *   error?: (said: Said) => void,
 *   input?: () => void,
 * }} Handlers
 */

const REPLACED = 4409;
const REFUSED = 4403;
const TRIES = 4; // with a ticket that may or may not have been used

/** Phases are announced as the event `state`, as are the states of the socket. */
export class TerminalSocket extends ReconnectingSocket {
  /** @type {Phase} */
  phase = "opening";
  /** @type {Session | null} */
  session = null;
  /** @type {Mode} */
  mode = "own";
  me = 0;
  /** @type {Person[]} */
  people = [];
  /** How it ended. @type {Ended | null} */
  ended = null;
  /** Why not. @type {Said | null} */
  refusal = null;
  /** @type {SizedBy} */
  sizedBy = "smallest";
  input = new InputBuffer();

  /** @type {{columns: number, rows: number}} */
  #size;
  /** @type {Ticket | null} */
  #ticket;
  #asked = "";
  #tries = 0;
  #received = 0;
  /** Whether output of this session is on the screen already. */
  #begun = false;
  #drawn = new DrawnOffset(
    (offset) => this.phase === "attached" && this.send({ op: "ack", offset }),
  );
  #generation = 0;
  #old = new OldOutput(() => this.#drawn.offset >= this.#received);
  #sizes = new OutputSizes((columns, rows) => this.handlers.resize?.(columns, rows));

  /**
   * @param {{ticket?: Ticket, session?: string, key?: string}} entry a ticket for a new session, or
   *   one to come back to; `key` of a link that somebody shared
   * @param {{columns: number, rows: number}} size what there is room for
   * @param {string} client the name of this page, kept over reloads
   * @param {Handlers} handlers
   */
  constructor(entry, size, client, handlers) {
    super("/docker_console", "cloudbang.tty.v1");
    this.#ticket = entry.ticket ?? null;
    this.id = entry.ticket?.session ?? entry.session ?? "";
    this.key = entry.key ?? "";
    this.client = client;
    this.#size = size;
    this.handlers = handlers;
  }

  // What the page asks for

  /** Whether typing gets anywhere. */
  get mayType() {
    return this.mode !== "watch" && !this.over;
  }

  get over() {
    return ["ended", "refused", "replaced", "closed"].includes(this.phase);
  }

  /** Whether this page answers the questions that programs print: one page, about what is new. */
  get mayAnswer() {
    if (this.#old.again || this.phase !== "attached" || this.mode === "watch") return false;
    const holder =
      this.people.find((one) => one.keyboard) ?? this.people.find((one) => one.mode === "own");
    return !holder || holder.id === this.me;
  }

  /** Whether output is drawn again that was drawn before, here or elsewhere. */
  get drawsAgain() {
    return this.#old.again;
  }

  /** Whether programs may copy here: where they are answered, and what is printed while one looks. */
  get mayCopy() {
    return this.mayAnswer && this.#old.isNew(this.#drawn.offset);
  }

  /**
   * @param {Uint8Array} bytes
   * @returns {boolean} false when they go nowhere
   */
  type(bytes) {
    if (!this.mayType || !this.input.type(bytes)) return false;
    this.#old.typed();
    this.#pump();
    return true;
  }

  /**
   * @param {string} text
   * @param {boolean} bracketed
   * @returns {boolean}
   */
  paste(text, bracketed) {
    if (!this.mayType) return false;
    this.input.paste(text, bracketed);
    this.#pump();
    return true;
  }

  cancelPaste() {
    this.input.cancelPaste();
    this.#pump();
  }

  /**
   * @param {number} columns
   * @param {number} rows
   */
  resize(columns, rows) {
    if (columns === this.#size.columns && rows === this.#size.rows) return;
    this.#size = { columns, rows };
    if (this.phase === "attached") this.send({ op: "resize", columns, rows });
  }

  /** Takes the keyboard back from those who were let in. */
  take() {
    this.send({ op: "take" });
  }

  /** Sends one out who came by a link. @param {number} id */
  sendAway = (id) => this.send({ op: "send-away", id });

  /** The owner says whose window decides the size. @param {SizedBy} rule */
  sizeBy = (rule) => this.send({ op: "size-by", rule });

  /** Ends the session and what runs in it. @returns {boolean} false when the server cannot be told now */
  end() {
    return this.phase === "attached" && this.send({ op: "end" });
  }

  /** Leaves; the session goes on without this page. */
  close() {
    if (!this.over) this.phase = "closed";
    this.#old.stop();
    this.stop();
  }

  // The socket

  /** @override @protected */
  opened() {
    const { columns, rows } = this.#size;
    const me = { columns, rows, client: this.client };
    // A ticket opens once. Whether it did when the connection broke before the answer, nobody
    // knows: the session is asked for first, then the ticket is tried again.
    if (this.#ticket && this.#asked !== "ticket") {
      const { T_id, S_id, C_id, Md5 } = this.#ticket;
      this.#asked = "ticket";
      this.#tries += 1;
      this.send({ T_id, S_id, C_id, Md5, ...me });
      return;
    }
    this.#asked = "session";
    const key = this.key ? { key: this.key } : {};
    const after = this.#begun ? { after: this.#received } : {};
    this.send({ session: this.id, ...key, ...after, ...me });
  }

  /**
   * @param {string | ArrayBuffer} data
   * @override
   * @protected
   */
  received(data) {
    if (typeof data !== "string") return this.#output(new Uint8Array(data));
    let message;
    try {
      message = JSON.parse(data);
    } catch (error) {
      console.error("the terminal's socket sent what is not JSON", error);
      return;
    }
    OPS[message.op]?.call(this, message);
  }

  /** @override @protected */
  lost() {
    this.#drawn.stop();
    if (this.phase === "attached") this.phase = "away";
  }

  /**
   * @param {number} code
   * @override
   * @protected
   */
  closed(code) {
    if (this.phase === "ended") return true;
    if (code === REPLACED) this.phase = "replaced";
    else if (code === REFUSED) return this.#refused();
    else if (super.closed(code)) this.phase = "closed";
    return this.over;
  }

  #refused() {
    const again = this.#asked === "session" && this.#ticket !== null && this.#tries < TRIES;
    if (again && this.refusal?.code === "no-such-terminal") return false;
    this.phase = "refused";
    return true;
  }

  // What the server says

  /** @param {any} message */
  onAttached(message) {
    this.#ticket = null;
    this.refusal = null;
    this.session = message.session;
    this.id = message.session.id;
    this.mode = message.mode;
    this.me = message.me;
    this.people = message.people;
    this.#drawn.window = message.window;
    this.phase = "attached";
    this.#sizes.begin(message.sizes);
    if (message.reset || !this.#begun || message.offset > this.#received) {
      this.#startAt(message.offset);
      this.#old.begin(message.offset, message.end);
      this.#sizes.reach(message.offset); // a screen takes back part of what is restored when it is sized
      this.handlers.reset(message.restore, 0);
    }
    this.#old.attached(message.end ?? message.offset);
    this.#next = message.offset;
    this.input.attached(message.input);
    this.announce();
    this.handlers.changed?.();
    this.#pump();
  }

  /** Offset of the next byte that comes on this connection. */
  #next = 0;

  /** @param {number} offset */
  #startAt(offset) {
    this.#generation += 1;
    this.#begun = true;
    this.#received = offset;
    this.#drawn.begin(offset);
  }

  /** @param {Uint8Array} bytes */
  #output(bytes) {
    if (this.phase !== "attached") return;
    const known = Math.max(0, this.#received - this.#next);
    const begin = this.#next + known;
    this.#next += bytes.length;
    if (known >= bytes.length) return;
    this.#received = this.#next;
    const generation = this.#generation;
    this.#sizes.draw(bytes.subarray(known), begin, (piece, offset) =>
      this.handlers.output(piece, () => {
        if (generation === this.#generation) this.#onDrawn(offset);
      }),
    );
    this.#old.came();
  }

  /** @param {number} offset */
  #onDrawn(offset) {
    this.#drawn.reach(offset);
    this.#old.drawn(this.#drawn.offset);
  }

  #pump() {
    if (this.phase === "attached") {
      for (let piece; (piece = this.input.next());) {
        if (!this.send(piece)) break;
        this.expectAnswer(); // an echo, or that it went through
      }
    }
    this.handlers.input?.();
  }

  /** @param {any} message */
  onReset({ offset, end, sizes, restore, skipped }) {
    this.#startAt(offset);
    this.#sizes.begin(sizes, offset);
    this.#old.begin(offset, end);
    this.#old.attached(end ?? offset);
    this.#next = offset;
    this.handlers.reset(restore, skipped);
  }

  /** @param {any} message */
  onInput({ offset }) {
    this.input.confirm(offset);
    this.#pump();
  }

  /** @param {any} message */
  onSize({ columns, rows, by, rule = "smallest", offset = 0 }) {
    this.sizedBy = rule;
    this.#sizes.from(offset, columns, rows, this.#received);
    this.handlers.size?.(columns, rows, by);
  }

  /** @param {any} message */
  onPeople({ people }) {
    this.people = people;
    this.dispatchEvent(new Event("people"));
    this.handlers.changed?.();
  }

  /** @param {any} message */
  onMode({ mode }) {
    this.mode = mode;
    this.handlers.changed?.();
  }

  /** @param {any} message */
  onError({ code, message }) {
    if (this.phase === "attached") this.handlers.error?.({ code, message });
    else this.refusal = { code, message };
  }

  /** @param {any} message */
  onNotice({ code, message }) {
    this.handlers.notice?.({ code, message });
  }

  /** @param {any} message */
  onEnded({ reason, code, message }) {
    this.ended = { reason, code, message };
    this.phase = "ended";
    this.#old.stop();
    this.stop();
  }
}

/** @type {Record<string, (this: TerminalSocket, message: any) => void>} */
const OPS = {
  attached: TerminalSocket.prototype.onAttached,
  reset: TerminalSocket.prototype.onReset,
  input: TerminalSocket.prototype.onInput,
  size: TerminalSocket.prototype.onSize,
  people: TerminalSocket.prototype.onPeople,
  mode: TerminalSocket.prototype.onMode,
  notice: TerminalSocket.prototype.onNotice,
  error: TerminalSocket.prototype.onError,
  ended: TerminalSocket.prototype.onEnded,
};
