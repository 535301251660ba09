// The lane above the charts: a marker where something happened, its words on hover and focus, and the
// way to what it was.

import { h, setChildren } from "../lib/dom.js";
import { t, tn } from "../lib/i18n.js";
import { momentOf } from "./time_axis.js";

/** @typedef {import("./happenings.js").Marker} Marker */
/** @typedef {import("./happenings.js").Happening} Happening */

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
  /** @type {Marker[]} */
  markers = [];
  #since = 0;
  #until = 1;
  #tip = h("div", { class: "metric-tip", hidden: true });
  #marks = h("div", { class: "metric-marks", role: "list" });
  /** @type {HTMLElement | null} whose words are shown until something else is pressed */
  #held = null;

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
        this.#held.focus();
        this.#release();
      }
    });
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
    const same =
      markers.length === this.markers.length &&
      markers.every((one, n) => isSame(one, this.markers[n]));
    this.markers = markers;
    if (!same) {
      this.#release();
      setChildren(
        this.#marks,
        markers.map((marker) => this.#mark(marker)),
      );
    }
    [...this.#marks.children].forEach((child, n) => {
      const part = (markers[n].moment - since) / (until - since);
      /** @type {HTMLElement} */ (child).style.left = `${(100 * part).toFixed(3)}%`;
    });
  }

  /** The crosshair is there: what happened at that moment is said. @param {number | null} moment */
  near(moment) {
    if (this.#held) return;
    const seconds = ((this.#until - this.#since) * HIT) / Math.max(1, this.#marks.clientWidth);
    const at =
      moment === null
        ? -1
        : this.markers.findIndex((one) => Math.abs(one.moment - moment) <= seconds);
    if (at < 0) this.#hide();
    else this.#show(at);
  }

  /** @param {Marker} marker */
  #mark(marker) {
    const first = marker.all[0];
    const many = marker.all.length > 1;
    const words = many
      ? tn("{n} event", "{n} events", marker.all.length)
      : `${momentOf(first.moment, 1)} ${first.words}`;
    const button = h(
      "button",
      {
        class: "metric-mark",
        type: "button",
        "aria-label": words,
        "aria-expanded": "false",
        dataset: { tone: marker.tone },
        onclick: () => this.#press(button),
        onpointerenter: () => this.#held || this.#show(this.#indexOf(button)),
        onpointerleave: () => this.#held || this.#hide(),
        onfocus: () => this.#held || this.#show(this.#indexOf(button)),
        onblur: () => this.#held || this.#hide(),
      },
      h("span", { "aria-hidden": "true" }, many ? String(marker.all.length) : first.sign),
    );
    return h("div", { class: "metric-mark-place", role: "listitem" }, button);
  }

  /** @param {Element} button */
  #indexOf(button) {
    return [...this.#marks.children].findIndex((child) => child.contains(button));
  }

  /** Leads to what happened; where that are several, or a place of its own, there is a choice first. @param {HTMLElement} button */
  #press(button) {
    const at = this.#indexOf(button);
    if (this.#held === button) return this.#release();
    this.#release();
    this.#show(at);
    this.#held = button;
    button.setAttribute("aria-expanded", "true");
    this.#tip.classList.add("held");
  }

  #release() {
    this.#held?.setAttribute("aria-expanded", "false");
    this.#held = null;
    this.#tip.classList.remove("held");
    this.#hide();
  }

  /** @param {number} at */
  #show(at) {
    const marker = this.markers[at];
    if (!marker) return;
    setChildren(
      this.#tip,
      marker.all.slice(0, 12).map((one) => this.#line(one)),
    );
    const left = marker.all.length - 12;
    if (left > 0)
      this.#tip.append(h("p", { class: "faint" }, tn("and {n} more", "and {n} more", left)));
    this.#tip.hidden = false;
    const part = (marker.moment - this.#since) / (this.#until - this.#since);
    const room = this.lane.clientWidth - this.#tip.offsetWidth;
    const place =
      this.#marks.offsetLeft + part * this.#marks.clientWidth - this.#tip.offsetWidth / 2;
    this.#tip.style.left = `${Math.round(Math.max(0, Math.min(room, place)))}px`;
  }

  #hide() {
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
  return a.all.length === b.all.length && a.all[0].event.id === b.all[0].event.id;
}
