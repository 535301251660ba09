// Plays a recording onto a screen: at a speed, from any moment. Knows no page and no clock: ticks
// come in, text goes out, so that it can be tested without a browser.

import { sizeOf } from "./recording.js";

/** @typedef {import("./recording.js").Recording} Recording */
/** @typedef {import("./timeline.js").Timeline} Timeline */

/**
 * What is played onto. `write` is kept when the text has been taken in (not when it is drawn).
 * `keep` is what brings the screen back to how it is now, or null when it cannot tell.
 *
 * @typedef {{
 *   reset: (columns: number, rows: number) => void,
 *   resize: (columns: number, rows: number) => void,
 *   write: (text: string) => Promise<void>,
 *   keep: () => string | null,
 * }} Sink
 */

/** How the screen was before the event `index`. @typedef {{index: number, text: string, columns: number, rows: number}} Keyframe */

const SLICE = 262_144; // characters written in one go
const AHEAD = 1_048_576; // characters the screen may be behind before time waits for it
const KEY_EVERY = 4_194_304; // characters between two keyframes: less than a second of reading
const KEYS = 64; // keyframes at most; then every other one goes

export const SPEEDS = [0.5, 1, 2, 4, 8, 16];

/** Announces `change` (playing, speed, position) and `seek` (how far a long seek has come). */
export class Player extends EventTarget {
  /** Where it is, in recorded seconds. */
  at = 0;
  playing = false;
  speed = 1;
  /** Where a seek under way goes to, else null. @type {number | null} */
  target = null;
  /** 0 to 1: how much of a seek is done. */
  progress = 0;

  /** The next event to be shown. */
  #index = 0;
  #generation = 0;
  #pending = 0;
  /** The last write under way. @type {Promise<void>} */
  #last = Promise.resolve();
  #begun = false;
  /** @type {Keyframe[]} */
  #keys = [];
  #size = { columns: 80, rows: 24 };

  /**
   * @param {Recording} recording
   * @param {Timeline} timeline
   * @param {Sink} sink
   */
  constructor(recording, timeline, sink) {
    super();
    this.recording = recording;
    this.timeline = timeline;
    this.sink = sink;
  }

  /** Whether it stands at the end of all there is. */
  get ended() {
    return this.recording.complete && this.at >= this.recording.duration;
  }

  /** Whether it would go on if more of the recording were here. */
  get starved() {
    return this.playing && !this.recording.complete && this.#index >= this.recording.count;
  }

  play() {
    if (this.playing) return;
    this.playing = true;
    if (this.ended) void this.seek(0);
    this.#changed();
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.#changed();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  /** @param {1 | -1} step */
  stepSpeed(step) {
    const at = SPEEDS.indexOf(this.speed) + step;
    this.setSpeed(SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, at))]);
  }

  /** @param {number} speed */
  setSpeed(speed) {
    this.speed = speed;
    this.#changed();
  }

  /**
   * Time has passed.
   * @param {number} seconds since the last tick
   */
  tick(seconds) {
    if (!this.playing || this.target !== null) return;
    this.#begin();
    // A screen that is behind holds time back: what is shown is always what was at that moment.
    if (this.#pending > AHEAD) return;
    const { recording, timeline } = this;
    const shown = timeline.toShown(this.at) + seconds * this.speed;
    const wanted = Math.min(timeline.toReal(shown), recording.duration);
    const done = this.#show(recording.indexAt(wanted));
    this.at = Math.max(this.at, done ? wanted : (recording.times[this.#index - 1] ?? 0));
    if (this.ended) this.playing = false;
    this.#changed();
  }

  /**
   * Shows the screen as it was at a moment. A later seek ends an earlier one.
   * @param {number} time recorded seconds
   * @returns {Promise<boolean>} whether it got there
   */
  async seek(time) {
    const { recording } = this;
    const mine = ++this.#generation;
    const wanted = Math.max(0, Math.min(time, recording.duration));
    this.target = wanted;
    this.progress = 0;
    const to = recording.indexAt(wanted);
    try {
      // What is on its way to the screen would be drawn over what it is set to.
      await this.#last;
      if (mine !== this.#generation) return false;
      this.#goBack(to, wanted);
      const from = this.#readTo();
      const length = Math.max(1, (recording.ends[to - 1] ?? 0) - from);
      while (this.#index < to) {
        await this.#write(this.#gather(to));
        if (mine !== this.#generation) return false;
        this.progress = (this.#readTo() - from) / length;
        this.dispatchEvent(new Event("seek"));
      }
    } finally {
      if (mine === this.#generation) {
        this.target = null;
        this.at = wanted;
        this.#changed();
      }
    }
    return true;
  }

  /** Shows the first moment. */
  #begin() {
    if (this.#begun) return;
    this.#begun = true;
    this.#restore(null);
  }

  /**
   * To the nearest moment before an event from which it can be read on.
   * @param {number} to
   * @param {number} time
   */
  #goBack(to, time) {
    const key = this.#keys.findLast((one) => one.index <= to) ?? null;
    const forward = this.#begun && this.#index <= to && this.at <= time;
    if (forward && (key?.index ?? 0) <= this.#index) return;
    this.#begun = true;
    this.#restore(key);
  }

  /** @param {Keyframe | null} key */
  #restore(key) {
    const size = key ?? this.recording.size;
    this.#size = { columns: size.columns, rows: size.rows };
    this.sink.reset(size.columns, size.rows);
    this.#index = key?.index ?? 0;
    if (key) void this.#write(key.text);
  }

  /** Characters of output up to where it is. */
  #readTo() {
    return this.recording.ends[this.#index - 1] ?? 0;
  }

  /**
   * Shows events up to one, as many as one tick bears.
   * @param {number} to
   * @returns {boolean} whether all of them
   */
  #show(to) {
    if (this.#index >= to) return true;
    let room = AHEAD - this.#pending;
    while (this.#index < to && room > 0) {
      // A new size is for what is printed from then on.
      if (this.#pending && this.recording.kinds[this.#index] === "r") return false;
      const text = this.#gather(to);
      room -= text.length;
      void this.#write(text);
    }
    return this.#index >= to;
  }

  /**
   * The output of the next events, up to a slice; a new size ends it.
   * @param {number} to
   */
  #gather(to) {
    const { kinds, data } = this.recording;
    this.#keep();
    /** @type {string[]} */
    const parts = [];
    let length = 0;
    while (this.#index < to && length < SLICE) {
      const index = this.#index;
      if (kinds[index] === "r") {
        if (length) break;
        this.#resize(data[index]);
      } else {
        parts.push(data[index]);
        length += data[index].length;
      }
      this.#index++;
    }
    return parts.join("");
  }

  /** @param {string} text */
  #resize(text) {
    const size = sizeOf(text);
    if (!size) return;
    this.#size = size;
    this.sink.resize(size.columns, size.rows);
  }

  /** @param {string} text */
  #write(text) {
    if (!text) return Promise.resolve();
    this.#pending += text.length;
    this.#last = this.sink.write(text).finally(() => (this.#pending -= text.length));
    return this.#last;
  }

  /** Remembers the screen now and then, so that a way back is short. */
  #keep() {
    // What is written but not taken in yet would be missing in it.
    if (this.#pending) return;
    const before = this.#keys.at(-1)?.index ?? 0;
    const { ends } = this.recording;
    if (this.#index <= before) return;
    if (this.#readTo() - (ends[before - 1] ?? 0) < KEY_EVERY) return;
    const text = this.sink.keep();
    if (text === null) return;
    this.#keys.push({ index: this.#index, text, ...this.#size });
    if (this.#keys.length > KEYS) this.#keys = this.#keys.filter((_, i) => i % 2 === 1);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
