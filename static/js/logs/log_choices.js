// What a reader chose to see of a log beside its filter (columns, a time), and the address that says all of
// it: Back undoes what was chosen last.

import { onStep } from "../lib/address.js";
import { byId } from "../lib/dom.js";
import { Columns } from "./columns.js";
import { fieldRows } from "./entry.js";
import { AROUND, FieldPanel } from "./field_panel.js";
import { readFilter, readLine, readMoment, sameFilter } from "./filter.js";
import { fieldTerm } from "./query/language.js";
import { phraseFor } from "./search_phrase.js";
import { TimeRange } from "./time_range.js";
import { UrlState } from "./url_state.js";

/** @typedef {import("./entry.js").Entry} Entry */
/** @typedef {import("./log_view.js").LogView} LogView */

export class LogChoices {
  /** The address is where the choice comes from. */
  #stepping = false;
  /** Where the last step back or on led. */
  #steppedTo = "";

  /** @param {LogView} view */
  constructor(view) {
    this.view = view;
    const { app, merged } = view.feed.source;
    this.columns = new Columns(app || (merged ? "" : "deployment"));
    // Where the page has a time of its own, that counts.
    this.range = document.getElementById("log-range") ? new TimeRange(view) : null;
    this.range?.restore(new URLSearchParams(location.search));
    this.url = new UrlState(view.feed, view.rows, {
      linked: () => view.linked,
      place: () => view.nav.place,
      write: (params) => {
        this.columns.write(params);
        this.range?.write(params);
      },
    });
    this.columns.addEventListener("change", () => {
      this.drawColumns();
      view.rows.repaint();
      if (!this.#stepping) this.url.now();
      view.schedule();
    });
    this.range?.addEventListener("change", () => this.url.now());
    const { terms } = view.toolbar;
    new FieldPanel("log-fields", { rows: () => this.#inSight(), terms, columns: this.columns });
    onStep((params) => this.#onStep(params));
  }

  /** The lines around those in sight. */
  #inSight() {
    const { rows, feed } = this.view;
    const middle = Math.round((rows.firstSeen + rows.lastSeen) / 2);
    const from = Math.max(0, middle - AROUND / 2);
    return feed.model.entries
      .slice(from, from + AROUND)
      .flatMap((entry) => (entry.kind === "line" ? fieldRows(entry) : []));
  }

  /** What the address asked for from the first. */
  start() {
    const { view } = this;
    if (view.linked === null) this.#goToHash();
    else void view.nav.openAt(view.linked);
    addEventListener("hashchange", () => {
      // A step back or on has been made by then.
      if (location.href !== this.#steppedTo) this.#goToHash();
    });
    if (this.range && !this.range.isAll) this.range.show();
    // Those that were kept are a part of what a step back leads to.
    if (this.columns.names.length) this.url.changed();
  }

  /** To the line, or the moment, that the address names. @returns {boolean} whether it names one */
  #goToHash() {
    const seq = readLine(location.hash, new URLSearchParams());
    const moment = readMoment(location.hash);
    if (seq !== null) void this.view.nav.openAt(seq);
    else if (moment !== null) void this.view.nav.jumpTo(moment);
    return seq !== null || moment !== null;
  }

  /** Back, or on again: as the address says. @param {URLSearchParams} params */
  #onStep(params) {
    const { view } = this;
    const filter = readFilter(params);
    if (!sameFilter(filter, view.feed.filter)) {
      view.toolbar.restore(filter);
      view.useFilter();
    }
    this.#stepping = true;
    this.columns.restore(params);
    this.#stepping = false;
    this.url.stepped();
    this.#steppedTo = location.href;
    /** @type {import("./navigation.js").Place | null} */
    const place = history.state?.log ?? null;
    if (this.range?.restore(params)) this.range.show(place);
    else if (place) void view.nav.comeBack(place);
    else if (!this.#goToHash() && !view.rows.place.follow) view.nav.follow();
  }

  drawColumns() {
    const { settings, instances } = this.view;
    this.columns.drawHead(byId("log-heads"), settings, instances.many);
  }

  /** A value of a row becomes a term. @param {unknown} field its name and value @param {boolean} without */
  filterBy(field, without) {
    const [name, value] = /** @type {[string, string]} */ (field);
    this.view.toolbar.terms.add(fieldTerm(name, value, without));
  }

  /** Looks for what is selected in the row, else for the part of its text that others share. @param {Entry} entry */
  filterFor(entry) {
    const { toolbar } = this.view;
    toolbar.find.value = phraseFor(entry, getSelection()?.toString() ?? "");
    toolbar.set({ regex: false, capitals: false, hide: true });
  }

  /** What stands around a row, whatever the filter: its terms are switched off. @param {Entry} entry */
  around(entry) {
    const { toolbar } = this.view;
    const terms = toolbar.filter.terms.map(({ text }) => ({ text, off: true }));
    toolbar.set({ hide: false, terms, levels: [], container: "", stream: "" });
    void this.view.nav.openAt(entry.seq);
  }
}
