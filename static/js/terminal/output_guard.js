// What a container prints may not reach out of its terminal by itself: answer for those who watch, or
// lead them somewhere else.
//
// A terminal answers questions that programs print: where its cursor is, what it can do, which
// colours it has. The answer goes in as if it were typed. When old output is drawn again its
// questions were answered long ago, and of several people only one may answer: then the questions
// are taken out before xterm.js sees them. Links are opened only on purpose, and only where they lead
// to the web.

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

/**
 * @param {Terminal} terminal
 * @param {() => boolean} mayAnswer
 */
export function guardReplies(terminal, mayAnswer) {
  const { parser } = terminal;
  for (const question of QUESTIONS) parser.registerCsiHandler(question, () => !mayAnswer());
  parser.registerCsiHandler({ final: "t" }, ([what]) => REPORTS.has(Number(what)) && !mayAnswer());
  parser.registerDcsHandler({ intermediates: "$", final: "q" }, () => !mayAnswer());
  for (const code of COLOURS) {
    parser.registerOscHandler(code, (data) => /(^|;)\?($|;)/.test(data) && !mayAnswer());
  }
  // What the reader has copied elsewhere is nobody's business: never told, whoever asks.
  parser.registerOscHandler(52, (data) => data.endsWith("?"));
}

const mac = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? "");

/** Whether a plain tap opens a link: a finger holds no key. */
function tapOpens() {
  return matchMedia("(pointer: coarse)").matches;
}

/**
 * @param {MouseEvent} event
 * @param {string} address
 */
export function openLink(event, address) {
  if (!tapOpens() && !(mac ? event.metaKey : event.ctrlKey)) return;
  if (!/^https?:\/\//i.test(address)) return;
  window.open(address, "_blank", "noopener,noreferrer");
}
