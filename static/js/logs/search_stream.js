// The answer of a search, as it comes: one JSON object a line. See docs/protocols/http.md.

import { Problem, problemOf } from "../lib/api.js";

/** @typedef {import("./entry.js").Row} Row */
/**
 * An entry that was found.
 * @typedef {object} Hit
 * @property {string} app
 * @property {Row} line the first of its lines that fits
 * @property {import("./levels.js").Level | null} level
 * @property {Row[]} before
 * @property {Row[]} after
 * @property {number} [cut] characters of the line that are not here
 * @property {Row[]} [entry] of several lines, the first and those about that line
 * @property {number} [lines] how many it has
 */
/**
 * @typedef {{ op: "begin", apps: string[] }} Begins
 * @typedef {{ op: "range", start: string, width: number, bins: number }} Range
 * @typedef {{ op: "hits", hits: Hit[] }} Hits
 * @typedef {{ op: "counts", found: number, bins: [number, number][], looked: number, of: number,
 *   back_to: string | null }} Counts
 * @typedef {{ op: "end", found: number, cursor: string | null,
 *   failed: { app: string, message: string }[] }} Ends
 * @typedef {Begins | Range | Hits | Counts | Ends} Message
 */

/**
 * Puts lines together of pieces that end anywhere.
 */
export class LineReader {
  #decoder = new TextDecoder();
  #rest = "";

  /**
   * @param {Uint8Array} piece
   * @returns {string[]} the lines that are whole now
   */
  push(piece) {
    const lines = (this.#rest + this.#decoder.decode(piece, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    return lines;
  }
}

/**
 * Every message of one search, up to its end.
 *
 * @param {URLSearchParams} params
 * @param {AbortSignal} signal ends it here and on the server
 * @returns {AsyncGenerator<Message, void>}
 * @throws {Problem} also where the answer stops before its end
 */
export function searchStream(params, signal) {
  return messages(`/api/v1/search?${params}`, signal);
}

/**
 * The messages of an answer that is written while it is found, up to its end.
 *
 * @param {string} address
 * @param {AbortSignal} signal ends it here and on the server
 * @returns {AsyncGenerator<any, void>}
 * @throws {Problem} also where the answer stops before its end
 */
export async function* messages(address, signal) {
  let answer;
  try {
    answer = await fetch(address, { signal });
  } catch (error) {
    throw signal.aborted ? error : new Problem(0, "unreachable", "");
  }
  if (!answer.ok) {
    const retry = Number(answer.headers.get("Retry-After")) || null;
    throw problemOf(answer.status, await answer.json().catch(() => null), retry);
  }
  const pieces = /** @type {ReadableStream<Uint8Array>} */ (answer.body).getReader();
  const lines = new LineReader();
  for (;;) {
    let piece;
    try {
      piece = await pieces.read();
    } catch (error) {
      throw signal.aborted ? error : new Problem(0, "unreachable", "");
    }
    if (piece.done) throw new Problem(0, "unreachable", "");
    for (const line of lines.push(piece.value)) {
      /** @type {{ op: string }} */
      const message = JSON.parse(line);
      yield message;
      if (message.op === "end") return;
    }
  }
}
