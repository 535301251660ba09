// The ticks of a time axis and what is written at them, in the reader's own zone and language. Not
// left to uPlot: what it makes of a zone is wrong where that has summer time. Pure.

import { lazy, locale } from "../lib/i18n.js";

const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

/** Between two ticks, in seconds. */
const STEPS = [
  ...[1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14, 28].map((n) => n * DAY),
];

/**
 * The moments of the ticks: round ones by the reader's clock, also where that is set at night.
 *
 * @param {number} since seconds since 1970
 * @param {number} until
 * @param {number} room for how many there is
 * @returns {{ ticks: number[], step: number }}
 */
export function ticksOf(since, until, room) {
  const wanted = (until - since) / Math.max(1, room);
  const step = STEPS.find((one) => one >= wanted) ?? STEPS[STEPS.length - 1];
  /** @type {number[]} */
  const ticks = [];
  const midnight = new Date(since * 1000);
  midnight.setHours(0, 0, 0, 0);
  for (let day = 0; ; day += Math.max(1, step / DAY)) {
    const begins = dayAfter(midnight, day);
    if (begins > until) return { ticks, step };
    if (step >= DAY) {
      if (begins >= since) ticks.push(begins);
      continue;
    }
    const ends = dayAfter(midnight, day + 1);
    if (ends <= since) continue;
    const first = Math.max(0, Math.ceil((since - begins) / step) - (2 * HOUR) / step);
    for (let n = Math.floor(first); ; n++) {
      const moment = atClock(midnight, day, n * step);
      if (n * step >= DAY || moment > until) break;
      if (moment >= since && moment > (ticks[ticks.length - 1] ?? -Infinity)) ticks.push(moment);
    }
  }
}

/**
 * @param {Date} midnight
 * @param {number} days
 */
function dayAfter(midnight, days) {
  return atClock(midnight, days, 0);
}

/**
 * When the clock shows so many seconds after midnight of that day.
 *
 * @param {Date} midnight
 * @param {number} days
 * @param {number} seconds
 */
function atClock(midnight, days, seconds) {
  const date = new Date(
    midnight.getFullYear(),
    midnight.getMonth(),
    midnight.getDate() + days,
    Math.floor(seconds / HOUR),
    Math.floor((seconds % HOUR) / MINUTE),
    seconds % MINUTE,
  );
  return date.getTime() / 1000;
}

/** @param {Intl.DateTimeFormatOptions} options */
const formatter = (options) => lazy(() => new Intl.DateTimeFormat(locale, options));
const time = /** @type {const} */ ({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const toMinute = formatter(time);
const toSecond = formatter({ ...time, second: "2-digit" });
const toDay = formatter({ month: "short", day: "numeric" });
const whole = formatter({ month: "short", day: "numeric", ...time, second: "2-digit" });
const wholeMinute = formatter({ month: "short", day: "numeric", ...time });

/**
 * What is written at each tick: the time, and at the first of a day its date.
 *
 * @param {number[]} ticks
 * @param {number} step
 * @returns {string[]}
 */
export function labelsOf(ticks, step) {
  return ticks.map((tick) => {
    const date = new Date(tick * 1000);
    const midnight = !date.getHours() && !date.getMinutes() && !date.getSeconds();
    if (step >= DAY || midnight) return toDay().format(date);
    return (step < MINUTE ? toSecond : toMinute)().format(date);
  });
}

/**
 * From when to when, without saying twice what is the same.
 *
 * @param {number} since seconds since 1970
 * @param {number} until
 */
export function spanOf(since, until) {
  const format = until - since < 2 * HOUR ? whole() : wholeMinute();
  return format.formatRange(new Date(since * 1000), new Date(until * 1000));
}

/**
 * A moment in words, as exactly as what is shown of it.
 *
 * @param {number} moment seconds since 1970
 * @param {number} width how long a point is, in seconds
 */
export function momentOf(moment, width) {
  return (width < MINUTE ? whole : wholeMinute)().format(new Date(moment * 1000));
}
