// The lane above the charts: a marker where something happened, its words on hover and focus, and the
// way to what it was.

import { h, setAttribute, setChildren, setText } from "../lib/dom.js";
import { t, tn } from "../lib/i18n.js";
import { momentOf } from "./time_axis.js";

/** @typedef {import("./happenings.js").Marker} Marker */
/** @typedef {import("./happenings.js").Happening} Happening */

/**
 * A marker as it stands in the page. What it stands for may change, its button is the same: who has the focus
 * on it or holds its words open keeps both.
 *
 * @typedef {object} Place
 * @property {Marker} marker
 * @property {HTMLElement} place
 * @property {HTMLElement} button
 */

const MOST = 12; // lines of one marker
const CLOSE = 14; // px between two markers
const HIT = 5; // px from the crosshair

/** @type {Record<import("./happenings.js").Tone, string>} */
export const COLOURS = {
  ok: "--ok",
  info: "--accent",
  warning: "--warn",
  error: "--bad",
};

export class EventLane {
  /** @type {Place[]} by time */
  #places = [];
  #since = 0;
  #until = 1;
  #tip = h("div", { class: "metric-tip", hidden: true });
  #marks = h("div", { class: "metric-marks", role: "list" });
  /** @type {Place | null} whose words are shown */
  #told = null;
  /** @type {Place | null} whose words are shown until something else is pressed */
  #held = null;
  /** The lines that are shown, by the event. @type {Map<number, HTMLElement>} */
  #lines = new Map();
  #more = h("p", { class: "faint" });

  /**
   * @param {HTMLElement} lane
   * @param {import("./happenings.js").Happenings} happenings
   * @param {(moment: number) => void} pick shows that moment
   */
  constructor(lane, happenings, pick) {
    this.lane = lane;
    this.happenings = happenings;
    this.pick = pick;
    lane.append(this.#marks, this.#tip);
    document.addEventListener("pointerdown", (event) => {
      if (!lane.contains(/** @type {Node} */ (event.target))) this.#release();
    });
    lane.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#held) {
        event.preventDefault();
        this.#held.button.focus();
        this.#release();
      }
    });
  }

  get markers() {
    return this.#places.map((one) => one.marker);
  }

  /**
   * @param {number} since
   * @param {number} until
   */
  draw(since, until) {
    this.#since = since;
    this.#until = until;
    const width = Math.max(1, this.#marks.clientWidth);
    const markers = this.happenings.markers(since, until, ((until - since) * CLOSE) / width);
    const free = new Set(this.#places);
    this.#places = markers.map((marker) => this.#placed(marker, free));
    if (this.#held && free.has(this.#held)) this.#release();
    if (this.#told && free.has(this.#told)) this.#hide();
    setChildren(
      this.#marks,
      this.#places.map((one) => one.place),
    );
    for (const { marker, place } of this.#places) {
      const part = (marker.moment - since) / (until - since);
      place.style.left = `${(100 * part).toFixed(3)}%`;
    }
  }

  /** The crosshair is there: what happened at that moment is said. @param {number | null} moment */
  near(moment) {
    if (this.#held) return;
    const seconds = ((this.#until - this.#since) * HIT) / Math.max(1, this.#marks.clientWidth);
    const at =
      moment === null
        ? undefined
        : this.#places.find((one) => Math.abs(one.marker.moment - moment) <= seconds);
    if (at) this.#show(at);
    else this.#hide();
  }

  /**
   * The place of a marker: the one in which one of its events stood before, where there is one.
   *
   * @param {Marker} marker
   * @param {Set<Place>} free those of before that nobody has yet
   */
  #placed(marker, free) {
    const ids = new Set(marker.all.map((one) => one.event.id));
    const before = [...free].find((one) => one.marker.all.some(({ event }) => ids.has(event.id)));
    const place = before ?? this.#place(marker);
    free.delete(place);
    const same = before && isSame(marker, before.marker);
    place.marker = marker;
    if (same) return place;
    const [first] = marker.all;
    const many = marker.all.length > 1;
    const words = many
      ? tn("{n} event", "{n} events", marker.all.length)
      : `${momentOf(first.moment, 1)} ${first.words}`;
    setAttribute(place.button, "aria-label", words);
    setAttribute(place.button, "data-tone", marker.tone);
    setText(place.button.children[0], many ? String(marker.all.length) : first.sign);
    if (place === this.#told) this.#say(marker);
    return place;
  }

  /** @param {Marker} marker */
  #place(marker) {
    const button = h(
      "button",
      {
        class: "metric-mark",
        type: "button",
        "aria-expanded": "false",
        onclick: () => this.#press(place),
        onpointerenter: () => this.#held || this.#show(place),
        onpointerleave: () => this.#held || this.#hide(),
        onfocus: () => this.#held || this.#show(place),
        onblur: () => this.#held || this.#hide(),
      },
      h("span", { "aria-hidden": "true" }),
    );
    /** @type {Place} */
    const place = {
      marker,
      button,
      place: h("div", { class: "metric-mark-place", role: "listitem" }, button),
    };
    return place;
  }

  /** Leads to what happened; where that are several, or a place of its own, there is a choice first. @param {Place} place */
  #press(place) {
    if (this.#held === place) return this.#release();
    this.#release();
    this.#show(place);
    this.#held = place;
    place.button.setAttribute("aria-expanded", "true");
    this.#tip.classList.add("held");
  }

  #release() {
    this.#held?.button.setAttribute("aria-expanded", "false");
    this.#held = null;
    this.#tip.classList.remove("held");
    this.#hide();
  }

  /** @param {Place} place */
  #show(place) {
    const { marker } = place;
    this.#told = place;
    this.#say(marker);
    this.#tip.hidden = false;
    const part = (marker.moment - this.#since) / (this.#until - this.#since);
    const room = this.lane.clientWidth - this.#tip.offsetWidth;
    const middle =
      this.#marks.offsetLeft + part * this.#marks.clientWidth - this.#tip.offsetWidth / 2;
    this.#tip.style.left = `${Math.round(Math.max(0, Math.min(room, middle)))}px`;
  }

  /** What is told of already stays in place, with the focus in it. @param {Marker} marker */
  #say(marker) {
    const told = marker.all.slice(0, MOST);
    this.#lines = new Map(
      told.map((one) => [one.event.id, this.#lines.get(one.event.id) ?? this.#line(one)]),
    );
    const left = marker.all.length - told.length;
    setText(this.#more, left > 0 ? tn("and {n} more", "and {n} more", left) : "");
    setChildren(this.#tip, [...this.#lines.values(), ...(left > 0 ? [this.#more] : [])]);
  }

  #hide() {
    this.#told = null;
    this.#tip.hidden = true;
  }

  /** @param {Happening} one */
  #line(one) {
    const { deployment } = one.event.data;
    const to =
      typeof deployment === "number"
        ? h(
            "a",
            { class: "small-action", href: `/deployments/${deployment}` },
            t("Show the deployment"),
          )
        : one.event.kind === "alert"
          ? h("a", { class: "small-action", href: "/alerts" }, t("Show the alert"))
          : null;
    const log = () => {
      this.#release();
      this.pick(one.moment);
    };
    return h(
      "p",
      { class: "metric-tip-line", dataset: { tone: one.tone } },
      h("span", { class: "metric-tip-sign", "aria-hidden": "true" }, one.sign),
      h("time", { class: "faint" }, momentOf(one.moment, 1)),
      h("span", null, one.words),
      to,
      h("button", { class: "small-action", type: "button", onclick: log }, t("Show the log there")),
    );
  }
}

/**
 * @param {Marker} a
 * @param {Marker} b
 */
function isSame(a, b) {
  return (
    a.all.length === b.all.length && a.all.every((one, n) => one.event.id === b.all[n].event.id)
  );
}
