// Which two releases are compared while nobody has chosen others. Pure.

/** @typedef {{from: number | null, to: number | null}} Pair */

/**
 * What serves, else what was made last, and what served before it, else the one that is nearest by
 * its number: two different ones wherever there are two. Where nothing is older than what serves,
 * what was tried last since is what it is compared to: it would have followed.
 *
 * @param {number[]} numbers of the releases that there are, the newest first
 * @param {number | null} serving
 * @param {number | null} before what served before that
 * @param {Pair} wanted what somebody chose
 * @returns {Pair}
 */
export function chooseReleases(numbers, serving, before, wanted) {
  /** @param {number | null} one */
  const known = (one) => (one !== null && numbers.includes(one) ? one : null);
  const to = known(wanted.to) ?? known(serving) ?? numbers[0] ?? null;
  if (to === null) return { from: null, to };
  const its = to === serving && before !== to ? known(before) : null;
  const older = numbers.find((n) => n < to);
  const [last] = numbers;
  if (known(wanted.to) === null && known(wanted.from) === null && its === null) {
    if (older === undefined && last !== undefined) return { from: to, to: last };
  }
  const newer = numbers.findLast((n) => n > to);
  return { from: known(wanted.from) ?? its ?? older ?? newer ?? to, to };
}
