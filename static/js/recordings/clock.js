// Moments and lengths of time as a player shows them, and as an address carries them. Pure.

/**
 * 3725 as 1:02:05. With `hours` also what is shorter, so that two of them line up.
 *
 * @param {number} seconds
 * @param {boolean} [hours]
 */
export function clock(seconds, hours = false) {
  const all = Math.max(0, Math.floor(seconds));
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  return h || hours ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/**
 * The moment that an address names: `#t=12.5`, `#t=1:02:05`. Null when it names none.
 *
 * @param {string} hash
 */
export function readMoment(hash) {
  const found = /^#?t=([\d:.]{1,20})$/.exec(hash);
  if (!found) return null;
  const parts = found[1].split(":").map(Number);
  if (parts.length > 3 || parts.some((n) => !Number.isFinite(n))) return null;
  return parts.reduce((sum, n) => sum * 60 + n, 0);
}

/**
 * The part of an address that leads to a moment.
 *
 * @param {number} seconds
 */
export function momentHash(seconds) {
  return `#t=${Math.max(0, Math.floor(seconds * 10) / 10)}`;
}
