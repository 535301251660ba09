// Files on their way into a container, over the socket `/terminal_files` (docs/protocols/, "Files of a
// terminal"), and what was said against them. Knows no socket and no file: messages and bytes go in
// and come out, so that it can be tested without either.

import { sentence } from "../lib/form.js";
import { Problem } from "../lib/api.js";
import { formatBytes, t } from "../lib/i18n.js";
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
export class FileRefused extends Error {
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
export class FileUpload extends EventTarget {
  /** Bytes the container has. */
  confirmed = 0;
  /** Bytes on their way or there. */
  sent = 0;
  /** Where it is going to, once the server has said. */
  path = "";
  /** @type {Promise<string>} the path it has in the container @throws {FileRefused} */
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
        this.fail(new FileRefused(message.code ?? "", message.message ?? ""));
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
        if (bytes.byteLength !== to - this.sent) throw new FileRefused("changed", "");
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

const TOO_LARGE = /^(.*) has (\d+) bytes, and at most (\d+)/s;
const NOT_WHOLE = /^(.*): (\/.*) was not put into the container, of /s;

/**
 * @param {string} code
 * @param {string} message the server's sentence
 */
export function fileErrorWords(code, message) {
  const large = code === "file-too-large" && TOO_LARGE.exec(message);
  if (large) {
    const [, path, size, limit] = large;
    return t("{path} has {size}, and at most {limit} may be moved.", {
      path,
      size: formatBytes(Number(size)),
      limit: formatBytes(Number(limit)),
    });
  }
  const broken = code === "not-whole" && NOT_WHOLE.exec(message);
  if (broken) {
    const [, reason, path] = broken;
    return t("{path} was not put into the container, what had arrived was taken away: {reason}", {
      path,
      reason: t(reason),
    });
  }
  if (code === "file-refused") {
    // "path: reason", and a path may have a colon as well: the reason is one that is known.
    for (let at = message.indexOf(": "); at >= 0; at = message.indexOf(": ", at + 1)) {
      const reason = message.slice(at + 2);
      const said = t(reason);
      if (said !== reason) return `${message.slice(0, at)}: ${said}`;
    }
    return message;
  }
  const said = t(message);
  return said.charAt(0).toUpperCase() + said.slice(1);
}

/** @param {unknown} thrown */
export function whatWentWrong(thrown) {
  if (thrown instanceof Problem) return sentence(thrown);
  if (!(thrown instanceof FileRefused)) throw thrown;
  switch (thrown.code) {
    case "stopped":
      return t("Stopped. What was begun is not in the container.");
    case "lost":
      return t("The connection was lost before all of it had arrived.");
    case "changed":
      return t("The file was changed while it was read.");
    case "unreadable":
      return t("The browser cannot read this file.");
    default:
      return fileErrorWords(thrown.code, thrown.message);
  }
}
