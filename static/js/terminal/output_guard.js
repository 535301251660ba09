// What a container prints may not reach out of its terminal by itself: answer for those who watch, put
// something into their clipboard, lead them somewhere else, or keep the page from doing anything else.
//
// A terminal answers questions that programs print: where its cursor is, what it can do, which
// colours it has. The answer goes in as if it were typed. When old output is drawn again its
// questions were answered long ago, and of several people only one may answer: then the questions
// are taken out before xterm.js sees them. So is what would be copied. Of links: links.js.
//
// xterm.js repeats as often as it is told, and draws anew at each change of a colour: counts are cut
// to what fits on the screen, and of such changes there are so many in a second.

/** @typedef {import("./xterm.js").Terminal} Terminal */

/** Control sequences that are questions. @type {{prefix?: string, intermediates?: string, final: string}[]} */
const QUESTIONS = [
  { final: "c" }, // device attributes
  { prefix: ">", final: "c" },
  { prefix: "=", final: "c" },
  { prefix: ">", final: "q" }, // name and version
  { final: "n" }, // state, position of the cursor
  { prefix: "?", final: "n" },
  { intermediates: "$", final: "p" }, // modes
  { prefix: "?", intermediates: "$", final: "p" },
];
/** Window operations that only report. */
const REPORTS = new Set([11, 13, 14, 15, 16, 18, 19, 20, 21]);
/** Colours: a question where the last field is "?". */
const COLOURS = [4, 10, 11, 12];

/** What is done so many times, by the method of xterm.js that does it. */
const COUNTED = {
  S: "scrollUp",
  T: "scrollDown",
  L: "insertLines",
  M: "deleteLines",
  I: "cursorForwardTab",
  Z: "cursorBackwardTab",
  b: "repeatPrecedingCharacter",
};
/** Sequences after which all is drawn anew: colours, and (a private mode) whether the cursor blinks. */
const REDRAWN = [4, 10, 11, 12, 104, 110, 111, 112];
const BLINKS = 12;
const REDRAWS = { atOnce: 300, perSecond: 60 };
const COLOURS_LIMIT = 8192; // characters of one sequence: each of 256 colours
const TITLE_LIMIT = 300; // characters
const COPY_LIMIT = 1024 * 1024; // characters of base64 a program may put into the clipboard

/**
 * `mayAnswer`, `mayCopy`: whether what is drawn now may, here. `title`: what a program calls itself.
 * `copy`: what it puts into the clipboard.
 *
 * @typedef {{
 *   mayAnswer: () => boolean,
 *   mayCopy: () => boolean,
 *   title: (title: string) => void,
 *   copy: (text: string) => void,
 * }} Reach
 */

/**
 * @param {Terminal} terminal
 * @param {Reach} reach
 */
export function guardOutput(terminal, reach) {
  guardReplies(terminal, reach.mayAnswer);
  const { parser } = terminal;
  for (const code of [0, 2]) {
    parser.registerOscHandler(code, (data) => {
      reach.title(data.slice(0, TITLE_LIMIT).replace(/[\uD800-\uDBFF]$/, ""));
      return true;
    });
  }
  // What the reader has copied elsewhere is nobody's business: never told, whoever asks.
  parser.registerOscHandler(52, (data) => {
    const text = reach.mayCopy() ? copied(data) : null;
    if (text) reach.copy(text);
    return true;
  });
  limitCounts(terminal);
  limitRedraws(terminal);
}

/**
 * What OSC 52 puts into the clipboard; null for a question, and for what is not base64 of UTF-8.
 *
 * @param {string} data where to, and what
 */
export function copied(data) {
  const [, base64] = /^[a-z0-7]*;([A-Za-z0-9+/]*={0,2})$/.exec(data) ?? [];
  if (!base64 || base64.length % 4 || base64.length > COPY_LIMIT) return null;
  try {
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** @param {Terminal} terminal */
function limitCounts(terminal) {
  for (const [final, method] of Object.entries(COUNTED)) {
    terminal.parser.registerCsiHandler({ final }, ([count]) => {
      const most = mostOf(terminal, final);
      if (!(Number(count) > most)) return false;
      asItself(terminal, method, [most]);
      return true;
    });
  }
}

/** @param {Terminal} terminal @param {string} final */
function mostOf(terminal, final) {
  const { cols, rows, buffer } = terminal;
  if (final === "I" || final === "Z") return cols;
  if (final !== "b") return rows;
  const { cursorX, cursorY } = buffer.active;
  return Math.max(1, (rows - cursorY) * cols - cursorX);
}

/**
 * Done by xterm.js itself; left out where it has no such method any more.
 *
 * @param {Terminal} terminal
 * @param {string} method
 * @param {number[]} params
 */
function asItself(terminal, method, params) {
  const handler = /** @type {any} */ (terminal)._core?._inputHandler;
  handler?.[method]?.({ params, length: params.length });
}

/** @param {Terminal} terminal */
function limitRedraws(terminal) {
  const { parser } = terminal;
  const redraws = new Allowance(REDRAWS.atOnce, REDRAWS.perSecond);
  for (const code of REDRAWN) {
    parser.registerOscHandler(code, (data) => data.length > COLOURS_LIMIT || !redraws.take());
  }
  for (const [final, method] of [
    ["h", "setModePrivate"],
    ["l", "resetModePrivate"],
  ]) {
    parser.registerCsiHandler({ prefix: "?", final }, (params) => {
      if (!params.includes(BLINKS) || redraws.take()) return false;
      const others = params.filter((one) => one !== BLINKS).map(Number);
      if (others.length) asItself(terminal, method, others);
      return true;
    });
  }
}

/** So many at once, and so many a second. */
class Allowance {
  #left;
  #at = performance.now();

  /** @param {number} atOnce @param {number} perSecond */
  constructor(atOnce, perSecond) {
    this.atOnce = this.#left = atOnce;
    this.perSecond = perSecond;
  }

  /** Whether there is one more. */
  take() {
    const now = performance.now();
    const more = ((now - this.#at) / 1000) * this.perSecond;
    this.#left = Math.min(this.atOnce, this.#left + more);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}

/**
 * @param {Terminal} terminal
 * @param {() => boolean} mayAnswer
 */
function guardReplies(terminal, mayAnswer) {
  const { parser } = terminal;
  for (const question of QUESTIONS) parser.registerCsiHandler(question, () => !mayAnswer());
  parser.registerCsiHandler({ final: "t" }, ([what]) => REPORTS.has(Number(what)) && !mayAnswer());
  parser.registerDcsHandler({ intermediates: "$", final: "q" }, () => !mayAnswer());
  for (const code of COLOURS) {
    parser.registerOscHandler(code, (data) => /(^|;)\?($|;)/.test(data) && !mayAnswer());
  }
}
