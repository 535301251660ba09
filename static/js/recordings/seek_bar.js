// The seek bar of a recording: where it is, what is loaded, pauses, marks; by pointer and by keys.

import { byId, h, setAttribute, setChildren, setText } from "../lib/dom.js";
import { formatDuration, t } from "../lib/i18n.js";
import { formatPosition } from "./timeline.js";

/** @typedef {import("./player.js").Player} Player */

const MOST = 400; // pauses drawn; more would be a grey bar

export class SeekBar {
  #bar = byId("replay-seek");
  #here = byId("replay-here");
  #ticks = byId("replay-ticks");
  #hint = byId("replay-hint");
  #drawn = "";

  /**
   * @param {Player} player
   * @param {(time: number) => void} go
   */
  constructor(player, go) {
    this.player = player;
    this.go = go;
    const bar = this.#bar;
    bar.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      bar.setPointerCapture(event.pointerId);
      bar.focus();
      go(this.#timeAt(event));
    });
    bar.addEventListener("pointermove", (event) => {
      this.#showHint(event);
      if (bar.hasPointerCapture(event.pointerId)) go(this.#timeAt(event));
    });
    bar.addEventListener("pointerleave", () => (this.#hint.hidden = true));
  }

  /** @param {PointerEvent} event */
  #timeAt(event) {
    const { left, width } = this.#bar.getBoundingClientRect();
    const part = Math.max(0, Math.min(1, (event.clientX - left) / width));
    const { timeline, recording } = this.player;
    return Math.min(recording.duration, timeline.toReal(part * timeline.length));
  }

  /** @param {PointerEvent} event */
  #showHint(event) {
    const time = this.#timeAt(event);
    const { left, width } = this.#bar.getBoundingClientRect();
    this.#hint.hidden = false;
    setText(this.#hint, formatPosition(time, this.player.recording.duration >= 3600));
    this.#hint.style.left = `${Math.max(16, Math.min(width - 16, event.clientX - left))}px`;
  }

  /** Draws where it is. */
  show() {
    const { player } = this;
    const { timeline, recording } = player;
    const at = player.target ?? player.at;
    const { length } = timeline;
    this.#here.style.width = `${length ? Math.min(100, (timeline.toShown(at) / length) * 100) : 0}%`;
    const hours = recording.duration >= 3600;
    setAttribute(this.#bar, "aria-valuemax", String(Math.round(recording.duration)));
    setAttribute(this.#bar, "aria-valuenow", String(Math.round(at)));
    const words = t("{at} of {all}", {
      at: formatPosition(at, hours),
      all: formatPosition(recording.duration, hours),
    });
    setAttribute(this.#bar, "aria-valuetext", words);
    this.#showTicks();
  }

  #showTicks() {
    const { timeline, recording } = this.player;
    const { length, pauses, limit } = timeline;
    const as = `${length} ${pauses.length} ${recording.markers.length} ${limit}`;
    if (as === this.#drawn) return;
    this.#drawn = as;
    const place = (/** @type {number} */ shown) => `${length ? (shown / length) * 100 : 0}%`;
    const ticks = pauses.slice(0, MOST).map(({ from, to }) => {
      const tick = h("i", { class: "replay-pause", title: pauseWords(to - from) });
      tick.style.left = place(timeline.toShown(from));
      tick.style.width = place(limit);
      return tick;
    });
    for (const { time, label } of recording.markers) {
      const tick = h("i", { class: "replay-mark", title: markWords(label) });
      tick.style.left = place(timeline.toShown(time));
      ticks.push(tick);
    }
    setChildren(this.#ticks, ticks);
  }
}

/** @param {number} seconds */
export function pauseWords(seconds) {
  return t("A pause of {time}", { time: formatDuration(seconds) });
}

/**
 * What the server marks in a recording.
 *
 * @param {string} label
 */
export function markWords(label) {
  const [kind, why = ""] = label.split(/:\s*/, 2);
  if (kind !== "recording-stopped") return label;
  switch (why) {
    case "limit":
      return t("Recording stopped: it had become as large as one may.");
    case "slow":
      return t("Recording stopped: the disk was too slow for it.");
    case "failed":
      return t("Recording stopped: the disk could not be written.");
    case "disk-full":
      return t("Recording stopped: the disk was full.");
    default:
      return t("Recording stopped before the terminal ended.");
  }
}
