// A recording as it comes over the network: asciicast v2, one JSON value a line
// (https://docs.asciinema.org/manual/asciicast/v2/). Pure: bytes go in, events come out.

import { Recording } from "./recording.js";

export class NotARecording extends Error {}

/** Reads a recording in pieces of any size. */
export class CastReader {
  recording = new Recording();
  #decoder = new TextDecoder();
  /** The line that has not ended yet. @type {string[]} */
  #begun = [];

  /**
   * @param {Uint8Array} bytes
   * @throws {NotARecording} when the first line is no header of version 2
   */
  push(bytes) {
    this.#lines(this.#decoder.decode(bytes, { stream: true }));
    this.recording.settle();
  }

  /**
   * Nothing more comes. A last line without an end is tried too: it may be whole.
   * @throws {NotARecording}
   */
  end() {
    this.#lines(this.#decoder.decode() + "\n");
    if (!this.recording.header) throw new NotARecording("it is empty");
    this.recording.settle();
    this.recording.complete = true;
  }

  /** @param {string} text */
  #lines(text) {
    const lines = text.split("\n");
    for (let i = 0; i < lines.length - 1; i++) {
      this.#begun.push(lines[i]);
      const line = this.#begun.length > 1 ? this.#begun.join("") : this.#begun[0];
      this.#begun = [];
      if (line.trim()) this.#line(line);
    }
    const last = lines[lines.length - 1];
    if (last) this.#begun.push(last);
  }

  /** @param {string} line */
  #line(line) {
    const { recording } = this;
    let value;
    try {
      value = JSON.parse(line);
    } catch {
      if (!recording.header) throw new NotARecording("its first line is not JSON");
      // The line that was being written when the machine went down.
      recording.damaged++;
      return;
    }
    if (!recording.header) {
      if (value?.version !== 2) throw new NotARecording("it is not asciicast version 2");
      recording.begin(value);
    } else if (isEvent(value)) recording.add(value[0], value[1], value[2]);
    else recording.damaged++;
  }
}

/**
 * @param {any} value
 * @returns {value is [number, string, string]}
 */
function isEvent(value) {
  return (
    Array.isArray(value) &&
    Number.isFinite(value[0]) &&
    typeof value[1] === "string" &&
    typeof value[2] === "string"
  );
}
