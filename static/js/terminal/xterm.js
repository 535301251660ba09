// xterm.js and its addons, from where `make` puts them. Types are in xterm.d.ts.

export { Terminal } from "../../vendor/xterm/xterm.js";
export { FitAddon } from "../../vendor/xterm/addon-fit.js";
export { UnicodeGraphemesAddon } from "../../vendor/xterm/addon-unicode-graphemes.js";
export { WebLinksAddon } from "../../vendor/xterm/addon-web-links.js";

/** The renderer on the graphics card; only asked for where a terminal is seen. */
export async function loadWebgl() {
  return (await import("../../vendor/xterm/addon-webgl.js")).WebglAddon;
}
