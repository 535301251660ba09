// What the page says about itself: live, paused, behind, reconnecting; loading; nothing here.

import { byId, setAttribute, setText } from "../lib/dom.js";
import { formatNumber, t, tn } from "../lib/i18n.js";
import { silentSeconds } from "../live/reconnecting_socket.js";
import { live } from "../live/live_socket.js";
import { Problem } from "../lib/api.js";
import { toast } from "../lib/toast.js";

/** @typedef {import("./feed.js").Feed} Feed */
/** @typedef {import("./virtual_list.js").VirtualList} VirtualList */

const BEHIND_FROM = 500; // lines; fewer are on their way and shown in the next frames
const SLOW = 300; // ms before a wait is worth saying

export class StatusBar {
  #loadingSince = 0;
  #atStart = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #later;

  /**
   * @param {Feed} feed
   * @param {VirtualList} rows
   * @param {() => number} behind lines the server has and this page does not show yet
   */
  constructor(feed, rows, behind) {
    this.feed = feed;
    this.rows = rows;
    this.behind = behind;
    live.addEventListener("state", () => this.show());
    setInterval(() => (live.state !== "live" || live.silentSince !== null) && this.show(), 500);
    byId("log-top-stop").addEventListener("click", () => this.#stopOrGoOn());
  }

  show() {
    this.#showLive();
    this.#showNew();
    this.#showTop();
    this.#showEmpty();
    this.#showCounts();
  }

  #showLive() {
    const bar = byId("log-live");
    const behind = this.behind();
    const late = behind >= BEHIND_FROM ? behind : 0;
    live.setBehind(late);
    let state = this.rows.place.follow ? "live" : "paused";
    let words = state === "live" ? t("Live") : t("Paused");
    if (live.state === "waiting") {
      const seconds = Math.max(1, Math.ceil(((live.retryAt ?? 0) - Date.now()) / 1000));
      state = "waiting";
      words = this.#goesOn(
        tn("Connection lost, next try in {n} s", "Connection lost, next try in {n} s", seconds),
      );
    } else if (live.state === "connecting") {
      state = "connecting";
      words = this.feed.known ? this.#goesOn(t("Reconnecting")) : t("Connecting");
    } else if (live.state === "stopped") {
      state = "stopped";
      words = t("Ended");
    } else if (live.silentSince !== null) {
      state = "silent";
      words = this.#goesOn(t("No answer for {n} s", { n: silentSeconds(live.silentSince) }));
    } else if (late) {
      state = "behind";
      words = tn("{n} line behind", "{n} lines behind", late);
    }
    setAttribute(bar, "data-state", state);
    setText(byId("log-live-text"), words);
    const follow = byId("log-follow");
    const following = this.rows.place.follow;
    if (follow.getAttribute("aria-pressed") === String(following)) return;
    follow.setAttribute("aria-pressed", String(following));
    follow.querySelector("use")?.setAttribute("href", `#icon-${following ? "pause" : "follow"}`);
    follow.title = following ? t("Pause (space)") : t("Follow (f)");
    setText(byId("log-follow-text"), following ? t("Pause") : t("Follow"));
  }

  /** @param {string} words */
  #goesOn(words) {
    const { last } = this.feed.recent;
    return last
      ? `${words} · ${t("goes on after line {seq}", { seq: `#${formatNumber(last)}` })}`
      : words;
  }

  #showNew() {
    const button = byId("log-new");
    const { unseen, attached } = this.feed;
    const { follow } = this.rows.place;
    button.hidden =
      follow || (!unseen && attached) || (this.feed.bounds?.to ?? Infinity) < Infinity;
    const words = unseen ? tn("{n} new line", "{n} new lines", unseen) : t("To the end");
    setText(byId("log-new-text"), words);
  }

  #stopOrGoOn() {
    const { feed } = this;
    if (feed.look) feed.look.stop();
    else if (feed.loading === "open") feed.goToEnd();
    else feed.again();
  }

  #showTop() {
    const { feed, rows } = this;
    const pill = byId("log-top");
    const waiting = feed.look !== null || feed.loading === "older" || feed.loading === "open";
    if (!waiting) this.#loadingSince = 0;
    else this.#loadingSince ||= performance.now();
    const slow = waiting && performance.now() - this.#loadingSince >= SLOW;
    if (waiting && !slow && this.#later === undefined) {
      this.#later = setTimeout(() => {
        this.#later = undefined;
        this.show();
      }, SLOW);
    }
    const atTop = rows.top < 60 || rows.height <= rows.view;
    const seq = `#${formatNumber(feed.model.lo)}`;
    let words = "";
    let action = "";
    if (feed.problem) {
      words = problemWords(feed.problem);
      action = t("Try again");
    } else if (feed.look && slow) {
      words = lookWords(feed.look);
      action = t("Stop");
    } else if (feed.stopped && atTop && !feed.model.atStart) {
      words = t("Stopped looking back at line {seq}", { seq });
      action = t("Go on");
    } else if (slow && feed.loading === "open") {
      words = t("Loading lines …");
      action = t("Stop");
    } else if ((slow || this.#searching) && atTop && !feed.model.atStart) {
      words = this.#searching
        ? t("Looking for older lines, now at line {seq}", { seq })
        : t("Loading older lines …");
      action = t("Stop");
    }
    this.#sayStart(atTop);
    pill.hidden = words === "";
    setText(byId("log-top-text"), words);
    byId("log-top-stop").hidden = action === "";
    setText(byId("log-top-stop"), action);
  }

  /**
   * Says once that there is nothing before what is seen.
   * @param {boolean} atTop
   */
  #sayStart(atTop) {
    const { feed, rows } = this;
    const there = atTop && feed.model.atStart && !rows.place.follow && rows.height > rows.view;
    if (there && !this.#atStart) toast(t("This is the first line that is kept"));
    this.#atStart = there;
  }

  /** Whether history is read for lines that pass the filter and few do. */
  get #searching() {
    const { feed, rows } = this;
    return feed.loading === "older" && rows.height < rows.view;
  }

  #showEmpty() {
    const { feed } = this;
    const empty = byId("log-empty");
    const { entries, lines } = feed.model;
    // What happened to containers stands there although no line does.
    const some = lines > 0 || entries.some(({ row, gap }) => row || gap);
    const nothing = feed.known && !some && !feed.queue.count;
    // A feed without articles is none.
    byId("log-scroller").role = entries.length ? "feed" : "group";
    empty.classList.toggle("log-empty-below", entries.length > 0);
    empty.hidden = !nothing || (!feed.model.atStart && !feed.stopped);
    if (empty.hidden) return;
    const filtered = feed.active.passes !== null;
    setText(
      byId("log-empty-title"),
      filtered
        ? t("No line passes the filter")
        : feed.bounds
          ? t("Nothing was logged in this time")
          : t("Nothing logged yet"),
    );
    setText(
      byId("log-empty-text"),
      feed.bounds
        ? ""
        : filtered
          ? t("Lines that do will appear here as they come.")
          : feed.source.app || feed.source.merged
            ? t("What this app writes to its standard output appears here as it comes.")
            : t("What the deployment does appears here as it happens."),
    );
    byId("log-empty-clear").hidden = !filtered;
  }

  #showCounts() {
    const { feed } = this;
    const n = feed.model.lines;
    if (feed.source.merged) {
      setText(byId("log-loaded"), n ? tn("{n} line loaded", "{n} lines loaded", n) : "");
      return;
    }
    const { bounds } = feed;
    const to = Math.min(bounds?.to ?? Infinity, feed.recent.last + 1);
    const kept = Math.max(n, to - (bounds?.from ?? feed.first));
    const words =
      n === kept
        ? tn("{n} line, all loaded", "{n} lines, all loaded", n)
        : t("{n} of {kept} lines loaded", { n, kept });
    setText(byId("log-loaded"), n ? words : "");
  }
}

/** @param {import("./look.js").Look} look */
function lookWords({ what, at }) {
  const seq = `#${formatNumber(at)}`;
  if (what === "mark") {
    return at ? t("Looking for a mark, now at line {seq}", { seq }) : t("Looking for a mark …");
  }
  if (what === "moment") return t("Looking for that moment …");
  if (what === "match") {
    return at ? t("Looking for a match, now at line {seq}", { seq }) : t("Looking for a match …");
  }
  if (what === "error") {
    return at ? t("Looking for an error, now at line {seq}", { seq }) : t("Looking for an error …");
  }
  return at ? t("Looking for a warning, now at line {seq}", { seq }) : t("Looking for a warning …");
}

/** @param {unknown} problem */
function problemWords(problem) {
  if (problem instanceof Problem) {
    if (problem.status === 0) return t("The server did not answer");
    return problem.message || t("The server could not send these lines");
  }
  const said = /** @type {{ message?: unknown }} */ (problem ?? {}).message;
  return typeof said === "string" && said ? said : t("The server could not send these lines");
}
