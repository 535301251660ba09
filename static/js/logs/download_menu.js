// What is shown as a file: all of it, the rows that are selected, or those of a time.

import { download, Problem } from "../lib/api.js";
import { byId, setText } from "../lib/dom.js";
import { formatNumber, t, tn } from "../lib/i18n.js";
import { toast } from "../lib/toast.js";
import { count, lastSeq } from "./entry.js";
import { membersOf } from "./repeats.js";
import { fromMs } from "./times.js";

/** @typedef {Pick<import("./log_view.js").LogView, "feed" | "rows" | "scroller" | "range">} View */
/** @typedef {import("./entry.js").Entry} Entry */

class DownloadMenu {
  #menu = byId("log-download-menu");
  #since = /** @type {HTMLInputElement} */ (byId("log-part-since"));
  #until = /** @type {HTMLInputElement} */ (byId("log-part-until"));
  /** The rows that were selected last: their first and last seq, and of several apps, which have
   * seqs of their own, their times. @type {{ part: Record<string, string>, lines: number } | null} */
  #selected = null;

  /** @param {View} view */
  constructor(view) {
    this.view = view;
    document.addEventListener("selectionchange", () => this.#onSelection());
    this.#menu.addEventListener("beforetoggle", (event) => {
      if (/** @type {ToggleEvent} */ (event).newState === "open") this.#show();
    });
    this.#menu.addEventListener("change", () => this.#showSpan());
    for (const item of this.#menu.querySelectorAll("[data-format]")) {
      item.addEventListener(
        "click",
        () => void this.#save(/** @type {any} */ (item).dataset.format),
      );
    }
    // Until now a click would have got nobody anything.
    /** @type {HTMLButtonElement} */ (byId("log-download")).disabled = false;
  }

  /** The rows of a selection stay chosen while the menu takes the focus; a click in the log ends that. */
  #onSelection() {
    const selection = getSelection();
    if (!selection?.anchorNode || !this.view.scroller.contains(selection.anchorNode)) return;
    this.#selected = selection.isCollapsed ? null : this.#rowsIn(selection.getRangeAt(0));
  }

  /** What is chosen by keys, else what is selected. */
  get #chosen() {
    return this.#partOf(this.view.range.entries) ?? this.#selected;
  }

  /** @param {Range} range @returns {{ part: Record<string, string>, lines: number } | null} */
  #rowsIn(range) {
    /** @type {Entry[]} */
    const entries = [];
    for (const element of byId("log-slice").children) {
      if (!range.intersectsNode(element)) continue;
      const entry = this.view.rows.entryOf(element);
      if (entry?.row) entries.push(...membersOf(entry, this.view.feed.model.entries));
    }
    return this.#partOf(entries);
  }

  /** @param {Entry[]} entries @returns {{ part: Record<string, string>, lines: number } | null} */
  #partOf(entries) {
    if (!entries.length) return null;
    const lines = entries.reduce((sum, entry) => sum + count(entry), 0);
    if (this.view.feed.source.merged) {
      const times = entries.map((entry) => entry.time).sort();
      return { part: { since: times[0], until: times[times.length - 1] }, lines };
    }
    const from = Math.min(...entries.map((entry) => entry.seq));
    const to = Math.max(...entries.map(lastSeq));
    return { part: { after: String(from - 1), before: String(to + 1) }, lines };
  }

  get #part() {
    return this.#radio(":checked")?.value ?? "all";
  }

  /** @param {string} which @returns {HTMLInputElement | null} */
  #radio(which) {
    return this.#menu.querySelector(`input[name="part"]${which}`);
  }

  #show() {
    const chosen = this.#chosen;
    byId("log-part-chosen").hidden = !chosen;
    if (chosen) {
      const n = chosen.lines;
      const words = tn("The {n} line that is selected", "The {n} lines that are selected", n, {
        n: formatNumber(n),
      });
      setText(byId("log-part-chosen-text"), words);
    }
    const radio = this.#radio(`[value="${chosen ? "chosen" : "all"}"]`);
    if (radio && (chosen || this.#part === "chosen")) radio.checked = true;
    const { bounds } = this.view.feed;
    const span = this.#radio('[value="span"]');
    // What is shown as a stretch of time is what is meant.
    if (bounds && !chosen && span) {
      span.checked = true;
      this.#since.value = local(Date.parse(bounds.since));
      this.#until.value = local(bounds.until ? Date.parse(bounds.until) : Date.now());
    } else if (!this.#since.value) {
      const now = Date.now();
      this.#since.value = local(now - 3_600_000);
      this.#until.value = local(now);
    }
    this.#showSpan();
  }

  #showSpan() {
    byId("log-part-span").hidden = this.#part !== "span";
  }

  /** @returns {Record<string, string> | null} null: it is no time */
  #asked() {
    const chosen = this.#chosen;
    if (this.#part === "chosen" && chosen) return chosen.part;
    if (this.#part !== "span") return {};
    const [since, until] = [this.#since, this.#until].map((field) => Date.parse(field.value));
    if (Number.isNaN(since) || Number.isNaN(until) || since > until) return null;
    return { since: fromMs(since), until: fromMs(until + 999) };
  }

  /** What is refused is said. @param {"text" | "jsonl" | "markdown"} format */
  async #save(format) {
    const { feed } = this.view;
    const part = this.#asked();
    if (!part) {
      this.#since.focus();
      return toast(t("It ends before it begins, or is no time"));
    }
    this.#menu.hidePopover();
    const { searchError } = feed.active;
    if (searchError && feed.filter.hide) return toast(searchError);
    try {
      await download(feed.api.downloadAddress(feed.filter, format, part));
    } catch (error) {
      toast((error instanceof Problem && error.message) || t("The server did not answer"));
    }
  }
}

/** @param {number} ms @returns {string} as a field for a time has it, in the reader's zone */
function local(ms) {
  const date = new Date(ms);
  return new Date(ms - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** @param {View} view */
export function setUpDownload(view) {
  new DownloadMenu(view);
}
