// The log of several apps: pages by time from the store, and their live lines put in the order of
// their times. To the window they are one log: each line gets a number that grows with its time.

import { call } from "../lib/api.js";
import { live } from "../live/live_socket.js";
import { Extents } from "./extents.js";
import { NO_FILTER, serverFilter } from "./filter.js";
import { LogApi } from "./log_api.js";
import { cursorOf, numberOf, Numbers, timeOf } from "./line_numbers.js";

/** @typedef {import("./filter.js").Filter} Filter */
/** @typedef {import("./log_api.js").Page} Page */
/** @typedef {import("./log_model.js").Row} Row */
/** @typedef {import("../live/channels.js").Handlers} Handlers */
/** @typedef {import("../types/api.js").MergedLines} Answer */
/** @typedef {import("./line_numbers.js").Place} Place */
/** @typedef {import("../types/api.js").Extent} Extent */
/** @typedef {import("./levels.js").Level} Level */
/** @typedef {(method: "GET", path: string) => Promise<any>} Call */

const TAIL = 300; // lines it opens with
const SORTED = 120; // ms that live lines wait for others of the same moment
const MISSED = 2_000; // lines that are fetched where a channel left some out
export const APPS_LIVE = 50; // one socket follows so many logs

/** What the window asks, of several apps. */
export class MergedLog extends LogApi {
  numbers = new Numbers();
  /** The seq that each app's next live line has. @type {Map<string, number>} */
  #next = new Map();
  /** Where a page that found nothing more goes on. @type {Map<number, string>} */
  #cursors = new Map();
  /** @type {{ place: Place, row: Row, level: Level | null }[]} */
  #waiting = [];
  /** What belongs together of those. @type {{ app: string, extent: Extent }[]} */
  #told = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Handlers} */
  #handlers = {};
  /** Apps that are not followed live: there are too many. */
  notLive = 0;

  /**
   * @param {string[]} apps none: all of them
   * @param {Call} [ask]
   */
  constructor(apps, ask = call) {
    super("/api/v1", new Extents());
    this.apps = apps;
    this.ask = ask;
  }

  /**
   * @param {number} number
   * @param {Filter} filter
   * @param {number} limit
   * @returns {Promise<Page>}
   * @override
   */
  async before(number, filter, limit) {
    const place = this.numbers.placeOf(number);
    const before = this.#cursors.get(number) ?? (place ? cursorOf(place) : `${timeOf(number)}_0_`);
    const answer = await this.#page(filter, { before, limit: String(limit) });
    const whole = findsEntries(filter);
    const rows = this.#rows(answer, 0, number, whole);
    let lo = 1;
    if (answer.before !== null) {
      const begins = whole ? this.#numberAt(answer.before) : (rows[0]?.[0] ?? null);
      lo = Math.min(number - 1, begins ?? numberOf(answer.before.slice(0, 30)));
      if (whole || !rows.length) this.#remember(lo, answer.before);
    }
    return { rows, lo, hi: number - 1, first: 1, next: this.numbers.last + 1 };
  }

  /**
   * @param {number} number
   * @param {Filter} filter
   * @param {number} limit
   * @returns {Promise<Page>}
   * @override
   */
  async after(number, filter, limit) {
    const end = this.numbers.last;
    const [place, next] = [this.numbers.placeOf(number), this.numbers.placeOf(number + 1)];
    let after = this.#cursors.get(number) ?? `${timeOf(number + 1)}_0_`;
    if (place) after = cursorOf(place);
    else if (next) after = cursorOf({ ...next, seq: next.seq - 1 });
    const answer = await this.#page(filter, { after, limit: String(limit) });
    const whole = findsEntries(filter);
    const rows = this.#rows(answer, number, Infinity, whole);
    let hi = Math.max(end, number, rows.at(-1)?.[0] ?? 0);
    if (answer.after !== null) {
      const ends = whole ? this.#numberAt(answer.after) : (rows.at(-1)?.[0] ?? null);
      hi = Math.max(number + 1, ends ?? numberOf(answer.after.slice(0, 30)) - 1);
      if (whole || !rows.length) this.#remember(hi, answer.after);
    }
    return { rows, lo: number + 1, hi, first: 1, next: end + 1 };
  }

  /** @param {string} time @override */
  async seqAt(time) {
    return numberOf(time);
  }

  /**
   * @param {Filter} filter
   * @param {"text" | "jsonl" | "markdown"} format
   * @param {Record<string, string>} [part] chosen rows are asked for by their times
   * @override
   */
  downloadAddress(filter, format, part = {}) {
    const params = serverFilter(filter);
    for (const app of this.apps) params.append("app", app);
    const { after, before, ...span } = part;
    for (const [name, value] of Object.entries(span)) params.set(name, value);
    if (after && before) {
      params.set("since", this.#timeAt(Number(after) + 1));
      params.set("until", this.#timeAt(Number(before) - 1));
    }
    params.set("format", format);
    return `${this.base}/download?${params}`;
  }

  /**
   * @param {URLSearchParams} params
   * @override
   */
  eventsAddress(params) {
    for (const app of this.apps) params.append("app", app);
    return `${this.base}/events?${params}`;
  }

  /**
   * Where a line is, for an address.
   * @param {number} number
   */
  anchor(number) {
    return `T${this.numbers.placeOf(Math.floor(number))?.time ?? timeOf(number)}`;
  }

  /**
   * @param {Filter} filter
   * @param {Record<string, string>} range
   * @returns {Promise<Answer>}
   */
  #page(filter, range) {
    const params = serverFilter(filter);
    for (const app of this.apps) params.append("app", app);
    for (const [name, value] of Object.entries(range)) params.set(name, value);
    return this.ask("GET", `/api/v1/lines?${params}`);
  }

  /** @param {number} number */
  #timeAt(number) {
    return this.numbers.placeOf(number)?.time ?? timeOf(number);
  }

  /**
   * The number of the line that a cursor names, where it is known.
   * @param {string} cursor
   */
  #numberAt(cursor) {
    const [, seq, ...app] = cursor.split("_");
    return this.numbers.get(app.join("_"), Number(seq));
  }

  /**
   * The rows of a page that belong between these numbers. What comes live is left to come live. Of
   * `whole` entries all lines belong there, those too that stand beyond them.
   * @param {Answer} answer
   * @param {number} above
   * @param {number} below
   * @param {boolean} [whole]
   * @returns {Row[]}
   */
  #rows(answer, above, below, whole = false) {
    /** @type {{ place: Place, line: Answer["lines"][number], level: Level | null }[]} */
    const found = [];
    const begun = whole ? this.#begunBeforeLive(answer) : null;
    for (const [i, line] of answer.lines.entries()) {
      const app = answer.apps[line[5]].name;
      const [seq, time] = line;
      const known = this.numbers.get(app, seq);
      if (known === null && seq >= this.#nextOf(app) && !begun?.(line)) continue;
      if (!whole && known !== null && (known <= above || known >= below)) continue;
      found.push({ place: { time, app, seq }, line, level: answer.levels[i] ?? null });
    }
    const given = this.numbers.give(
      found.map((one) => one.place),
      whole ? 0 : above,
      whole ? Infinity : below,
    );
    const rows = found.map(({ place, line, level }, i) => rowOf(given[i], line, level, place.app));
    const told = answer.entries.map(([app, ...extent]) => ({ app: answer.apps[app].name, extent }));
    this.extents.add(this.#numbered(told, rows));
    return rows;
  }

  /**
   * Whether a line is of an entry that began before what comes live.
   * @param {Answer} answer
   * @returns {(line: Answer["lines"][number]) => boolean}
   */
  #begunBeforeLive({ apps, entries }) {
    const begun = entries.filter(([app, first]) => first < this.#nextOf(apps[app].name));
    return (line) =>
      begun.some(
        ([app, first, last, , container, stream]) =>
          app === line[5] &&
          container === line[2] &&
          stream === line[3] &&
          line[0] >= first &&
          line[0] <= last,
      );
  }

  /**
   * What belongs together, by the numbers that its lines have here, as far as they are known.
   * @param {{ app: string, extent: Extent }[]} told
   * @param {Row[]} rows
   * @returns {Extent[]}
   */
  #numbered(told, rows) {
    if (!told.length) return [];
    /** @type {Map<string, Row[]>} */
    const streams = new Map();
    for (const row of rows) {
      const key = `${appOf(row)} ${row[2]} ${row[3]}`;
      const its = streams.get(key);
      if (its) its.push(row);
      else streams.set(key, [row]);
    }
    /** @type {Extent[]} */
    const found = [];
    for (const { app, extent } of told) {
      const [first, last, level, container, stream] = extent;
      const its = (streams.get(`${app} ${container} ${stream}`) ?? []).filter(
        (row) => seqInApp(row) >= first && seqInApp(row) <= last,
      );
      if (!its.length) continue;
      const from = Math.min(its[0][0], this.numbers.get(app, first) ?? Infinity);
      const to = Math.max(its[its.length - 1][0], this.numbers.get(app, last) ?? 0);
      found.push([from, to, level, container, stream]);
    }
    return found;
  }

  /** @param {string} app */
  #nextOf(app) {
    return this.#next.get(app) ?? Infinity;
  }

  /** @param {number} number @param {string} cursor */
  #remember(number, cursor) {
    this.#cursors.set(number, cursor);
    if (this.#cursors.size > 1000) this.#cursors.clear();
  }

  // Live

  /**
   * The end of the log, and from there on what comes.
   * @param {Handlers} handlers
   */
  follow(handlers) {
    this.#handlers = handlers;
    void this.#open();
  }

  async #open() {
    /** @type {Answer} */
    let answer;
    try {
      answer = await this.#page(NO_FILTER, { limit: String(TAIL) });
    } catch (error) {
      this.#handlers.error?.(/** @type {any} */ (error));
      setTimeout(() => void this.#open(), 5_000);
      return;
    }
    for (const { name, next } of answer.apps) this.#next.set(name, Infinity);
    const rows = this.#rows(answer, 0, Infinity);
    for (const { name, next } of answer.apps) this.#next.set(name, next);
    const last = this.numbers.last;
    this.#handlers.subscribed?.({ channel: "", first: 1, next: rows.length ? last + 1 : 1 });
    this.#handlers.lines?.(rows, { channel: "", lines: rows });
    // Those that wrote last are the likeliest to write.
    const newest = new Map(answer.lines.map((line) => [answer.apps[line[5]].name, line[1]]));
    const order = answer.apps.toSorted((a, b) =>
      (newest.get(a.name) ?? "") > (newest.get(b.name) ?? "") ? -1 : 1,
    );
    this.notLive = Math.max(0, order.length - APPS_LIVE);
    for (const { name, next } of order.slice(0, APPS_LIVE)) this.#subscribe(name, next);
  }

  /**
   * An app that was not there when the log was opened.
   * @param {string} app
   */
  add(app) {
    if (!this.#next.size || this.#next.has(app) || this.#next.size >= APPS_LIVE) return;
    this.#next.set(app, 1);
    this.#subscribe(app, 1);
  }

  /** @param {string} app @param {number} next */
  #subscribe(app, next) {
    live.subscribe(
      `log/${app}`,
      { after: next - 1 },
      {
        lines: (rows, { levels, entries }) => this.#onLines(app, rows, levels, entries),
        gap: (gap) => void this.#onGap(app, gap),
      },
    );
  }

  /**
   * @param {string} app
   * @param {Row[]} rows
   * @param {readonly (Level | null)[]} [levels]
   * @param {readonly Extent[]} [extents]
   */
  #onLines(app, rows, levels = [], extents = []) {
    for (const [i, row] of rows.entries()) {
      const place = { time: row[1], app, seq: row[0] };
      this.#waiting.push({ place, row, level: levels[i] ?? null });
      this.#next.set(app, row[0] + 1);
    }
    for (const extent of extents) this.#told.push({ app, extent });
    this.#timer ??= setTimeout(() => this.#give(), SORTED);
  }

  /** Lines of one moment by their times, whichever app they are of. */
  #give() {
    this.#timer = undefined;
    const waiting = this.#waiting.sort((a, b) => compare(a.place, b.place));
    this.#waiting = [];
    const fresh = waiting.filter(({ place }) => this.numbers.get(place.app, place.seq) === null);
    const given = this.numbers.give(
      fresh.map((one) => one.place),
      this.numbers.last,
      Infinity,
    );
    const rows = fresh.map(({ place, row, level }, i) => rowOf(given[i], row, level, place.app));
    const entries = this.#numbered(this.#told, rows);
    this.#told = [];
    this.#handlers.lines?.(rows, { channel: "", lines: rows, entries });
  }

  /**
   * What a channel left out is fetched, as far as that is little.
   * @param {string} app
   * @param {{ from: number, to: number, reason: string }} gap
   */
  async #onGap(app, { from, to, reason }) {
    this.#next.set(app, Math.max(this.#nextOf(app), to + 1));
    if (reason === "expired") return;
    const range = `after=${from - 1}&before=${to + 1}&limit=${MISSED}`;
    try {
      const path = `/api/v1/apps/${encodeURIComponent(app)}/lines?${range}`;
      const { lines, levels, entries } = await this.ask("GET", path);
      if (lines.length) this.#onLines(app, lines, levels, entries);
    } catch {
      // It is in the history: whoever scrolls back finds it.
    }
  }
}

/**
 * Whether what passes this filter are entries, which are given whole.
 * @param {Filter} filter
 */
function findsEntries(filter) {
  const params = serverFilter(filter);
  return params.has("q") || params.has("level");
}

/**
 * @param {number} number
 * @param {readonly unknown[]} line
 * @param {Level | null} level
 * @param {string} app
 */
function rowOf(number, line, level, app) {
  return /** @type {Row} */ (
    /** @type {unknown} */ ([number, ...line.slice(1, 5), level, app, line[0]])
  );
}

/**
 * The seq that a row of a merged log has in its app's.
 * @param {Row} row
 */
export function seqInApp(row) {
  return Number(/** @type {readonly unknown[]} */ (row)[7] ?? row[0]);
}

/** @param {Place} a @param {Place} b */
function compare(a, b) {
  if (a.time !== b.time) return a.time < b.time ? -1 : 1;
  if (a.app !== b.app) return a.app < b.app ? -1 : 1;
  return a.seq - b.seq;
}

/**
 * Which app a row of a merged log is of.
 * @param {Row} row
 * @returns {string} "" in the log of one app
 */
export function appOf(row) {
  return /** @type {string | undefined} */ (/** @type {readonly unknown[]} */ (row)[6]) ?? "";
}
