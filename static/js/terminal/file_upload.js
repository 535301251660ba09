// Files on their way into a container, over the socket `/terminal_files`
// (docs/protocols/files.md, "Files of a terminal"). Knows no socket and no file: messages and bytes go
// in and come out, so that it can be tested without either.

export const PROTOCOL = "cloudbang.files.v1";
const CHUNK = 262_144; // bytes of one message

/**
 * `read` gives a part of the file. `send` hands a message to the socket.
 *
 * @typedef {{name: string, size: number,
 *   read: (from: number, to: number) => Promise<ArrayBuffer | Uint8Array>}} Source
 * @typedef {(message: string | ArrayBuffer | Uint8Array) => void} Send
 */

/** What the server said against it. */
export class Refused extends Error {
  /**
   * @param {string} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** Puts one file. Announces `progress`. */
export class Put extends EventTarget {
  /** Bytes the container has. */
  confirmed = 0;
  /** Bytes on their way or there. */
  sent = 0;
  /** Where it is going to, once the server has said. */
  path = "";
  /** @type {Promise<string>} the path it has in the container @throws {Refused} */
  done;

  #window = 0;
  #reading = false;
  #over = false;
  /** @type {(path: string) => void} */
  #resolve = () => {};
  /** @type {(error: Error) => void} */
  #reject = () => {};

  /**
   * @param {Source} source
   * @param {Send} send
   */
  constructor(source, send) {
    super();
    this.source = source;
    this.send = send;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever waits hears of it; nobody has to.
    this.done.catch(() => {});
  }

  /**
   * @param {string} session of the terminal
   * @param {string} folder of the container
   */
  begin(session, folder) {
    const { name, size } = this.source;
    this.send(JSON.stringify({ op: "put", session, folder, name, size }));
  }

  /** @param {any} message of the server */
  receive(message) {
    if (this.#over) return;
    switch (message.op) {
      case "go":
        this.path = message.path;
        this.#window = message.window;
        void this.#fill();
        break;
      case "got":
        // An answer about bytes that were never sent would open the window for ever.
        this.confirmed = Math.min(this.sent, Math.max(this.confirmed, message.offset));
        this.dispatchEvent(new Event("progress"));
        void this.#fill();
        break;
      case "done":
        this.confirmed = this.source.size;
        this.#over = true;
        this.dispatchEvent(new Event("progress"));
        this.#resolve(message.path ?? this.path);
        break;
      case "error":
        this.fail(new Refused(message.code ?? "", message.message ?? ""));
    }
  }

  /** Ends it: the socket is gone, the person wants no more, the file cannot be read. @param {Error} error */
  fail(error) {
    if (this.#over) return;
    this.#over = true;
    this.#reject(error);
  }

  /** Sends as much as may be on its way. One reads at a time, so that the bytes stay in order. */
  async #fill() {
    if (this.#reading) return;
    this.#reading = true;
    const { source } = this;
    try {
      while (!this.#over && this.sent < source.size) {
        const room = this.confirmed + this.#window - this.sent;
        if (room <= 0) break;
        const to = Math.min(source.size, this.sent + Math.min(CHUNK, room));
        const bytes = await source.read(this.sent, to);
        if (this.#over) return;
        // A file that was changed after it was chosen: the browser may read less.
        if (bytes.byteLength !== to - this.sent) throw new Refused("changed", "");
        this.send(bytes);
        this.sent = to;
      }
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#reading = false;
    }
  }
}
