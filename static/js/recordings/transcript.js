// What a terminal printed, as lines of plain text, to be searched. Pure. It is not a terminal:
// what a full-screen program draws is read in the order in which it is drawn.

import { replaceSequences, unfinishedAt } from "../lib/ansi.js";

const LONGEST = 4096; // characters of an escape that is waited for
const LINE = 16_384; // characters of a line; a longer one is cut
const CONTROLS = /[\x00-\x07\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]/g;
// Cursor movements to another line; to another column; to the next line; reset.
const MOVES = new Set("ABEFHdfrTS");
const STEPS = new Set("CDG`a");
const LINES = new Set("DEMc");

/** @typedef {{time: number, text: string, at: number, length: number}} Hit */

/** Finds a text in what comes, line by line, letters of either case. */
export class Finder {
  /** @type {Hit[]} */
  hits = [];
  #rest = "";
  #line = "";
  /** Where in the line what was printed at a time begins. @type {{from: number, time: number}[]} */
  #parts = [];

  /** @param {string} query */
  constructor(query) {
    this.query = query.toLowerCase();
  }

  /**
   * @param {string} text
   * @param {number} time seconds
   */
  push(text, time) {
    this.#parts.push({ from: this.#line.length, time });
    const plain = this.#plain(this.#rest + text);
    let all = this.#line + plain;
    if (all.includes("\b")) all = rubOut(all);
    // Nearly everywhere it is not: that is said by one look, whatever the number of lines.
    if (!all.toLowerCase().includes(this.query)) return this.#skip(all, time);
    const lines = all.split("\n");
    for (let i = 0; i < lines.length - 1; i++) {
      this.#look(lines[i]);
      // The lines after the first one are all of this moment.
      if (i === 0) this.#parts = [{ from: 0, time }];
    }
    this.#keep(lines[lines.length - 1]);
  }

  /**
   * Only what may go on in the next piece is kept.
   * @param {string} all
   * @param {number} time
   */
  #skip(all, time) {
    const at = all.lastIndexOf("\n");
    if (at >= 0) this.#parts = [{ from: 0, time }];
    this.#keep(all.slice(at + 1));
  }

  /** @param {string} line that has not ended */
  #keep(line) {
    this.#line = line;
    if (line.length <= LINE) return;
    this.#look(line);
    this.#line = "";
    this.#parts = [];
  }

  /** Nothing more comes. */
  end() {
    this.#look(this.#line);
    this.#line = "";
    this.#parts = [];
  }

  /** @param {string} text */
  #plain(text) {
    this.#rest = "";
    let whole = text;
    const last = text.lastIndexOf("\x1b", text.length - 1);
    if (last >= 0) {
      // The end of a string is an escape of its own: what began before it is looked at too.
      const from = Math.max(0, text.length - LONGEST);
      const begun = unfinishedAt(text.slice(from));
      if (begun >= 0) {
        whole = text.slice(0, from + begun);
        this.#rest = text.slice(from + begun);
      }
    }
    whole = replaceSequences(whole, (csi, escape) => {
      if (MOVES.has(csi) || LINES.has(escape)) return "\n";
      return STEPS.has(csi) ? " " : "";
    });
    return whole.replace(/\r+\n?/g, "\n").replace(CONTROLS, "");
  }

  /** @param {string} line */
  #look(line) {
    const at = line.toLowerCase().indexOf(this.query);
    if (at < 0 || !this.query) return;
    const end = at + this.query.length - 1;
    const part = this.#parts.findLast(({ from }) => from <= end) ?? this.#parts[0];
    this.hits.push({ time: part?.time ?? 0, text: line, at, length: this.query.length });
  }
}

/**
 * Takes away what a backspace goes back over, as a shell does with what is typed wrong.
 * @param {string} text
 */
function rubOut(text) {
  let before;
  let now = text;
  do {
    before = now;
    now = before.replace(/[^\n\b]\x08/g, "");
  } while (now !== before);
  return now.replaceAll("\b", "");
}

const MOST = 1000; // hits; nobody goes through more
const SLICE = 1_048_576; // characters looked at before the page gets its turn

/**
 * Looks through a recording without holding up the page. Gives the hits found so far each time
 * it has looked at a piece.
 *
 * @param {import("./recording.js").Recording} recording
 * @param {string} query
 * @param {() => Promise<void>} pause lets the page do something else
 * @returns {AsyncGenerator<{hits: Hit[], done: number, more: boolean}>} `done` 0 to 1
 */
export async function* search(recording, query, pause) {
  const finder = new Finder(query);
  const { data, kinds, times, count } = recording;
  let length = 0;
  for (let i = 0; i < count && finder.hits.length < MOST; i++) {
    if (kinds[i] === "o") finder.push(data[i], times[i]);
    length += data[i].length;
    if (length < SLICE) continue;
    length = 0;
    yield { hits: finder.hits, done: i / count, more: false };
    await pause();
  }
  finder.end();
  const more = finder.hits.length >= MOST;
  yield { hits: finder.hits.slice(0, MOST), done: 1, more };
}

const AROUND = 60; // characters before what was found

/**
 * The part of a line that a list has room for: before, the text found, after.
 *
 * @param {Hit} hit
 * @returns {[string, string, string]}
 */
export function excerpt({ text, at, length }) {
  const from = Math.max(0, at - AROUND);
  const before = (from ? "…" : "") + text.slice(from, at).trimStart();
  const rest = text.slice(at + length).trimEnd();
  return [before, text.slice(at, at + length), rest.slice(0, 200)];
}
