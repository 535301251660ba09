// The colours of a terminal in both themes. xterm.js is told colours and cannot read custom
// properties: page, text, accent and selection repeat css/lib/tokens.css. Texts are brought to a
// contrast of 4.5:1 by xterm.js itself, so white and black may be what programs take them for.

/** @typedef {import("./xterm.js").ITheme} Theme */

/** @type {Theme} */
const LIGHT = {
  foreground: "#1a2028",
  background: "#ffffff",
  cursor: "#0a60b8",
  cursorAccent: "#ffffff",
  selectionBackground: "#b9d8fb",
  selectionInactiveBackground: "#d9dee4",
  scrollbarSliderBackground: "#c4cad2aa",
  scrollbarSliderHoverBackground: "#9aa4b0aa",
  scrollbarSliderActiveBackground: "#9aa4b0",
  overviewRulerBorder: "#ffffff",
  black: "#1a2028",
  red: "#b42318",
  green: "#18793a",
  yellow: "#8a5700",
  blue: "#0a60b8",
  magenta: "#8b3aa8",
  cyan: "#0b7285",
  white: "#d0d6dd",
  brightBlack: "#626d79",
  brightRed: "#c9362c",
  brightGreen: "#1c7f3c",
  brightYellow: "#8c5e00",
  brightBlue: "#1668c2",
  brightMagenta: "#9a44b8",
  brightCyan: "#0d7a8e",
  brightWhite: "#f3f5f7",
};

/** @type {Theme} */
const DARK = {
  foreground: "#dfe5ec",
  background: "#11151a",
  cursor: "#62aeff",
  cursorAccent: "#11151a",
  selectionBackground: "#264f7d",
  selectionInactiveBackground: "#333c47",
  scrollbarSliderBackground: "#3d4651aa",
  scrollbarSliderHoverBackground: "#5b6673aa",
  scrollbarSliderActiveBackground: "#5b6673",
  overviewRulerBorder: "#11151a",
  black: "#262d36",
  red: "#ff857c",
  green: "#4fc573",
  yellow: "#e0a83f",
  blue: "#6db3ff",
  magenta: "#d79bf5",
  cyan: "#4cc4d6",
  white: "#c6ced8",
  brightBlack: "#8b96a3",
  brightRed: "#ffa39b",
  brightGreen: "#7bdc98",
  brightYellow: "#f2c667",
  brightBlue: "#97c9ff",
  brightMagenta: "#e6bdfb",
  brightCyan: "#7fdbe8",
  brightWhite: "#ffffff",
};

const system = globalThis.matchMedia?.("(prefers-color-scheme: dark)");

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : (system?.matches ?? false);
}

/** The colours that fit the page now. @returns {Theme} */
export function terminalColours() {
  return isDark() ? DARK : LIGHT;
}

/** Colours of what is found by searching; xterm.js takes them as #rrggbb only. */
export function matchColours() {
  return isDark()
    ? {
        matchBackground: "#6b5300",
        matchOverviewRuler: "#c99a1f",
        activeMatchBackground: "#b06f00",
        activeMatchColorOverviewRuler: "#ffb84d",
      }
    : {
        matchBackground: "#ffe58a",
        matchOverviewRuler: "#b98a00",
        activeMatchBackground: "#ffb84d",
        activeMatchColorOverviewRuler: "#8a5700",
      };
}

/**
 * Calls back whenever the page's theme changes, by its reader or by the system.
 *
 * @param {() => void} changed
 * @returns {() => void} ends it
 */
export function followTheme(changed) {
  const observer = new MutationObserver(changed);
  observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  system?.addEventListener("change", changed);
  return () => {
    observer.disconnect();
    system?.removeEventListener("change", changed);
  };
}
