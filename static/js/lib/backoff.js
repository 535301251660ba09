// How long to wait before the next try.

/**
 * Doubles from half a second to fifteen, with jitter: after a restart of the server a thousand
 * pages must not come back in the same moment.
 */
export class Backoff {
  #tries = 0;

  /**
   * @param {{first?: number, longest?: number, random?: () => number}} [options] times in ms
   */
  constructor({ first = 500, longest = 15_000, random = Math.random } = {}) {
    this.first = first;
    this.longest = longest;
    this.random = random;
  }

  /** Milliseconds to wait now: between half and all of the current step. */
  next() {
    const step = Math.min(this.longest, this.first * 2 ** this.#tries);
    this.#tries += 1;
    return Math.round(step * (0.5 + this.random() / 2));
  }

  reset() {
    this.#tries = 0;
  }
}
