// The panel beside or under the log in which a terminal runs. The log goes on meanwhile; so does
// the terminal when the panel is closed. What runs in it is only loaded when it is opened.

import { byId, h, icon, setAttribute } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { bind } from "../frame/keys.js";
import { recall, recallInTab, remember, rememberInTab } from "../lib/storage.js";

/** @typedef {import("./log_view.js").LogView} LogView */
/** @typedef {"below" | "beside"} Side */

const NARROW = matchMedia("(width < 900px)");
/** Per cent of the room. */
const SIZE = { least: 15, usual: 45, most: 85, step: 3 };

class Panel {
  #split = byId("log-split");
  #box = byId("log-panel");
  #edge = byId("log-panel-edge");
  #button = byId("log-terminal");
  /** @type {import("../terminal/panel_terminal.js").PanelTerminal | null} */
  #inside = null;
  #opening = false;

  /** @param {LogView} log */
  constructor(log) {
    this.log = log;
    this.#button.addEventListener("click", () => (this.isOpen ? this.close() : void this.open()));
    this.#edgeMoves();
    this.#box.addEventListener("keydown", (event) => this.#onKey(event));
    NARROW.addEventListener("change", () => this.#place());
    bind({
      keys: ["`", "mod+`"],
      label: t("A terminal beside the log"),
      group: t("Log"),
      run: () => this.toggle(),
    });
    this.#place();
    // A reload comes back to what was there; the keys stay with the log.
    if (this.#wasOpen) void this.open(false);
  }

  get isOpen() {
    return !this.#box.hidden;
  }

  /** By key: opens it, goes into it, and from within it closes it. */
  toggle() {
    if (!this.isOpen) void this.open();
    else if (this.#box.contains(document.activeElement)) this.close();
    else this.#inside?.focus();
  }

  /** @param {boolean} [focus] */
  async open(focus = true) {
    if (this.#opening || this.isOpen) return;
    this.#opening = true;
    this.#box.hidden = this.#edge.hidden = false;
    setAttribute(this.#button, "aria-pressed", "true");
    this.#wasOpen = true;
    try {
      const { PanelTerminal } = await import("../terminal/panel_terminal.js");
      this.#inside = new PanelTerminal(this.#box, this.log.app, {
        tools: () => this.#tools(),
        leave: () => this.log.focusRows(),
        close: () => this.close(),
      });
      await this.#inside.start(this.log.feed.filter.container, focus);
    } finally {
      this.#opening = false;
    }
  }

  /** What runs in it goes on; opening it again comes back to it. */
  close() {
    if (!this.isOpen || this.#opening) return;
    const inside = this.#box.contains(document.activeElement);
    this.#inside?.close();
    this.#inside = null;
    this.#box.replaceChildren();
    this.#box.hidden = this.#edge.hidden = true;
    setAttribute(this.#button, "aria-pressed", "false");
    this.#wasOpen = false;
    if (inside) this.log.focusRows();
  }

  get #wasOpen() {
    return recallInTab(`terminal-panel-open:${this.log.app}`) !== null;
  }

  set #wasOpen(open) {
    rememberInTab(`terminal-panel-open:${this.log.app}`, open ? "1" : null);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const target = /** @type {Element} */ (event.target);
    // In the terminal Escape belongs to what runs there.
    if (event.key !== "Escape" || event.defaultPrevented || target.closest(".term-screen")) return;
    if (document.querySelector(":popover-open")) return;
    event.preventDefault();
    event.stopPropagation();
    this.log.focusRows();
  }

  /** The buttons of the panel itself, for the bar of what is in it. */
  #tools() {
    const beside = this.#side === "beside";
    const turn = tool(
      beside ? "panel-below" : "panel-right",
      beside ? t("Under the log") : t("Beside the log"),
      () => {
        remember("terminal-panel-side", beside ? "below" : "beside");
        this.#place();
        turn.replaceWith(...this.#tools().slice(0, 1));
        this.#box.querySelector("[data-turn]")?.closest("button")?.focus();
      },
    );
    turn.dataset.turn = "";
    turn.classList.add("log-panel-turn");
    return [turn, tool("close", t("Close the panel; the terminal goes on"), () => this.close())];
  }

  // Its place and its size

  /** @returns {Side} */
  get #side() {
    return recall("terminal-panel-side") === "beside" ? "beside" : "below";
  }

  #place() {
    const side = NARROW.matches ? "below" : this.#side;
    setAttribute(this.#split, "data-side", side);
    setAttribute(this.#edge, "aria-orientation", side === "below" ? "horizontal" : "vertical");
    this.#resize(Number(recall(`terminal-panel-${side}`)) || SIZE.usual, false);
  }

  /**
   * @param {number} size per cent
   * @param {boolean} [keep]
   */
  #resize(size, keep = true) {
    const percent = Math.round(Math.min(SIZE.most, Math.max(SIZE.least, size)) * 10) / 10;
    this.#split.style.setProperty("--panel", `${percent}%`);
    setAttribute(this.#edge, "aria-valuenow", String(Math.round(percent)));
    if (keep) remember(`terminal-panel-${this.#split.dataset.side}`, String(percent));
  }

  get #size() {
    return Number(this.#edge.getAttribute("aria-valuenow"));
  }

  #edgeMoves() {
    const edge = this.#edge;
    setAttribute(edge, "aria-valuemin", String(SIZE.least));
    setAttribute(edge, "aria-valuemax", String(SIZE.most));
    edge.addEventListener("pointerdown", (event) => {
      edge.setPointerCapture(event.pointerId);
      edge.classList.add("dragging");
    });
    edge.addEventListener("pointermove", (event) => {
      if (!edge.classList.contains("dragging")) return;
      const room = this.#split.getBoundingClientRect();
      const below = this.#split.dataset.side === "below";
      const part = below
        ? (room.bottom - event.clientY) / room.height
        : (room.right - event.clientX) / room.width;
      this.#resize(part * 100);
    });
    edge.addEventListener("lostpointercapture", () => edge.classList.remove("dragging"));
    edge.addEventListener("dblclick", () => this.#resize(SIZE.usual));
    edge.addEventListener("keydown", (event) => {
      const below = this.#split.dataset.side === "below";
      const [more, less] = below ? ["ArrowUp", "ArrowDown"] : ["ArrowLeft", "ArrowRight"];
      const step = { [more]: SIZE.step, [less]: -SIZE.step }[event.key];
      if (!step) return;
      event.preventDefault();
      this.#resize(this.#size + step);
    });
  }
}

/**
 * @param {string} name
 * @param {string} label
 * @param {() => void} run
 */
function tool(name, label, run) {
  return h(
    "button",
    { class: "tool", type: "button", "aria-label": label, title: label, onclick: run },
    icon(name),
  );
}

/** The panel is for those who may open terminals: the page of others has none. @param {LogView} log */
export function setUpPanel(log) {
  if (document.getElementById("log-panel")) new Panel(log);
}
