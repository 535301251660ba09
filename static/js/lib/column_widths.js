// Columns of a width of one's own: handles between their heads, by pointer and by keyboard. What was
// chosen is kept in this browser and stands as custom properties on the table, `--w-` and the column's
// name: a style sheet says what is made of them, and where there are no columns (a phone) nothing.

import { h, setAttribute } from "./dom.js";
import { t } from "./i18n.js";
import { recall, remember } from "./storage.js";

const LEAST = 48; // px
const MOST = 1600;
const STEP = 16; // px of an arrow key; four times that with Shift
const KEPT = 100; // widths of one table: fields of a log come and go

export class ColumnWidths {
  /** @type {Map<string, number>} px */
  #widths = new Map();

  /**
   * @param {string} table its name, under which it is kept
   * @param {HTMLElement} root where the custom properties stand
   * @param {(name: string) => Iterable<HTMLElement>} cells those of a column that are in the page, its
   *   head among them
   */
  constructor(table, root, cells) {
    this.key = `column-widths:${table}`;
    this.root = root;
    this.cells = cells;
    for (const [name, px] of this.#kept()) this.#widths.set(name, px);
    for (const name of this.#widths.keys()) this.#show(name);
  }

  /** @returns {[string, number][]} */
  #kept() {
    try {
      const kept = Object.entries(JSON.parse(recall(this.key) ?? "{}"));
      return kept.flatMap(([name, px]) =>
        typeof px === "number" && px >= LEAST && px <= MOST ? [[name, px]] : [],
      );
    } catch {
      return []; // written by something else
    }
  }

  /**
   * What stands in the place of a width where none was chosen.
   * @param {string} name
   */
  property(name) {
    // Names of fields may have any characters; those of a custom property not.
    return `--w-${[...name].map((c) => (/[a-z0-9-]/.test(c) ? c : `_${c.codePointAt(0)}`)).join("")}`;
  }

  /**
   * The handle at the end of a column's head, which has to be positioned.
   *
   * @param {string} name
   * @param {string} label of the column, as its head says it
   */
  handle(name, label) {
    const handle = h("span", {
      ...{ class: "column-handle", role: "separator", tabindex: "0" },
      "aria-orientation": "vertical",
      "aria-label": t("Width of the column {name}", { name: label }),
      "aria-valuemin": String(LEAST),
      "aria-valuemax": String(MOST),
      title: t("Drag, or use the arrow keys. Double click or Enter: as wide as it needs."),
    });
    const tell = () => {
      const px = Math.round(this.#now(name));
      setAttribute(handle, "aria-valuenow", String(px));
      setAttribute(handle, "aria-valuetext", `${px} px`);
    };
    setAttribute(handle, "aria-valuenow", String(this.#widths.get(name) ?? LEAST));
    handle.addEventListener("focus", tell);
    handle.addEventListener("click", (event) => event.stopPropagation()); // it sorts nothing
    handle.addEventListener("dblclick", () => {
      this.#fit(name);
      tell();
    });
    handle.addEventListener("keydown", (event) => {
      const step = STEP * (event.shiftKey ? 4 : 1);
      const px = this.#now(name);
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "ArrowLeft") this.#set(name, px - step);
      else if (event.key === "ArrowRight") this.#set(name, px + step);
      else if (event.key === "Home") this.#set(name, LEAST);
      else if (event.key === "Enter") this.#fit(name);
      else if (event.key === "Delete" || event.key === "Backspace") this.#set(name, null);
      else return;
      event.preventDefault();
      event.stopPropagation(); // the page has these keys as well
      this.#keep();
      tell();
    });
    this.#drag(handle, name, tell);
    return handle;
  }

  /**
   * @param {HTMLElement} handle
   * @param {string} name
   * @param {() => void} tell
   */
  #drag(handle, name, tell) {
    handle.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault(); // no text is selected on the way
      handle.focus();
      handle.setPointerCapture(event.pointerId);
      const from = event.clientX;
      const before = this.#now(name);
      const move = (/** @type {PointerEvent} */ moved) => {
        if (moved.clientX === from && !handle.dataset.dragged) return;
        handle.dataset.dragged = "";
        this.#set(name, before + moved.clientX - from);
        tell();
      };
      const end = () => {
        handle.removeEventListener("pointermove", move);
        delete handle.dataset.dragged;
        this.#keep();
      };
      handle.addEventListener("pointermove", move);
      handle.addEventListener("lostpointercapture", end, { once: true });
    });
  }

  /** @param {string} name */
  #now(name) {
    for (const cell of this.cells(name)) {
      const { width } = cell.getBoundingClientRect();
      if (width) return width;
    }
    return this.#widths.get(name) ?? LEAST;
  }

  /** As wide as the widest of what is in it. @param {string} name */
  #fit(name) {
    // What has a share of its cell gets wider by a part of what the cell does: so once more, unless
    // there is no room.
    for (let n = 0, before = -1; n < 8; n++) {
      const wanted = Math.max(0, ...[...this.cells(name)].map(naturalWidth));
      const now = this.#now(name);
      if (!wanted || now === before || (n && wanted <= now + 1)) break;
      before = now;
      this.#set(name, wanted);
    }
    this.#keep();
  }

  /**
   * @param {string} name
   * @param {number | null} px null: what the style sheet says
   */
  #set(name, px) {
    this.#widths.delete(name);
    if (px !== null) {
      this.#widths.set(name, Math.round(Math.min(Math.max(px, LEAST), MOST)));
    }
    this.#show(name);
  }

  /** @param {string} name */
  #show(name) {
    const px = this.#widths.get(name);
    if (px === undefined) this.root.style.removeProperty(this.property(name));
    else this.root.style.setProperty(this.property(name), `${px}px`);
  }

  #keep() {
    const kept = [...this.#widths].slice(-KEPT); // the latest changed are last
    remember(this.key, kept.length ? JSON.stringify(Object.fromEntries(kept)) : null);
  }
}

/**
 * How wide a cell would be if nothing in it were cut.
 *
 * @param {HTMLElement} cell
 */
function naturalWidth(cell) {
  const box = cell.getBoundingClientRect();
  if (!box.width) return LEAST;
  let cut = 0;
  for (const part of [cell, ...cell.querySelectorAll("*")]) {
    const over = part.scrollWidth - part.clientWidth;
    if (over <= 0) continue;
    const { overflowX, position } = getComputedStyle(part);
    if (overflowX === "hidden" && position !== "absolute") cut += over; // that is for screen readers
  }
  if (cut) return box.width + cut;
  const range = document.createRange();
  range.selectNodeContents(cell);
  const content = range.getBoundingClientRect();
  const style = getComputedStyle(cell);
  const frame = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
  return Math.ceil(content.width + frame) + 1;
}
