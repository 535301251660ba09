// Fields that have a column of their own: kept for each app in the reader's browser, and in the address.

import { ColumnWidths } from "../lib/column_widths.js";
import { h, setChildren } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { recall, remember } from "../lib/storage.js";
import { fieldsOfRow } from "./query/query_match.js";

/** @typedef {import("./entry.js").Row} Row */

const AT_MOST = 8;
const NAME = "column"; // in the address, repeated

/** Announces `change`. */
export class Columns extends EventTarget {
  /** @type {string[]} */
  names = [];
  #widths;

  /** @param {string} log whose they are, as they are kept */
  constructor(log) {
    super();
    this.key = `log-columns:${log}`;
    const given = new URLSearchParams(location.search).getAll(NAME).filter(Boolean);
    this.#widths = new ColumnWidths(`log:${log}`, document.documentElement, (name) =>
      [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".row-column"))].filter(
        (cell) => cell.dataset.column === name,
      ),
    );
    this.names = (given.length ? given : this.#kept()).slice(0, AT_MOST);
  }

  #kept() {
    try {
      const kept = JSON.parse(recall(this.key) ?? "[]");
      return Array.isArray(kept) ? kept.filter((one) => typeof one === "string") : [];
    } catch {
      return []; // written by something else
    }
  }

  /** @param {string} name */
  toggle(name) {
    this.set(
      this.names.includes(name)
        ? this.names.filter((one) => one !== name)
        : [...this.names, name].slice(-AT_MOST),
    );
  }

  /** @param {string[]} names */
  set(names) {
    if (names.join("\n") === this.names.join("\n")) return;
    this.names = names;
    remember(this.key, names.length ? JSON.stringify(names) : null);
    this.dispatchEvent(new Event("change"));
  }

  /** As an address has them; none there: as they are. @param {URLSearchParams} params */
  restore(params) {
    this.set(params.getAll(NAME).filter(Boolean).slice(0, AT_MOST));
  }

  /** @param {URLSearchParams} params */
  write(params) {
    params.delete(NAME);
    for (const name of this.names) params.append(NAME, name);
  }

  /**
   * The cells of a row.
   * @param {readonly Row[]} rows the lines that it is of
   */
  cells(rows) {
    return this.names.map((name) => {
      const value = valueIn(rows, name);
      return this.#cell(name, { title: value ? `${name}=${value}` : null }, value);
    });
  }

  /**
   * @param {string} name
   * @param {{class?: string, title?: string | null}} attributes
   * @param {...(Node | string)} content
   */
  #cell(name, attributes, ...content) {
    const { class: more = "", ...rest } = attributes;
    const column = { class: `row-column ${more}`.trim(), dataset: { column: name }, ...rest };
    const cell = h("span", column, ...content);
    cell.style.setProperty("--w", `var(${this.#widths.property(name)})`);
    return cell;
  }

  /**
   * The names above them.
   * @param {HTMLElement} box
   * @param {{ times: boolean, dates: boolean }} settings
   * @param {boolean} many whether rows say who wrote them
   */
  drawHead(box, { times, dates }, many) {
    const space = (/** @type {string} */ name, /** @type {string} */ text = "") =>
      h("span", { class: `${name} columns-space`, "aria-hidden": "true" }, text);
    const time = space("row-time", dates ? "00-00 00:00:00" : "00:00:00");
    time.append(h("span", { class: "row-ms" }, ".000"));
    this.drawNames(box, [
      ...(times ? [time] : []),
      ...(many ? [space("row-who")] : []),
      space("row-level"),
    ]);
  }

  /**
   * Their names, each takes its column away.
   * @param {HTMLElement} box
   * @param {HTMLElement[]} [before] them
   */
  drawNames(box, before = []) {
    box.hidden = !this.names.length;
    const names = this.names.map((name) => {
      const label = t("Take the column {name} away", { name });
      const button = { class: "columns-name", type: "button", title: label };
      return this.#cell(
        name,
        { class: "columns-head" },
        h("button", { ...button, "aria-label": label, onclick: () => this.toggle(name) }, name),
        this.#widths.handle(name, name),
      );
    });
    setChildren(box, [...before, ...names]);
  }
}

/** @param {readonly Row[]} rows @param {string} name */
function valueIn(rows, name) {
  const small = name.toLowerCase();
  return rows
    .flatMap(fieldsOfRow)
    .filter(([one]) => one.toLowerCase() === small)
    .map(([, value]) => value.replaceAll("\n", "↵"))
    .join(", ");
}
