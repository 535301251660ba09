// How often over time, above the lines of a log: entries by their levels in what is looked at, the whole
// log or a stretch of it, with what happened to the app. Counted by the server while it is looked at; what
// comes live is added here. Only loaded where the reader wants it.

import { Problem } from "../lib/api.js";
import { byId, h, setText } from "../lib/dom.js";
import { formatNumber, t, tn } from "../lib/i18n.js";
import { throttle } from "../lib/throttle.js";
import { entriesOf } from "./extents.js";
import { describe, isQuiet } from "./events.js";
import { Histogram } from "./histogram.js";
// What the page has already stays one file, and is not parted into what both need.
import "./log_source.js";
import "./log_view.js";
import { countOf, PATIENCE } from "./match_total.js";
import { appOf, seqInApp } from "./merged_log.js";
import { messages } from "./search_stream.js";
import { TimeCounts } from "./time_counts.js";
import { exact, timeOfDay, toMs } from "./times.js";

/** @typedef {import("./log_view.js").LogView} LogView */
/** @typedef {import("./entry.js").Row} Row */
/** @typedef {import("./entry.js").LogEvent} LogEvent */
/** @typedef {import("./histogram.js").Bar} Bar */
/** @typedef {import("./histogram.js").Mark} Mark */
/** @typedef {Range | Counts | Ends} Message */
/**
 * @typedef {{ op: "range", start: string, width: number, bins: number, counts: "lines" | "entries",
 *   ends: { name: string, next: number }[] }} Range
 * @typedef {{ op: "counts", found: number, bins: import("./time_counts.js").TimeBin[], exact: boolean, looked: number,
 *   of: number, back_to: string | null }} Counts
 * @typedef {{ op: "end", found: number, exact: boolean, back_to: string | null, failed: unknown[] }} Ends
 */

const SETTLES = 300; // ms after which what is typed is counted
const DRAWN = 500; // ms between two drawings
const SEEN = 100; // ms between two looks at what is on the screen
const ANEW = 10_000; // ms that lie between two countings at least, for what did not come live
const DEAR = 10; // times as long as the last one took, too
const KEPT = 20_000; // lines that came while the server had not said yet what it counts

export class LogTimeline {
  #counts = new TimeCounts();
  #box = byId("log-timeline");
  #note = byId("log-timeline-note");
  #histogram;
  /** What the bars are of. @type {{ filter: unknown, since: string, until: string } | null} */
  #of = null;
  /** @type {AbortController | null} */
  #running = null;
  /** Lines that came live before it was known from where on they count. @type {Row[] | null} */
  #early = null;
  /** By app: lines from here on are not counted by the server. @type {Map<string, number>} */
  #ends = new Map();
  #counted = /** @type {"lines" | "entries"} */ ("lines");
  #exact = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #soon;
  #took = 0; // ms of the last counting
  #askedAt = 0;
  #open = true;
  /** What happened in all of its time. @type {Map<number, LogEvent>} */
  #events = new Map();
  #draws = throttle(DRAWN, () => this.#draw());
  // After the rows have been drawn: what is seen is known then.
  #sees = throttle(SEEN, () => requestAnimationFrame(() => this.#see()));
  #moved = () => this.#sees(true);

  /** @param {LogView} view */
  constructor(view) {
    this.view = view;
    this.#histogram = new Histogram(
      {
        box: byId("log-timeline-bars"),
        from: byId("log-timeline-from"),
        to: byId("log-timeline-to"),
        said: byId("log-timeline-marked"),
        seen: byId("log-timeline-seen"),
      },
      {
        go: (since) => this.#goTo(since),
        choose: (since, until) => view.choices.range?.choose({ last: 0, since, until }),
        words: (bar) => this.#words(bar),
        utc: () => view.settings.utc,
      },
    );
    this.#histogram.clear();
    const { feed } = view;
    feed.onLive = (rows) => this.#onLive(rows);
    view.cursor.total.share(true);
    for (const name of ["change", "state"]) feed.addEventListener(name, this.#look);
    view.rows.addEventListener("place", this.#moved);
    view.toolbar.addEventListener("settings", this.#anotherZone);
    document.addEventListener("visibilitychange", this.#look);
    this.#box.hidden = false;
    this.#look();
  }

  /** It costs nothing any more. */
  close() {
    this.#open = false;
    const { feed } = this.view;
    feed.onLive = null;
    for (const name of ["change", "state"]) feed.removeEventListener(name, this.#look);
    this.view.rows.removeEventListener("place", this.#moved);
    this.view.toolbar.removeEventListener("settings", this.#anotherZone);
    document.removeEventListener("visibilitychange", this.#look);
    this.#sees.cancel();
    clearTimeout(this.#soon);
    this.#running?.abort();
    this.#running = null;
    this.view.cursor.total.share(false);
    this.#draws.cancel();
    this.#histogram.clear();
    this.#box.hidden = true;
  }

  /** What is looked at may be something else now. */
  #look = () => {
    if (!this.#open || document.hidden) return;
    const { filter, bounds, known } = this.view.feed;
    if (!known) return;
    const [since, until] = [bounds?.since ?? "", bounds?.until ?? ""];
    const of = this.#of;
    if (of && of.filter === filter && of.since === since && of.until === until) {
      this.#draws(true);
      this.#sees(true);
      return;
    }
    this.#of = { filter, since, until };
    clearTimeout(this.#soon);
    this.#running?.abort();
    this.#running = null;
    this.#soon = setTimeout(() => void this.#count(), of ? SETTLES : 0);
  };

  /** What came did not come here: it is counted anew, now and then. */
  #anew() {
    if (this.#soon !== undefined && !this.#running) return;
    const wait = Math.max(ANEW, DEAR * this.#took) - (performance.now() - this.#askedAt);
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => void this.#count(), Math.max(0, wait));
  }

  /** @param {boolean} [whole] all of it, however long that takes */
  async #count(whole) {
    this.#soon = undefined;
    this.#running?.abort();
    const mine = (this.#running = new AbortController());
    const begun = (this.#askedAt = performance.now());
    this.#early = [];
    const { feed, cursor } = this.view;
    const params = countOf(feed);
    cursor.total.begins(params.toString());
    // Of what is looked for people want to know how often it is in all of the log.
    if (whole || feed.active.search) params.set("within", String(PATIENCE));
    this.#say(null);
    try {
      for await (const message of messages(`/api/v1/timeline?${params}`, mine.signal)) {
        if (this.#running !== mine) return;
        cursor.total.take(message);
        this.#take(message);
      }
    } catch (thrown) {
      if (this.#running !== mine) return;
      if (!(thrown instanceof Problem)) throw thrown;
      // What is drawn may stand.
      this.#early = null;
      this.#say(t("The server did not answer"), true);
    }
    this.#took = performance.now() - begun;
    this.#running = null;
  }

  /** @param {Message} message */
  #take(message) {
    switch (message.op) {
      case "range": {
        const { start, width, bins, counts, ends } = message;
        this.#counts.begin({ start: toMs(start), width: width * 1_000, bins });
        this.#counted = counts;
        this.#ends = new Map(ends.map(({ name, next }) => [name, next]));
        const early = this.#early ?? [];
        this.#early = null;
        this.#add(early);
        void this.#loadEvents();
        break;
      }
      case "counts":
        this.#exact = message.exact;
        this.#counts.set(message.bins);
        this.#draws(true);
        this.#histogram.countedFrom(message.back_to ? toMs(message.back_to) : -Infinity);
        break;
      default:
        this.#exact = message.exact;
        this.#draw();
        if (message.back_to) this.#sayRest(message.back_to);
        else this.#histogram.countedFrom(-Infinity);
    }
  }

  // What comes live

  /** @param {Row[] | null} rows null: some did not come */
  #onLive(rows) {
    if (this.#of?.until) return;
    if (!rows) return this.#anew();
    if (this.#early) {
      if (this.#early.length < KEPT) this.#early.push(...rows);
      return;
    }
    this.#add(rows);
    if (!document.hidden) this.#draws(true);
  }

  /** @param {Row[]} rows */
  #add(rows) {
    const { feed } = this.view;
    const { active, model, source } = feed;
    const search = active.search;
    const own = source.app;
    const fresh = rows.filter(
      (row) => row[3] !== "marker" && seqInApp(row) >= (this.#ends.get(appOf(row) || own) ?? 0),
    );
    const now = Date.now();
    for (const [its, level] of entriesOf(active.through(fresh, model.extents), model.extents)) {
      if (search && !its.some((row) => search.test(row[4]))) continue;
      const extent = model.extents.of(its[0]);
      const begins = !extent || extent[0] === its[0][0];
      // Of an entry that began before it is counted already.
      if (!begins && this.#counted === "entries") continue;
      const lines = this.#counted === "lines" ? its.length : 1;
      if (!this.#counts.add(its[0][1], begins ? level : null, now, lines)) return this.#anew();
    }
  }

  // What happened

  async #loadEvents() {
    const { feed } = this.view;
    const { since, until } = this.#of ?? { since: "", until: "" };
    try {
      const found = await feed.api.events(since, until);
      this.#events = new Map(found.map((event) => [event.id, event]));
    } catch (thrown) {
      // The bars stand without them.
      if (!(thrown instanceof Problem)) throw thrown;
    }
    this.#draws(true);
  }

  /** @param {import("./histogram.js").Axis} axis @returns {Map<number, Mark[]>} */
  #marks({ start, width, bins }) {
    /** @type {Map<number, Mark[]>} */
    const marks = new Map();
    for (const event of this.view.feed.events) this.#events.set(event.id, event);
    const many = this.view.feed.source.merged !== undefined;
    for (const event of this.#events.values()) {
      if (isQuiet(event)) continue;
      const at = Math.floor((toMs(event.time) - start) / width);
      if (at < 0 || at >= bins) continue;
      const { words, sign, tone } = describe(event);
      const when = timeOfDay(event.time, this.view.settings.utc).slice(0, 8);
      const said = [when, many ? event.app : "", words].filter(Boolean).join(" ");
      const its = marks.get(at);
      if (its) its.push({ words: said, sign, tone });
      else marks.set(at, [{ words: said, sign, tone }]);
    }
    return marks;
  }

  // What is seen

  #axis = "";
  #marked = "";

  #draw() {
    if (!this.#open || document.hidden || this.#early) return;
    const { axis } = this.#counts;
    const { anew, bars } = this.#counts.bars();
    const where = `${axis.start} ${axis.width}`;
    if (anew || where !== this.#axis) {
      this.#axis = where;
      this.#marked = "";
      this.#histogram.begin(axis);
    }
    this.#histogram.count(bars);
    this.#see();
    const marks = this.#marks(axis);
    const marked = JSON.stringify([...marks]);
    if (marked === this.#marked) return;
    this.#marked = marked;
    this.#histogram.mark(marks);
  }

  /** Where in it the reader is. */
  #see() {
    if (!this.#open || document.hidden) return;
    const { feed, rows } = this.view;
    const { entries } = feed.model;
    /** @type {number[]} */
    const times = [];
    for (const at of [rows.firstSeen, rows.lastSeen]) {
      for (const time of entries[at] ? timesOf(entries[at]) : []) {
        if (time) times.push(toMs(time));
      }
    }
    const live = rows.place.follow && feed.attached && !feed.bounds?.until;
    const seen = times.length > 0 && feed.known;
    this.#histogram.see(
      seen ? { from: Math.min(...times), until: Math.max(...times), live } : null,
    );
  }

  /** Times are read in UTC, or not any more. */
  #anotherZone = () => {
    this.#axis = "";
    if (!this.#early) this.#counts.again();
    this.#draw();
    this.#see();
  };

  /** @param {Bar} bar */
  #words({ count, errors, warnings }) {
    const n = formatNumber(count);
    const words = [
      this.#counted === "lines"
        ? tn("{n} line", "{n} lines", count, { n })
        : tn("{n} entry", "{n} entries", count, { n }),
    ];
    if (!this.#exact && this.#counted === "lines" && count)
      words[0] = t("about {n}", { n: words[0] });
    if (errors) words.push(tn("{n} error", "{n} errors", errors, { n: formatNumber(errors) }));
    if (warnings)
      words.push(tn("{n} warning", "{n} warnings", warnings, { n: formatNumber(warnings) }));
    return words.join(t(", "));
  }

  /** @param {string | null} words @param {boolean} [again] offers to try again */
  #say(words, again = false) {
    setText(this.#note, words ?? "");
    this.#note.hidden = words === null;
    if (words && again) this.#offer(t("Try again"), () => void this.#count());
  }

  /** @param {string} backTo */
  #sayRest(backTo) {
    this.#histogram.countedFrom(toMs(backTo));
    const time = exact(backTo, this.view.settings.utc);
    this.#say(t("Counted back to {time}", { time }));
    this.#offer(t("Count all of it"), () => void this.#count(true));
  }

  /** @param {string} words @param {() => void} run */
  #offer(words, run) {
    const button = h("button", { class: "small-action", type: "button", onclick: run }, words);
    this.#note.append(" ", button);
  }

  /** To the first line of a bar; where one was is a step back. @param {number} since ms since 1970 */
  #goTo(since) {
    this.view.url.leave();
    void this.view.nav.jumpTo(since);
  }
}

/**
 * When an entry began, and what its row stands for ended; "" where nobody knows.
 * @param {import("./entry.js").Entry} entry
 */
function timesOf({ time, more, run, folded }) {
  const last = run && !run.open && !folded ? run.time : "";
  return [time, more?.at(-1)?.[1] ?? "", last];
}
