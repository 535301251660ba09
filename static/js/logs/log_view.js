// A log in its window: joins what fills it (feed), what draws it (rows) and what the reader does. What
// the page holds for it is in templates/log_view.html.

import { afterPaint, byId, readData } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { inventory } from "../live/inventory.js";
import { live } from "../live/live_socket.js";
import { LogChoices } from "./log_choices.js";
import { LogSpan } from "./log_span.js";
import { Feed } from "./feed.js";
import { readFilter, readLine, sameLines } from "./filter.js";
import { MarksBar } from "./marks_bar.js";
import { Navigation } from "./navigation.js";
import { PartialLines } from "./partial_lines.js";
import { RowCursor } from "./row_cursor.js";
import { RowRange } from "./row_range.js";
import { StatusBar } from "./status_bar.js";
import { Instances } from "./instances.js";
import { loadViewSettings, saveViewSettings, setUpJump, Toolbar } from "./toolbar.js";
import { bindKeys } from "./keyboard.js";
import { copyEntry, copySelections, linesOf } from "./copying.js";
import { Repeats } from "./repeats.js";
import { drawEntry } from "./row_view.js";
import { VirtualList } from "./virtual_list.js";
import { copyAndSay } from "../lib/toast.js";
import { setUpDownload } from "./download_menu.js";
import { ScrollMarks } from "./scroll_marks.js";

/** @typedef {import("./log_model.js").Entry} Entry */

const FRAME = 4; // ms of a frame that taking lines in may use: the rest is for drawing
const FLOOD = 50; // ms between two drawings while what is seen is another screen each time
const NEAR = 1_500; // px from the edge of the window at which more is loaded
const ROW = 20; // px, as in logs/log.css
const MARKER = 28;
const CHAR = 7.83; // px a character of the log's font is wide, about; only for guessing heights

export class LogView {
  settings = loadViewSettings();
  /** @type {number | null} */
  linked = null;

  #partial = new PartialLines();
  #framed = true; // until the page has been painted with its first lines
  #drawAt = 0; // not to be drawn before, as performance.now() counts: lines run by
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #later;

  /** @param {import("./log_source.js").LogSource} source */
  constructor(source) {
    this.app = source.app;
    const params = new URLSearchParams(location.search);
    this.linked = readLine(location.hash, params);
    this.feed = new Feed(source, readFilter(params), this.settings, () => this.rows.reader);
    this.toolbar = new Toolbar(this.feed.filter, this.settings, () => this.focusRows());
    this.instances = new Instances(this.app, this.feed, this.toolbar);
    this.scroller = byId("log-scroller");
    const repeats = new Repeats(() => this.settings);
    const slice = byId("log-slice");
    this.rows = new VirtualList(this.scroller, byId("log-space"), slice, this.feed.model, {
      draw: (entry) => drawEntry(entry, this.#context()),
      guess: (entry) => this.#guess(entry),
      arrange: (from) => repeats.arrange(this.feed.model.entries, this.feed.model.atStart, from),
      measured: (entry) => entry.open || this.settings.wrap || entry.kind !== "line",
    });
    this.nav = new Navigation(this);
    this.cursor = new RowCursor(this.feed, this.rows, {
      changed: () => this.schedule(),
      openAt: (seq) => this.nav.openAt(seq),
      leaves: () => void this.nav.begin(),
    });
    this.range = new RowRange(this);
    this.marksBar = new MarksBar(this);
    this.span = new LogSpan(this);
    this.choices = new LogChoices(this);
    this.url = this.choices.url;
    this.statusBar = new StatusBar(this.feed, this.rows, () => this.#behind());
    this.marks = new ScrollMarks(
      /** @type {HTMLCanvasElement} */ (byId("log-ticks")),
      this.rows,
      (index) => this.cursor.goTo(this.feed.model.entries[index]),
    );
    this.#listen(slice);
    this.#applySettings();
    this.#showInstances();
    bindKeys(this);
    if (this.linked !== null) this.rows.stayAt(this.linked);
  }

  start() {
    this.feed.open(null, readData("log-lines"));
    if (this.app) this.#partial.follow(this.app, () => this.schedule());
    this.choices.start();
    // At once, so that the next paint has lines; what is said about them comes after it.
    this.feed.takeIn(FRAME);
    this.rows.grown();
    this.rows.render(true);
    afterPaint(() => {
      this.#framed = false;
      this.schedule();
    });
  }

  /** @param {HTMLElement} slice */
  #listen(slice) {
    const { feed, rows, toolbar } = this;
    feed.addEventListener("change", () => {
      rows.changed();
      this.schedule();
    });
    feed.addEventListener("state", () => this.schedule());
    feed.addEventListener("instance", () => this.#showInstances());
    rows.addEventListener("place", () => {
      if (rows.place.follow) feed.seen();
      feed.forgetProblem();
      this.url.changed();
      this.schedule();
    });
    toolbar.addEventListener("filter", (event) =>
      this.#onFilter(/** @type {CustomEvent} */ (event).detail.typing),
    );
    toolbar.addEventListener("settings", () => this.#onSettings());
    slice.addEventListener("click", (event) => this.#onClick(event));
    slice.addEventListener("resized", () => {
      rows.changed();
      this.schedule();
    });
    copySelections(slice, (element) => linesOf(rows.entryOf(element), feed.model, this.settings));
    new ResizeObserver(() => {
      if (this.settings.wrap) rows.redrawAll();
      rows.changed();
      this.schedule();
    }).observe(this.scroller);
    document.addEventListener("visibilitychange", () => this.schedule());
    document.addEventListener("selectionchange", () => this.#onSelection());
    live.addEventListener("state", () => this.schedule());
    inventory.addEventListener("apps", () => this.#showInstances());
    byId("log-follow").addEventListener("click", () => this.toggleFollow());
    byId("log-new").addEventListener("click", () => this.nav.follow());
    byId("log-next").addEventListener("click", () => this.cursor.nextMatch(1));
    byId("log-previous").addEventListener("click", () => this.cursor.nextMatch(-1));
    byId("log-empty-clear").addEventListener("click", () => byId("log-clear").click());
    setUpDownload(this);
    setUpJump(
      (ms) => void this.nav.jumpTo(ms),
      () => this.settings.utc,
    );
  }

  // Drawing

  schedule() {
    if (document.hidden) return;
    const { follow } = this.rows.place;
    // Who leaves the end of a flood sees that at once.
    if (this.#later !== undefined && !follow) {
      clearTimeout(this.#later);
      this.#later = undefined;
      this.#framed = false;
    }
    if (this.#framed) return;
    this.#framed = true;
    const wait = follow ? this.#drawAt - performance.now() : 0;
    if (wait <= 0) requestAnimationFrame(() => this.#frame());
    else {
      this.#later = setTimeout(() => {
        this.#later = undefined;
        requestAnimationFrame(() => this.#frame());
      }, wait);
    }
  }

  #frame() {
    this.#framed = false;
    const { feed, rows } = this;
    const flood = this.#drawAt > 0;
    const taken = feed.takeIn(flood ? 3 * FRAME : FRAME);
    if (taken) rows.grown();
    if (feed.trim(feed.reader())) rows.grown();
    rows.render(feed.attached);
    // Nobody reads what runs by: drawn as often as it can be it takes a processor, and keys wait for it.
    const many = taken > rows.view / ROW / 2;
    this.#drawAt = many && rows.place.follow ? performance.now() + FLOOD : 0;
    this.#loadMore();
    this.cursor.focus();
    this.statusBar.show();
    this.#partial.show(feed, rows.place.follow, this.#context());
    this.cursor.showCount();
    this.marksBar.count();
    this.marks.changed();
    if (rows.place.follow) feed.seen();
    if (feed.queue.count) this.schedule();
  }

  #loadMore() {
    const { feed, rows } = this;
    if (feed.loading || !feed.known) return;
    // What is looked for may be far back: it is read on while there is not a screen of it.
    if (rows.top < NEAR) void feed.loadOlder();
    if (rows.height - rows.top - rows.view < NEAR) void feed.loadNewer();
  }

  /** @returns {import("./row_view.js").DrawContext} */
  #context() {
    return {
      settings: this.settings,
      search: this.marksBar.marks.beside(this.feed.active.marks),
      columns: this.choices.columns,
      many: this.instances.many,
      ofMany: this.feed.source.merged !== undefined,
      instance: (container, app) => this.instances.of(container, app),
      cursor: this.cursor.entry,
      chosen: (entry) => this.range.has(entry),
      linked: this.linked,
      act: (action, entry, value) => this.#act(action, entry, value),
    };
  }

  /** @param {Entry} entry */
  #guess(entry) {
    if (entry.kind !== "line") return MARKER;
    if (!this.settings.wrap || !entry.row) return ROW;
    const columns = Math.max(20, (this.scroller.clientWidth - 180) / CHAR);
    return ROW * Math.max(1, Math.ceil(Math.min(entry.row[4].length, 10_240) / columns));
  }

  #behind() {
    const { feed } = this;
    const next = inventory.apps.get(this.app)?.next ?? 0;
    const coming =
      live.state === "live" && feed.recent.last ? Math.max(0, next - 1 - feed.recent.last) : 0;
    return Math.max(feed.queue.count, coming);
  }

  #showInstances() {
    const { instances } = this;
    const many = instances.many;
    instances.show();
    if (many !== instances.many) {
      this.rows.repaint();
      this.choices.drawColumns();
    }
    this.schedule();
  }

  // What the reader does

  /** @param {boolean} typing */
  #onFilter(typing) {
    this.useFilter();
    this.url.now(typing);
  }

  /** Shows what the tool bar says. */
  useFilter() {
    const { feed, rows } = this;
    const reader = rows.place.follow ? null : this.#readerSeq();
    const same = sameLines(feed.filter, this.toolbar.filter);
    // Of what is under way the lines may be others now.
    if (!same) this.nav.begin(true);
    feed.setFilter(this.toolbar.filter, reader);
    if (!same) this.range.leaveAll();
    rows.repaint();
    rows.changed();
    this.schedule();
  }

  #onSettings() {
    const before = this.settings;
    this.settings = this.toolbar.settings;
    saveViewSettings(this.settings);
    this.#applySettings();
    const { feed, rows, settings } = this;
    if (before.events !== settings.events) feed.setShowEvents(settings.events);
    if (before.traces !== settings.traces) {
      feed.setFolding(settings.traces);
      feed.reload(rows.place.follow ? null : this.#readerSeq());
    }
    rows.redrawAll();
    this.schedule();
  }

  #applySettings() {
    byId("log").classList.toggle("log-wrap", this.settings.wrap);
    this.choices.drawColumns();
  }

  #readerSeq() {
    const { place } = this.rows;
    return place.follow ? this.feed.recent.last : Math.max(1, Math.floor(place.seq));
  }

  /** @param {MouseEvent} event */
  #onClick(event) {
    const target = /** @type {Element} */ (event.target);
    if (target.closest("a, button, summary, input, .detail")) return;
    // A click that ends a selection is not meant for the row.
    if (getSelection()?.isCollapsed === false) return;
    const entry = this.rows.entryOf(target);
    if (!entry?.row || entry.kind === "marker") return;
    this.range.clear();
    this.cursor.set(entry);
    this.cursor.toggle(entry);
  }

  #onSelection() {
    const selection = getSelection();
    if (!selection || selection.isCollapsed) return;
    // Lines that run away under a selection cannot be copied.
    if (selection.anchorNode && this.scroller.contains(selection.anchorNode)) this.rows.pause();
  }

  /** Enter: opens the row the keys are at, or loads the gap. */
  enter() {
    const { entry } = this.cursor;
    if (entry?.gap) this.#act("load-gap", entry);
    else this.cursor.open();
  }

  focusRows() {
    this.scroller.focus({ preventScroll: true });
  }

  toggleFollow() {
    if (this.rows.place.follow) this.rows.pause();
    else this.nav.follow();
  }

  /** @param {boolean} link */
  copyCursor(link) {
    const { entry } = this.cursor;
    if (!link && !this.range.isEmpty) this.range.copy();
    else if (entry) this.#act(link ? "copy-link" : "copy", entry);
  }

  /**
   * @param {string} action
   * @param {Entry} entry
   * @param {unknown} [value]
   */
  #act(action, entry, value) {
    /** @type {Record<string, () => void>} */
    const actions = {
      copy: () => void copyEntry(entry, this.feed.model),
      spread: () => this.cursor.spread(entry),
      "copy-text": () => void copyAndSay(String(value), t("Copied")),
      "copy-link": () => void copyAndSay(this.url.of(entry.seq), t("Link copied")),
      "load-gap": () => void this.feed.loadGap(entry),
      around: () => this.choices.around(entry),
      "filter-for": () => this.choices.filterFor(entry),
      with: () => this.choices.filterBy(value, false),
      without: () => this.choices.filterBy(value, true),
      column: () => this.choices.columns.toggle(String(value)),
      "only-instance": () => this.toolbar.set({ container: entry.row?.[2] ?? "" }),
    };
    actions[action]?.();
  }
}
