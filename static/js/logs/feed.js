// What fills the window: the live end, history in both directions, events. Keeps the window
// without a seam and tells the page when something changed. Knows nothing of elements.

import { followEvents } from "../live/app_events.js";
import { live } from "../live/live_socket.js";
import { Events } from "./events.js";
import { withLevels } from "./extents.js";
import { ActiveFilter, NO_FILTER, sameLines } from "./filter.js";
import { LogApi } from "./log_api.js";
import { LineQueue, RecentLines } from "./line_queue.js";
import { LogModel } from "./log_model.js";
import { Look } from "./look.js";

/** @typedef {import("./filter.js").Filter} Filter */
/** @typedef {import("./log_model.js").Entry} Entry */
/** @typedef {import("./log_model.js").LogEvent} LogEvent */
/** @typedef {import("./log_model.js").Row} Row */

/**
 * Lines up to `next`, without a hole; `first` is the oldest seq that is kept.
 * @typedef {import("../types/api.js").Lines} FirstLines
 */

const TAIL = 300; // lines the page opens with
const PAGE = 500; // lines a request
const GAP_PAGE = 2_000; // lines a request: what is still missing then stays a gap
const CHUNK = 200; // lines between two looks at the timeOfDay

/**
 * Announces `change` when entries changed, `state` when only what it is doing did, `instance` when
 * a container wrote that had not before.
 */
export class Feed extends EventTarget {
  model = new LogModel();
  queue = new LineQueue();
  recent = new RecentLines();
  /** The window ends where the log ends now. */
  attached = true;
  /** The server has answered, so an empty window means an empty log. */
  known = false;
  first = 1;
  /** @type {"" | "older" | "newer" | "open"} */
  loading = "";
  /** @type {unknown} */
  problem = null;
  /** Looking further back was stopped by the reader. */
  stopped = false;
  /** Lines that pass the filter and came while nobody looked at the end. */
  unseen = 0;
  /** What the store is looked through for. @type {Look | null} */
  look = null;
  /** @type {Set<string>} */
  containers = new Set();
  /**
   * Told of lines that came live, whether they are shown or not; null for those that did not come.
   * @type {((rows: Row[] | null) => void) | null}
   */
  onLive = null;

  /** @type {Events} */
  #events;
  #newFrom = Infinity; // lines from here on came since the page was opened
  #job = 0; // grows when the window is filled anew: answers to older questions are dropped

  #stale = false; // what is loaded is of another filter, or of another stretch

  #folding;
  #showEvents;

  /**
   * @param {import("./log_source.js").LogSource} source
   * @param {Filter} filter
   * @param {{traces: boolean, events: boolean}} shown `traces`: folded
   * @param {() => number} reader index of the entry the reader is at
   */
  constructor(source, filter, { traces, events }, reader) {
    super();
    this.source = source;
    this.reader = reader;
    this.#folding = traces;
    this.#showEvents = events;
    this.api = source.merged ?? new LogApi(source.path, this.model.extents);
    this.api.extents = this.model.extents;
    this.#events = new Events(this.api);
    this.active = new ActiveFilter(filter);
    this.#useFilter();
  }

  /**
   * @param {number | null} seq the line to open at, null for the end
   * @param {FirstLines | null} [drawn] the end of the log as the page came with it
   */
  open(seq, drawn = null) {
    const begun = drawn !== null && drawn.lines.length > 0;
    if (begun) {
      this.first = drawn.first;
      this.known = true;
      this.#newFrom = drawn.next;
      this.model.extents.add(drawn.entries);
      this.queue.push(withLevels(drawn.lines, drawn.levels));
    }
    const { app, channel, also, merged } = this.source;
    /** @type {import("../live/channels.js").Handlers} */
    const handlers = {
      ...also,
      subscribed: (message) => this.#onSubscribed(message),
      lines: (rows, { levels, entries }) => {
        this.model.extents.add(entries ?? []);
        this.#onLines(withLevels(rows, levels));
      },
      gap: (message) => this.#onGap(message),
      error: (message) => {
        this.problem = message;
        this.#announce("state");
      },
    };
    if (merged) merged.follow(handlers);
    else live.subscribe(channel, begun ? { after: drawn.next - 1 } : { tail: TAIL }, handlers);
    if (app) followEvents(app, (event) => this.#onEvent(event));
    void this.#loadEvents();
    if (seq !== null) void this.openAt(seq);
  }

  /** @param {{ first?: number, next?: number }} message */
  #onSubscribed({ first = 1, next = 1 }) {
    if (!this.known) this.#newFrom = next;
    this.first = first;
    this.known = true;
    this.problem = null;
    if (this.recent.last && next <= this.recent.last) {
      // The data folder is another one: seqs start over, and what is shown is not what is kept.
      this.queue.clear();
      this.recent.restart(next - 1);
      this.model.extents.clear();
      this.goToEnd();
    }
    if (!this.recent.last && this.attached && next === first) {
      this.model.reset(next, true);
      this.recent.restart(next - 1);
      this.#placeEvents();
    }
    this.#announce("change");
  }

  /** @param {Row[]} rows */
  #onLines(rows) {
    if (!rows.length) return;
    this.queue.push(rows);
    // A hidden page gets no frames; what comes is put away as it comes.
    if (document.hidden && this.queue.count > 2 * CHUNK) {
      this.takeIn(Infinity);
      this.trim(this.reader());
    }
    this.#announce("state");
  }

  /** @param {{ from: number, to: number, reason: string }} gap */
  #onGap({ from, to, reason }) {
    if (reason === "expired") {
      this.takeIn(Infinity);
      if (to <= this.recent.last) return this.#onDeleted(to + 1);
    }
    this.queue.pushGap({ from, to, reason });
    this.#announce("state");
  }

  /**
   * Somebody deleted the log, what is shown of it as well: what came since is shown instead.
   * @param {number} first the oldest seq that is left
   */
  #onDeleted(first) {
    this.first = first;
    this.recent.forget(first);
    this.onLive?.(null);
    this.goToEnd();
  }

  /**
   * Takes what has come into the window, for so long at most.
   * @param {number} ms
   * @returns {number} how many lines and gaps that were
   */
  takeIn(ms) {
    const until = performance.now() + ms;
    let taken = 0;
    do {
      const part = this.queue.take(CHUNK);
      if (part === null) break;
      taken += Array.isArray(part) ? part.length : 1;
      if (Array.isArray(part)) this.#takeRows(part);
      else this.#takeGap(part);
    } while (performance.now() < until);
    if (taken) this.#placeEvents();
    return taken;
  }

  /** @param {Row[]} rows */
  #takeRows(rows) {
    if (rows[0][0] <= this.recent.last) rows = rows.filter((row) => row[0] > this.recent.last);
    if (!rows.length) return;
    const begins = this.recent.last === 0;
    this.recent.push(rows);
    this.onLive?.(rows);
    this.#see(rows);
    if (begins && this.attached) this.model.reset(rows[0][0], rows[0][0] <= this.first);
    const shown = this.active.passes ? this.#growing(rows) : rows;
    // Only what came since the page was opened is new.
    if (rows[0][0] >= this.#newFrom) this.unseen += shown.length;
    if (!this.attached) return;
    this.model.append(shown, rows[rows.length - 1][0]);
  }

  /**
   * Those of new lines that pass and are of entries that begin with them. An entry that began before
   * may pass, or not pass any more, because of its new lines: it is shown whole, or not at all.
   * @param {Row[]} rows
   */
  #growing(rows) {
    const { extents } = this.model;
    const grown = new Set(
      rows
        .map((row) => extents.of(row))
        .filter((extent) => extent !== null && extent[0] < rows[0][0]),
    );
    for (const extent of grown) {
      if (!extent || !this.attached) continue;
      const its = this.recent.of(extent);
      this.model.put(extent, this.active.through(its, extents));
    }
    const begun = grown.size ? rows.filter((row) => !grown.has(extents.of(row))) : rows;
    return this.active.through(begun, extents);
  }

  /** @param {import("./log_model.js").Gap} gap */
  #takeGap(gap) {
    this.recent.skip(gap.to);
    this.onLive?.(null);
    if (this.attached) this.model.appendGap(gap);
  }

  get filter() {
    return this.active.filter;
  }

  /** Of which stretch lines are shown; null: of all. */
  get bounds() {
    return this.api.bounds;
  }

  set bounds(bounds) {
    this.api.bounds = bounds;
    this.#stale = true;
    this.#announce("state");
  }

  #useFilter() {
    const { search } = this.active;
    this.model.use(this.#folding, search ? search.test : () => false);
  }

  /**
   * Shows other lines, or marks others, at the same place.
   * @param {Filter} filter
   * @param {number | null} reader seq the reader is at, null when following
   */
  setFilter(filter, reader) {
    const before = this.filter;
    this.look?.stop();
    this.active = new ActiveFilter(filter);
    this.#useFilter();
    if (sameLines(before, filter)) {
      this.model.markHits();
    } else if (sameLines(before, NO_FILTER) && this.loading !== "open") {
      // All lines were shown: those that stay are here already, and are shown in the same frame.
      const { passes } = this.active;
      // What is on its way was asked for without the filter.
      this.#job++;
      this.loading = "";
      if (passes) this.model.keep(passes);
      this.stopped = false;
    } else {
      this.#stale = true;
      this.reload(reader);
    }
    this.unseen = 0;
    this.#announce("change");
  }

  /** @param {number | null} reader seq the reader is at, null when following */
  reload(reader) {
    if (reader === null) this.goToEnd();
    else void this.openAt(reader);
  }

  /** @param {boolean} folding whether stack traces are folded */
  setFolding(folding) {
    this.#folding = folding;
    this.#useFilter();
  }

  /** Shows the end of the log. */
  goToEnd() {
    this.takeIn(Infinity);
    const { recent, model } = this;
    // The end is of no stretch that has one itself.
    if (this.bounds?.to !== Infinity) this.api.bounds = null;
    const begins = this.bounds?.from ?? 0;
    this.#begin();
    this.#stale = false;
    const from = Math.max(recent.from, begins);
    model.reset(from, from <= Math.max(this.first, begins));
    const rows = begins > recent.from ? recent.rows.filter((row) => row[0] >= begins) : recent.rows;
    model.append(this.active.through(rows, model.extents), recent.last);
    this.attached = true;
    this.unseen = 0;
    this.#placeEvents();
    this.#announce("change");
  }

  /**
   * Whether the line is in the window, and will be: one that is being filled anew is about to go.
   * @param {number} seq
   */
  holds(seq) {
    return this.loading !== "open" && !this.#stale && this.model.indexOf(seq) >= 0;
  }

  /** What is being opened is not wanted any more: what is loaded stays, where it is what is to be shown. */
  dropOpening() {
    if (this.loading !== "open" || this.#stale) return;
    this.#job++;
    this.loading = "";
    this.#announce("state");
  }

  #begin() {
    this.look?.stop();
    this.stopped = false;
    this.problem = null;
    this.loading = "";
    return ++this.#job;
  }

  /**
   * Shows the log around this line.
   * @param {number} seq
   * @returns {Promise<boolean>} false when something else was asked for meanwhile, or it failed
   */
  async openAt(seq) {
    const { bounds } = this;
    if (bounds && (seq < bounds.from || seq > bounds.to)) this.api.bounds = null;
    const job = this.#begin();
    this.loading = "open";
    this.#announce("state");
    const done = await this.#ask(job, () =>
      Promise.all([
        this.api.before(seq, this.filter, PAGE / 2),
        this.api.after(seq - 1, this.filter, PAGE),
      ]),
    );
    if (!done) return false;
    const [older, newer] = done;
    if (!this.bounds) this.first = newer.first;
    this.#see([...older.rows, ...newer.rows]);
    this.#stale = false;
    this.model.reset(seq);
    this.model.append(newer.rows, newer.hi);
    this.model.prepend(older.rows, older.lo, older.lo <= older.first);
    this.attached = false;
    this.#attach();
    this.#placeEvents();
    this.#announce("change");
    return true;
  }

  /**
   * @template T
   * @param {number} job
   * @param {() => Promise<T>} question
   * @returns {Promise<T | null>}
   */
  async #ask(job, question) {
    try {
      const answer = await question();
      if (job !== this.#job) return null;
      this.problem = null;
      this.loading = "";
      return answer;
    } catch (error) {
      if (job === this.#job) {
        this.loading = "";
        this.problem = error;
        this.#announce("state");
      }
      return null;
    }
  }

  /** @param {Row[]} rows */
  #see(rows) {
    for (const [, , container, stream] of rows) {
      if (stream === "marker" || this.containers.has(container)) continue;
      this.containers.add(container);
      this.#announce("instance");
    }
  }

  /** Older lines before the window, if there are any and nothing else is under way. */
  async loadOlder() {
    if (this.loading || this.model.atStart || this.stopped || this.problem || !this.known) return;
    if (this.attached && !this.recent.last) return;
    const job = this.#job;
    this.loading = "older";
    this.#announce("state");
    const page = await this.#ask(job, () => this.api.before(this.model.lo, this.filter, PAGE));
    if (!page) return;
    if (!this.bounds) this.first = page.first;
    this.#see(page.rows);
    this.model.prepend(page.rows, page.lo, page.lo <= page.first);
    void this.#loadEvents();
    this.#placeEvents();
    this.#announce("change");
  }

  /** Newer lines after the window, until it meets the live end. */
  async loadNewer() {
    if (this.attached || this.loading || this.problem) return;
    if (this.bounds && this.model.hi >= this.bounds.to - 1) return;
    const job = this.#job;
    this.loading = "newer";
    this.#announce("state");
    const page = await this.#ask(job, () => this.api.after(this.model.hi, this.filter, PAGE));
    if (!page) return;
    this.#see(page.rows);
    this.model.append(page.rows, page.hi);
    this.#attach();
    this.#placeEvents();
    this.#announce("change");
  }

  /** Joins the window to the live end when nothing is missing between them. */
  #attach() {
    this.takeIn(Infinity);
    const { recent, model, bounds } = this;
    if ((bounds && bounds.to !== Infinity) || !recent.last || model.hi < recent.from - 1) return;
    const rows = recent.rows.filter((row) => row[0] > model.hi);
    model.append(this.active.through(rows, model.extents), recent.last);
    this.attached = true;
  }

  /** Loads what a gap left out. @param {Entry} entry */
  async loadGap(entry) {
    const { gap } = entry;
    if (!gap || gap.loading) return;
    this.model.setLoading(entry, true);
    this.#announce("change");
    try {
      const limit = Math.min(GAP_PAGE, gap.to - gap.from + 1);
      const page = await this.api.after(gap.from - 1, this.filter, limit);
      this.model.fillGap(entry, page.rows, page.hi);
      this.problem = null;
    } catch (error) {
      this.model.setLoading(entry, false);
      this.problem = error;
    }
    this.#placeEvents();
    this.#announce("change");
  }

  /** The reader is at the end: nothing is new to them. */
  seen() {
    this.unseen = 0;
  }

  /** The reader has moved on from what went wrong. */
  forgetProblem() {
    this.problem = null;
  }

  /** Keeps the window bounded. @param {number} reader index of the entry the reader is at */
  trim(reader) {
    const end = this.model.trim(reader);
    if (end === "end") this.attached = false;
    return end !== "";
  }

  /**
   * Looks for something in the store, one thing at a time: another look, another filter and the
   * reader stop it.
   * @param {import("./look.js").Look["what"]} what
   * @param {1 | -1} direction
   * @param {(look: Look) => Promise<number | null>} question
   * @returns {Promise<{ seq: number | null, look: Look }>} the seq; null where there is none, or it was stopped
   */
  async lookFor(what, direction, question) {
    this.look?.stop();
    const look = (this.look = new Look(what, direction, () => this.#announce("state")));
    this.#announce("state");
    try {
      const seq = await question(look);
      return { seq: look.stopped ? null : seq, look };
    } catch (error) {
      if (!look.stopped) throw error;
      return { seq: null, look };
    } finally {
      if (this.look === look) this.look = null;
      this.#announce("state");
    }
  }

  /** The first line at or after this moment; null when it was stopped. @param {string} time RFC 3339 */
  async seqAt(time) {
    const question = (/** @type {Look} */ { signal }) => this.api.seqAt(time, signal);
    const { seq } = await this.lookFor("moment", 1, question);
    const { bounds } = this;
    if (seq === null || !bounds?.until || time < bounds.since || time > bounds.until) return seq;
    // After the last line of what is shown there is that line.
    return Math.max(bounds.from, Math.min(seq, bounds.to - 1));
  }

  /**
   * The nearest line outside the window that passes this filter, asked of the store.
   * @param {import("./look.js").Look["what"]} what
   * @param {Filter} filter
   * @param {1 | -1} direction
   */
  find(what, filter, direction) {
    const from = direction > 0 ? this.model.hi : this.model.lo;
    return this.lookFor(what, direction, (look) => this.api.nearest(filter, from, look));
  }

  /** @param {LogEvent} event */
  #onEvent(event) {
    if (!this.#events.add([event])) return;
    this.takeIn(Infinity);
    this.#placeEvents();
    this.#announce("change");
  }

  /** Asks for what has happened since: where no channel tells of it. */
  async moreEvents() {
    const newest = this.#events.of("").at(-1)?.time;
    if (newest === undefined) return this.#loadEvents();
    try {
      for (const event of await this.api.events(newest, "")) this.#onEvent(event);
    } catch {
      // With the next change it is asked again.
    }
  }

  /** What is known to have happened. */
  get events() {
    return this.#events.of("");
  }

  /** Events as far back as the window reaches. */
  async #loadEvents() {
    if (!this.source.app && !this.source.merged) return; // what happens to containers is an app's
    const oldest = this.model.entries.find((entry) => entry.row)?.time;
    if (!(await this.#events.load(oldest))) return;
    this.#announce("instance");
    this.#placeEvents();
    this.#announce("change");
  }

  #placeEvents() {
    if (!this.#showEvents || !this.known) return;
    const events = this.#events.of(this.filter.container);
    const { bounds } = this;
    this.model.placeEvents(
      bounds ? events.filter(({ time }) => isWithin(time, bounds)) : events,
      this.attached || bounds !== null,
    );
  }

  /** @param {boolean} show */
  setShowEvents(show) {
    this.#showEvents = show;
    if (show) this.#placeEvents();
    else this.model.dropEvents();
    this.#announce("change");
  }

  /** Tries again what failed; stops looking back, or goes on with it. */
  again() {
    this.stopped = this.problem === null && !this.stopped;
    this.problem = null;
    this.#announce("state");
  }

  /** @param {string} what */
  #announce(what) {
    this.dispatchEvent(new Event(what));
  }
}

/** @param {string} time @param {import("./log_api.js").Bounds} bounds */
function isWithin(time, { since, until }) {
  return time >= since && (!until || time < until);
}
