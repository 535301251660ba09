// What an app uses, in its row: processor and memory now, and how that was in the last five minutes.

import { h, setText } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { Trend } from "../lib/trend.js";
import { formatValue } from "../lib/units.js";

/** @typedef {import("../live/overview.js").AppMeasured} AppMeasured */
/** @typedef {import("../lib/units.js").Units} Units */

const QUIET = { cpu: 0.05, memory: 8 * 1024 * 1024 }; // what changes by less is a flat line

class Cell {
  #number = h("span", { class: "measured-number" });
  #trend;

  /**
   * @param {"cpu" | "memory"} name
   * @param {string} label where there is no head above it
   * @param {string} unit
   */
  constructor(name, label, unit) {
    this.unit = unit;
    this.#trend = new Trend(QUIET[name]);
    this.element = h(
      "div",
      { class: `cell measured ${name}`, role: "cell" },
      this.#trend.element,
      h("span", { class: "measured-label" }, label),
      this.#number,
    );
  }

  /**
   * @param {import("../live/overview.js").Measured | undefined} one
   * @param {Units} units
   */
  show(one, units) {
    const now = one?.now ?? null;
    const unit = this.unit === "cores" && units.cpu === "cores" ? "1" : this.unit;
    setText(
      this.#number,
      now === null ? "" : formatValue(unit, Math.max(0, rounded(now, this.unit)), units),
    );
    this.element.classList.toggle("nothing", now === null);
  }

  /** @param {import("../live/overview.js").Measured | undefined} one */
  draw(one) {
    this.#trend.draw(one?.spark ?? []);
  }
}

/**
 * A thousandth of a core is not worth a third digit that never stands still.
 *
 * @param {number} value
 * @param {string} unit
 */
function rounded(value, unit) {
  return unit === "cores" ? Math.round(value * 1000) / 1000 : value;
}

export class MeasuredCells {
  #cpu = new Cell("cpu", t("CPU"), "cores");
  #memory = new Cell("memory", t("Memory"), "bytes");

  get elements() {
    return [this.#cpu.element, this.#memory.element];
  }

  /**
   * @param {AppMeasured | undefined} measured undefined where it is not measured: it does not run
   * @param {Units} units
   * @param {boolean} moved the small pictures went on
   */
  show(measured, units, moved) {
    this.#cpu.show(measured?.cpu, units);
    this.#memory.show(measured?.memory, units);
    if (!moved) return;
    this.#cpu.draw(measured?.cpu);
    this.#memory.draw(measured?.memory);
  }
}
