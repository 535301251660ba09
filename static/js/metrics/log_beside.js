// The log beside the charts, where there is room for both: the same log as on its own page, on the
// same time. It is fetched when it is opened.

import { appAddress } from "../frame/addresses.js";
import { byId, setAttribute } from "../lib/dom.js";
import { recall, remember } from "../lib/storage.js";
import { logOfApp } from "../logs/log_source.js";
import { LogView } from "../logs/log_view.js";
import { toMs } from "../logs/times.js";
import { spanOf } from "./time_axis.js";

const ROOM = matchMedia("(width >= 1100px)");
const WIDE = matchMedia("(width >= 1500px)"); // where it is there unasked

export class LogBeside {
  #box = byId("log");
  #button = byId("metric-log-button");
  /** @type {LogView | null} */
  #view = null;
  /** What is to be shown as soon as it is open. @type {[number, number, string] | null} */
  #span = null;

  /**
   * @param {string} app
   * @param {(moment: number | null) => void} hover a line of that moment is pointed at
   */
  constructor(app, hover) {
    this.app = app;
    this.hover = hover;
    this.#button.addEventListener("click", () => this.toggle());
    ROOM.addEventListener("change", () => this.#place());
    WIDE.addEventListener("change", () => this.#place());
    this.#place();
  }

  get isOpen() {
    return !this.#box.hidden;
  }

  get #wanted() {
    const said = recall("metrics-log");
    return ROOM.matches && (said === null ? WIDE.matches : said === "1");
  }

  toggle() {
    if (!ROOM.matches) return;
    remember("metrics-log", this.isOpen ? "0" : "1");
    this.#place();
  }

  #place() {
    const open = this.#wanted;
    this.#button.hidden = !ROOM.matches;
    this.#box.hidden = !open;
    setAttribute(this.#button, "aria-pressed", String(open));
    if (open) this.#open();
  }

  #open() {
    if (!this.#view) {
      const view = (this.#view = new LogView(logOfApp(this.app)));
      view.start();
      const rows = byId("log-slice");
      rows.addEventListener("pointerover", (event) => {
        const time = view.rows.entryOf(/** @type {Element} */ (event.target))?.time;
        if (time) this.hover(toMs(time) / 1000);
      });
      rows.addEventListener("pointerleave", () => this.hover(null));
      if (this.#span) void view.span.show(...this.#span);
    }
    this.#view.rows.changed();
    this.#view.schedule();
  }

  /**
   * Shows what was logged at this moment.
   *
   * @param {number} moment seconds since 1970
   * @returns {boolean} false where it is not there
   */
  jump(moment) {
    if (!this.isOpen || !this.#view) return false;
    void this.#view.nav.jumpTo(moment * 1000);
    return true;
  }

  /**
   * Shows only lines of this stretch.
   *
   * @param {number} since seconds since 1970
   * @param {number} until
   */
  showSpan(since, until) {
    this.#span = [since * 1000, until * 1000, spanOf(since, until)];
    void this.#view?.span.show(...this.#span);
  }

  follow() {
    this.#span = null;
    this.#view?.nav.follow();
  }
}

/**
 * The page of the log at this moment.
 *
 * @param {string} app
 * @param {number} moment seconds since 1970
 */
export function logAddress(app, moment) {
  return `${appAddress(app)}#T${new Date(moment * 1000).toISOString()}`;
}
