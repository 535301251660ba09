// A time as a filter: the last hour, or from one moment to another. The address has it; what is shown
// is the matter of log_span.js.

import { byId, h, setAttribute, setText } from "../lib/dom.js";
import { formatTime, t } from "../lib/i18n.js";
import { fromMs, parseTime } from "./times.js";

/** @typedef {import("./log_view.js").LogView} LogView */
/** @typedef {{ last: number, since: number | null, until: number | null }} Range minutes; ms since 1970 */

/** Minutes that are offered. */
const LAST = [15, 60, 24 * 60, 7 * 24 * 60];
const NAMES = ["last", "since", "until"];
/** @type {Range} */
const ALL = { last: 0, since: null, until: null };

/** Announces `change` when the reader chose another one. */
export class TimeRange extends EventTarget {
  /** @type {Range} */
  range = ALL;

  #form = /** @type {HTMLFormElement} */ (byId("log-range"));
  #from = /** @type {HTMLInputElement} */ (byId("log-range-from"));
  #to = /** @type {HTMLInputElement} */ (byId("log-range-to"));

  /** @param {LogView} view */
  constructor(view) {
    super();
    this.view = view;
    const menu = byId("log-jump-menu");
    byId("log-range-last").append(
      ...LAST.map((last) => {
        const run = () => this.choose({ ...ALL, last });
        return h(
          "button",
          { class: "chip", type: "button", onclick: run },
          words({ ...ALL, last }, false),
        );
      }),
    );
    for (const field of [this.#from, this.#to])
      field.addEventListener("input", () => this.#check());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const range = this.#check();
      if (range) this.choose(range);
    });
    /** @type {HTMLButtonElement} */ (byId("log-range-go")).disabled = false;
    menu.addEventListener("toggle", () => this.#check());
    byId("log-span-all").addEventListener("click", () => this.clear());
  }

  /** What the fields say; null where that is no range. @returns {Range | null} */
  #check() {
    const now = Date.now();
    const [since, until] = [this.#from, this.#to].map((field) => {
      const ms = field.value.trim() ? parseTime(field.value, now, this.view.settings.utc) : null;
      setAttribute(field, "aria-invalid", field.value.trim() && ms === null ? "true" : null);
      return ms;
    });
    const bad = this.#form.querySelector("[aria-invalid=true]") !== null;
    const turned = since !== null && until !== null && since > until;
    let said = "";
    if (bad) said = t("Not a time that is understood here");
    else if (turned) said = t("The end is before the beginning");
    else if (since !== null || until !== null) said = this.#words({ last: 0, since, until });
    setText(byId("log-range-hint"), said);
    return bad || turned || (since === null && until === null) ? null : { last: 0, since, until };
  }

  /** Shows only this stretch. @param {Range} range */
  choose(range) {
    byId("log-jump-menu").hidePopover();
    this.range = range;
    this.dispatchEvent(new Event("change"));
    this.show();
  }

  /** All of the log is shown again. */
  clear() {
    if (this.isAll) return;
    this.range = ALL;
    this.dispatchEvent(new Event("change"));
  }

  /** As an address has it. @param {URLSearchParams} params @returns {boolean} whether it is another one */
  restore(params) {
    const before = JSON.stringify(this.range);
    const last = Number(params.get("last"));
    const [since, until] = ["since", "until"].map((name) => {
      const ms = Date.parse(params.get(name) ?? "");
      return Number.isNaN(ms) ? null : ms;
    });
    if (since !== null || until !== null) this.range = { last: 0, since, until };
    else this.range = last > 0 && last <= 525_600 ? { ...ALL, last } : ALL;
    return JSON.stringify(this.range) !== before;
  }

  /** @param {URLSearchParams} params */
  write(params) {
    for (const name of NAMES) params.delete(name);
    const { last, since, until } = this.range;
    if (last) params.set("last", String(last));
    if (since !== null) params.set("since", fromMs(since));
    if (until !== null) params.set("until", fromMs(until));
  }

  /** @param {Range} range */
  #words(range) {
    return words(range, this.view.settings.utc);
  }

  get isAll() {
    const { last, since, until } = this.range;
    return !last && since === null && until === null;
  }

  /**
   * Shows what it is a range of; all of the log where it is none.
   * @param {import("./navigation.js").Place | null} [place] where the reader comes back to
   */
  show(place = null) {
    const { span } = this.view;
    if (this.isAll) return void span.leave(place);
    const { last, since, until } = this.range;
    const from = last ? Date.now() - last * 60_000 : (since ?? 0);
    void span.show(from, until, this.#words(this.range), place);
  }
}

/** @param {Range} range @param {boolean} utc */
function words({ last, since, until }, utc) {
  const time = (/** @type {number} */ ms) => formatTime(ms, utc);
  if (last) {
    const known = [t("Last 15 minutes"), t("Last hour"), t("Last 24 hours"), t("Last 7 days")];
    return known[LAST.indexOf(last)] ?? t("Last {n} minutes", { n: last });
  }
  if (since === null) return t("Until {time}", { time: time(until ?? 0) });
  if (until === null) return t("From {time} on", { time: time(since) });
  return t("{from} to {to}", { from: time(since), to: time(until) });
}
