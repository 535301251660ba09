// How long a disk lasts if it goes on as in the last day: said only when that is a line. Pure.

const DAY = 86_400;
const LEAST = 6 * 3_600; // seconds that have to be known
const FEW = 12; // measurements
const FAR = 90; // days: beyond, nobody knows

/**
 * A line through what was used, by least squares; then when it meets the limit. Nothing is said of a
 * disk that does not fill, of one that has been watched too shortly, or whose use goes up and down so
 * much that its line might be half as steep or twice.
 *
 * @param {[number, number | null][]} used seconds since 1970, bytes
 * @param {number} limit bytes
 * @returns {number | null} days
 */
export function daysUntilFull(used, limit) {
  const known = /** @type {[number, number][]} */ (used.filter(([, bytes]) => bytes !== null));
  if (known.length < FEW) return null;
  const [first] = known[0];
  const [last, now] = known[known.length - 1];
  if (last - first < LEAST || now >= limit) return null;
  const n = known.length;
  const meanX = known.reduce((sum, [time]) => sum + (time - first), 0) / n;
  const meanY = known.reduce((sum, [, bytes]) => sum + bytes, 0) / n;
  let xx = 0;
  let xy = 0;
  for (const [time, bytes] of known) {
    xx += (time - first - meanX) ** 2;
    xy += (time - first - meanX) * (bytes - meanY);
  }
  const slope = xy / xx; // bytes a second
  if (slope <= 0) return null;
  let left = 0;
  for (const [time, bytes] of known) left += (bytes - meanY - slope * (time - first - meanX)) ** 2;
  // Measurements that follow each other are off together: counted as a quarter of what they are.
  const error = Math.sqrt(left / (n - 2) / xx) * 2;
  if (slope - 2 * error <= 0 || slope + 2 * error > 2 * (slope - 2 * error)) return null;
  const days = (limit - now) / slope / DAY;
  return days <= FAR ? days : null;
}
