// Terminal escape sequences in text, for every page that shows what a container wrote: colours and
// links are kept as data, the rest is dropped. Pure: knows nothing of the page.

/**
 * How a run of text is to look. A colour is 0-15 for the sixteen that a theme defines, or
 * "#rrggbb" for the others.
 * @typedef {object} Style
 * @property {number | string} [fg]
 * @property {number | string} [bg]
 * @property {boolean} [bold]
 * @property {boolean} [dim]
 * @property {boolean} [italic]
 * @property {boolean} [underline]
 * @property {boolean} [strike]
 * @property {boolean} [inverse]
 * @property {boolean} [hidden]
 */

/** @typedef {{ text: string, style: Style | null, href: string | null }} Run */

// CSI … final byte; OSC, DCS, SOS, PM, APC … BEL or ST; charset choices; other two-byte sequences.
// An unfinished CSI at the end of a line goes too.
const SEQUENCE =
  // eslint-disable-next-line no-control-regex
  /\x1b(?:\[([0-?]*)([ -/]*)([@-~])|([\]PX^_])([^\x07\x1b]*)(?:\x07|\x1b\\|$)|[()*+][0-9A-Za-z]|[ -/]*([0-Z\\`a-z{|}~])|\[[0-?]*[ -/]*$)/g;

/**
 * The text without any escape sequence.
 * @param {string} text
 * @returns {string}
 */
export function stripAnsi(text) {
  return text.includes("\x1b") ? text.replace(SEQUENCE, "") : text;
}

/** A sequence that has not ended yet, at the end of a text. */
const UNFINISHED = /\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?|[ -/]*)$/;

/**
 * Where a sequence begins that goes on in the text to come, -1 where none does.
 * @param {string} text
 */
export function unfinishedAt(text) {
  return text.search(UNFINISHED);
}

/**
 * The text with something else in place of each escape sequence.
 * @param {string} text
 * @param {(csi: string, escape: string) => string} instead is told the last letter: of a control
 *   sequence, or of a short escape; both are "" for a string such as a title
 */
export function replaceSequences(text, instead) {
  if (!text.includes("\x1b")) return text;
  return text.replace(SEQUENCE, (_all, _params, _between, csi, _string, _data, escape) =>
    instead(csi ?? "", escape ?? ""),
  );
}

// eslint-disable-next-line no-control-regex
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/**
 * A line of log as one line of plain text: no colours, no cursor movements, no control bytes.
 * @param {string} text
 * @param {number} [longest] characters
 */
export function plainText(text, longest = 300) {
  const shown = stripAnsi(text.slice(0, longest * 4));
  // A progress bar rewrites its line: what a terminal would show is what came last.
  const parts = shown.split("\r").filter((part) => part.trim());
  return (parts[parts.length - 1] ?? "")
    .replace(/\t/g, "  ")
    .replace(CONTROLS, "")
    .slice(0, longest);
}

/**
 * @param {number} n 16-255
 * @returns {string} the colour that xterm gives this number
 */
export function indexedColour(n) {
  if (n >= 232) {
    const grey = 8 + (n - 232) * 10;
    return hex(grey, grey, grey);
  }
  const cube = n - 16;
  const step = (/** @type {number} */ v) => (v ? 55 + v * 40 : 0);
  return hex(step(Math.floor(cube / 36)), step(Math.floor(cube / 6) % 6), step(cube % 6));
}

/**
 * @param {number} r
 * @param {number} g
 * @param {number} b
 */
function hex(r, g, b) {
  return `#${[r, g, b]
    .map((v) =>
      Math.max(0, Math.min(255, v | 0))
        .toString(16)
        .padStart(2, "0"),
    )
    .join("")}`;
}

/**
 * The colour after `38` or `48`, in both spellings: `38;5;n` and `38:2::r:g:b`.
 * @param {string[]} codes
 * @param {number} at index of the 38 or 48
 * @returns {{ colour: number | string | undefined, next: number }} `next`: index of the last code used
 */
function extendedColour(codes, at) {
  const parts = codes[at].split(":");
  const own = parts.length > 1;
  const args = own ? parts.slice(1) : codes.slice(at + 1, at + 5);
  const kind = Number(args[0]);
  if (kind === 5) {
    const n = Number(args[1]);
    const colour = n < 16 ? n : n < 256 ? indexedColour(n) : undefined;
    return { colour, next: own ? at : at + 2 };
  }
  if (kind === 2) {
    const [r, g, b] = (own && args.length > 4 ? args.slice(2) : args.slice(1)).map(Number);
    return { colour: hex(r, g, b), next: own ? at : at + 4 };
  }
  return { colour: undefined, next: at };
}

/** @type {Record<number, (style: Style) => void>} */
const PLAIN_CODES = {
  1: (s) => (s.bold = true),
  2: (s) => (s.dim = true),
  3: (s) => (s.italic = true),
  4: (s) => (s.underline = true),
  7: (s) => (s.inverse = true),
  8: (s) => (s.hidden = true),
  9: (s) => (s.strike = true),
  21: (s) => (s.underline = true),
  22: (s) => void (delete s.bold, delete s.dim),
  23: (s) => void delete s.italic,
  24: (s) => void delete s.underline,
  27: (s) => void delete s.inverse,
  28: (s) => void delete s.hidden,
  29: (s) => void delete s.strike,
  39: (s) => void delete s.fg,
  49: (s) => void delete s.bg,
};

/**
 * @param {Style} before
 * @param {string} params what stands between `ESC [` and `m`
 * @returns {Style}
 */
function applySgr(before, params) {
  /** @type {Style} */
  let style = { ...before };
  const codes = params === "" ? ["0"] : params.split(";");
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] === "" ? 0 : parseInt(codes[i], 10);
    if (code === 0) style = {};
    else if (code >= 30 && code <= 37) style.fg = code - 30;
    else if (code >= 40 && code <= 47) style.bg = code - 40;
    else if (code >= 90 && code <= 97) style.fg = code - 82;
    else if (code >= 100 && code <= 107) style.bg = code - 92;
    else if (code === 38 || code === 48) {
      const { colour, next } = extendedColour(codes, i);
      i = next;
      if (colour !== undefined) style[code === 38 ? "fg" : "bg"] = colour;
    } else if (codes[i] === "4:0") delete style.underline;
    else PLAIN_CODES[code]?.(style);
  }
  return style;
}

/**
 * Only addresses that a browser fetches: a log is written by anyone.
 * @param {string} uri
 * @returns {string | null}
 */
export function safeHref(uri) {
  if (!/^https?:\/\//i.test(uri)) return null;
  try {
    return new URL(uri).href;
  } catch {
    return null;
  }
}

/**
 * @param {string} text
 * @returns {Run[]} the text in runs of one look; escape sequences are gone
 */
export function parseAnsi(text) {
  if (!text.includes("\x1b")) return text ? [{ text, style: null, href: null }] : [];
  /** @type {Run[]} */
  const runs = [];
  /** @type {Style} */
  let style = {};
  /** @type {string | null} */
  let href = null;
  let from = 0;
  const push = (/** @type {string} */ part) => {
    if (!part) return;
    runs.push({ text: part, style: Object.keys(style).length ? style : null, href });
  };
  for (const found of text.matchAll(SEQUENCE)) {
    push(text.slice(from, found.index));
    from = found.index + found[0].length;
    if (found[3] === "m" && !found[2]) style = applySgr(style, found[1]);
    else if (found[4] === "]" && found[5].startsWith("8;")) {
      href = safeHref(found[5].slice(found[5].indexOf(";", 2) + 1));
    }
  }
  push(text.slice(from));
  return runs;
}

/**
 * A colour that can be read on this ground: its lightness moved until it stands out.
 * @param {string} colour "#rrggbb"
 * @param {boolean} dark the ground is dark
 * @returns {string} "#rrggbb"
 */
export function readable(colour, dark) {
  let [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  // Towards white on a dark ground, towards black on a light one, until contrast is about 4.5:1.
  for (let i = 0; i < 24; i++) {
    const l = luminance(r, g, b);
    if (dark ? l >= 0.22 : l <= 0.16) break;
    const to = dark ? 255 : 0;
    [r, g, b] = [r, g, b].map((v) => v + (to - v) * 0.1);
  }
  return hex(Math.round(r), Math.round(g), Math.round(b));
}

/**
 * @param {number} r
 * @param {number} g
 * @param {number} b
 * @returns {number} relative luminance as WCAG defines it, 0-1
 */
export function luminance(r, g, b) {
  const [x, y, z] = [r, g, b].map((v) => {
    const c = v / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
}
