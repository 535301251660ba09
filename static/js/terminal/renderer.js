// Who draws a terminal: the graphics card where there is one, else elements of the page. Where the
// processor would have to play the graphics card (virtual machines, remote desktops), elements are
// thirty times as fast.

import { recall } from "../lib/storage.js";
import { loadWebgl } from "./xterm.js";

/** @typedef {import("./xterm.js").Terminal} Terminal */

/** Names of those that only play one. */
const SOFTWARE = /swiftshader|llvmpipe|software|basic render/i;

/** @type {boolean | null} */
let able = null;

function look() {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("webgl2", { failIfMajorPerformanceCaveat: true });
  if (!context) return false;
  const told = context.getExtension("WEBGL_debug_renderer_info");
  const name = context.getParameter(told ? told.UNMASKED_RENDERER_WEBGL : context.RENDERER);
  // A browser has only a handful of contexts.
  context.getExtension("WEBGL_lose_context")?.loseContext();
  return !SOFTWARE.test(String(name));
}

/** Whether a graphics card draws in this browser. */
function hasCard() {
  // For tests, and for whoever knows better: "webgl" or "dom".
  const chosen = recall("terminal-renderer");
  if (chosen) return chosen === "webgl";
  able ??= look();
  return able;
}

export class Renderer {
  /** @type {{dispose(): void} | null} */
  #webgl = null;
  #seen = false;

  /**
   * @param {Terminal} terminal
   * @param {() => void} changed somebody else draws now
   */
  constructor(terminal, changed) {
    this.terminal = terminal;
    this.changed = changed;
  }

  /** "webgl" or "dom". */
  get name() {
    return this.#webgl ? "webgl" : "dom";
  }

  /** Contexts are only for terminals that are seen. @param {boolean} seen */
  show(seen) {
    if (seen === this.#seen) return;
    this.#seen = seen;
    if (seen) void this.#start();
    else this.#stop();
  }

  async #start() {
    if (!hasCard()) return;
    try {
      const Addon = await loadWebgl();
      if (!this.#seen || this.#webgl) return;
      const addon = new Addon();
      addon.onContextLoss(() => this.#stop());
      this.terminal.loadAddon(addon);
      this.#webgl = addon;
      this.changed();
    } catch {
      // No WebGL after all: elements draw it.
      this.#stop();
    }
  }

  #stop() {
    const addon = this.#webgl;
    this.#webgl = null;
    try {
      addon?.dispose();
    } catch {
      // It was lost half-way through its own start.
    }
    if (addon && this.#seen) this.changed();
  }
}
