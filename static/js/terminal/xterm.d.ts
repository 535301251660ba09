// The types of xterm.js, which the copies in static/vendor do not carry.

export { Terminal } from "@xterm/xterm";
export type { IBufferLine, IDisposable, IMarker, ITerminalOptions, ITheme } from "@xterm/xterm";
export { FitAddon } from "@xterm/addon-fit";
export { UnicodeGraphemesAddon } from "@xterm/addon-unicode-graphemes";
export { WebLinksAddon } from "@xterm/addon-web-links";

export function loadWebgl(): Promise<typeof import("@xterm/addon-webgl").WebglAddon>;
