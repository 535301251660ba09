// The bar that says and sets which time is looked at; the address says it, too.

import { bind } from "../frame/keys.js";
import { byId, setAttribute, setText } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { spanOf } from "./time_axis.js";
import { marked, moved, readSpan, writeSpan } from "./time_span.js";

/** @typedef {import("./time_span.js").TimeSpan} TimeSpan */

/** Announces `span` when it is another one. */
export class SpanBar extends EventTarget {
  #ranges = byId("metric-ranges");

  /**
   * @param {import("./span_source.js").SpanSource} source
   * @param {import("./board.js").Board} board on which spans are marked
   */
  constructor(source, board) {
    super();
    this.source = source;
    this.#ranges.addEventListener("click", (event) => {
      const chip = /** @type {Element} */ (event.target).closest("button");
      if (chip?.dataset.range) this.show({ range: chip.dataset.range });
    });
    for (const how of /** @type {const} */ (["earlier", "later", "wider"])) {
      byId(`metric-${how}`).addEventListener("click", () => this.#move(how));
    }
    board.addEventListener("mark", (event) => {
      const { since, until } = /** @type {CustomEvent} */ (event).detail;
      this.show(marked(since, until, source.now));
    });
    addEventListener("popstate", () => this.#set(readSpan(new URLSearchParams(location.search))));
    this.#bindKeys();
    this.#draw();
  }

  /** Looks at another time; the one before is a step back. @param {TimeSpan} span */
  show(span) {
    const address = new URL(location.href);
    writeSpan(span, address.searchParams);
    address.hash = "";
    history.pushState(null, "", address);
    this.#set(span);
  }

  /** @param {TimeSpan} span */
  #set(span) {
    this.source.setSpan(span);
    this.#draw();
    this.dispatchEvent(new Event("span"));
  }

  /** @param {"earlier" | "later" | "wider" | "narrower"} how */
  #move(how) {
    this.show(moved(this.source.span, how, this.source.now));
  }

  #draw() {
    const { span, edges } = this.source;
    const range = "range" in span ? span.range : "";
    for (const chip of this.#ranges.querySelectorAll("button")) {
      setAttribute(chip, "aria-pressed", String(chip.dataset.range === range));
    }
    setText(byId("metric-span"), range ? "" : spanOf(...edges));
    /** @type {HTMLButtonElement} */ (byId("metric-later")).disabled = range !== "";
  }

  #bindKeys() {
    const group = t("Metrics");
    [...this.#ranges.querySelectorAll("button")].forEach((chip, n) => {
      const range = chip.dataset.range ?? "";
      const label = t("Show {range}", { range: chip.textContent ?? "" });
      bind({ keys: String(n + 1), label, group, run: () => this.show({ range }) });
    });
    bind({ keys: "[", label: t("Earlier"), group, run: () => this.#move("earlier") });
    bind({ keys: "]", label: t("Later"), group, run: () => this.#move("later") });
    bind({ keys: "-", label: t("A longer time"), group, run: () => this.#move("wider") });
    bind({ keys: "+", label: t("A shorter time"), group, run: () => this.#move("narrower") });
  }
}
