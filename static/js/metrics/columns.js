// Series as they are asked for and as they come live, put side by side for a chart: one column of
// moments, and for each series least, mean and most at each of them. Pure.
//
// Two ways in which there is nothing at a moment: `null` is not measured, and breaks the line;
// `undefined` was not due (one series is measured each second, its neighbour every 5 s) and does not.

/** @typedef {import("../types/api.js").Line} Row */
/** @typedef {Record<string, string>} Labels */
/** A point: moment, least, mean, most. @typedef {[number, number | null, number | null, number | null]} Point */
/** @typedef {(number | null | undefined)[]} Column */

/**
 * One series as it is kept here.
 *
 * @typedef {object} Kept
 * @property {string} name
 * @property {string} unit
 * @property {Labels} labels
 * @property {number} width seconds that a point is of
 * @property {number} [apart] how far two points may be from each other that are joined, in seconds;
 *   two widths where it is not said
 * @property {Point[]} points by time
 */

/** What a chart draws. @typedef {{ times: number[], least: Column[], mean: Column[], most: Column[] }} Columns */

/** What one series is known by. @param {string} name @param {Labels} labels */
export function keyOf(name, labels) {
  const own = Object.keys(labels).sort();
  return [name, ...own.map((label) => `${label}=${labels[label]}`)].join("\0");
}

/**
 * Puts series side by side. Where a series has no point for longer than it may there is a null of
 * it: whoever draws does not join what lies before and after.
 *
 * @param {Kept[]} series
 * @returns {Columns}
 */
export function columns(series) {
  const whole = series.map(({ points, width, apart }) => withGaps(points, width, apart));
  const times = [...new Set(whole.flat().map(([time]) => time))].sort((a, b) => a - b);
  const place = new Map(times.map((time, at) => [time, at]));
  /** @param {1 | 2 | 3} part */
  const part = (part) =>
    whole.map((points) => {
      /** @type {Column} */
      const column = new Array(times.length).fill(undefined);
      for (const point of points) column[/** @type {number} */ (place.get(point[0]))] = point[part];
      return column;
    });
  return { times, least: part(1), mean: part(2), most: part(3) };
}

/**
 * @param {Point[]} points
 * @param {number} width
 * @param {number} [limit]
 * @returns {Point[]}
 */
export function withGaps(points, width, limit = 2 * width) {
  /** @type {Point[]} */
  const whole = [];
  let before = Infinity;
  for (const point of points) {
    if (point[0] - before > limit) whole.push([before + width, null, null, null]);
    whole.push(point);
    before = point[0];
  }
  return whole;
}

/**
 * A series that comes as often as its program likes: what lies between two of its samples is not
 * missing. How often that is, its points say themselves: half of them are no further from the one
 * before. Where one is missing, that is further than half as much again.
 *
 * @param {Kept} series
 * @returns {Kept}
 */
export function spaced(series) {
  const { points, width } = series;
  const measured = points.filter(([, , mean]) => mean !== null);
  const apart = measured.slice(1).map(([time], n) => time - measured[n][0]);
  apart.sort((a, b) => a - b);
  const usual = apart[apart.length >> 1] ?? 0;
  // Of two points nobody knows; and what comes with every point has nothing between.
  if (apart.length < 2 || usual <= width) return series;
  return { ...series, points: measured, apart: 1.5 * usual + width };
}

/**
 * Each on top of those before it. Where one was not measured there is no sum, nor above it.
 *
 * @param {Column[]} parts
 * @returns {Column[]}
 */
export function stacked(parts) {
  /** @type {Column | null} */
  let below = null;
  return parts.map((part) => {
    const under = below;
    below = part.map((value, at) => {
      if (!under) return value;
      const base = under[at];
      if (value === undefined || base === undefined) return undefined;
      return value === null || base === null ? null : value + base;
    });
    return below;
  });
}

/** The live points of one app: what came of the last minutes, each second more. */
export class LiveSeries {
  /** @type {Map<string, Kept>} */
  all = new Map();
  /** The newest moment that anything came of, 0 before. */
  newest = 0;

  /** @param {number} seconds how much is kept */
  constructor(seconds) {
    this.seconds = seconds;
  }

  /**
   * All that is known, anew.
   *
   * @param {{ name: string, unit: string, labels: Labels, step: number, end: number, values: (number | null)[] }[]} series
   * @param {number} time
   */
  begin(series, time) {
    this.all.clear();
    this.newest = time;
    for (const { name, unit, labels, step, end, values } of series) {
      const first = end - (values.length - 1) * step;
      const points = values.map((value, n) => pointOf(first + n * step, value));
      this.all.set(keyOf(name, labels), { name, unit, labels, width: step, points });
    }
  }

  /**
   * One second more. A series that was not there before is there from now on.
   *
   * @param {[string, Labels, number | null][]} samples
   * @param {number} time
   * @param {(name: string) => { unit: string, step: number }} describe a new one's
   */
  add(samples, time, describe) {
    this.newest = Math.max(this.newest, time);
    for (const [name, labels, value] of samples) {
      const key = keyOf(name, labels);
      let one = this.all.get(key);
      if (!one) {
        const { unit, step } = describe(name);
        one = { name, unit, labels, width: step, points: [] };
        this.all.set(key, one);
      }
      const last = one.points[one.points.length - 1];
      if (last && last[0] >= time) continue;
      one.points.push(pointOf(time, value));
    }
    for (const [key, { points }] of this.all) {
      let old = 0;
      while (old < points.length && points[old][0] <= this.newest - this.seconds) old++;
      if (old) points.splice(0, old);
      if (!points.length) this.all.delete(key);
    }
  }
}

/**
 * @param {number} time
 * @param {number | null} value
 * @returns {Point}
 */
function pointOf(time, value) {
  return [time, value, value, value];
}

/**
 * Where in the times this moment is: the nearest one; -1 where there are none.
 *
 * @param {number[]} times by time
 * @param {number} moment
 */
export function nearest(times, moment) {
  let low = 0;
  let high = times.length - 1;
  if (high < 0) return -1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < moment) low = middle + 1;
    else high = middle;
  }
  return low > 0 && moment - times[low - 1] <= times[low] - moment ? low - 1 : low;
}

/**
 * The value of a column at a moment, or the last one before it that is not older than `reach`: of a
 * series that is measured less often than its neighbours.
 *
 * @param {number[]} times
 * @param {Column} column
 * @param {number} at index
 * @param {number} reach seconds
 * @returns {number | null}
 */
export function valueAt(times, column, at, reach) {
  for (let n = at; n >= 0 && times[at] - times[n] <= reach; n--) {
    const value = column[n];
    if (value !== undefined) return value;
  }
  return null;
}

/**
 * The newest value of a column that is not older than that: what is read from the gateway's log comes some
 * seconds after what the kernel says of the same moment.
 *
 * @param {number[]} times
 * @param {Column} column
 * @param {number} age seconds
 * @returns {number | null}
 */
export function newestOf(times, column, age) {
  const last = times.length - 1;
  for (let n = last; n >= 0 && times[last] - times[n] <= age; n--) {
    const value = column[n];
    if (typeof value === "number") return value;
  }
  return null;
}
