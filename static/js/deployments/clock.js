// The server's clock, as far as the page knows it: what has begun there is counted from there, and a
// browser's clock may be minutes off. Pure but for the page's own clock.

export class Clock {
  #ahead = 0;

  /** @param {number} [now] ms since 1970 on the server when it wrote the page; 0 where it did not say */
  constructor(now = 0) {
    const arrived = performance.timeOrigin + arrival();
    if (now) this.#ahead = now - arrived;
  }

  /** Milliseconds since 1970 on the server. */
  now() {
    return performance.timeOrigin + performance.now() + this.#ahead;
  }
}

/** When the first byte of the page came, in ms since it was asked for. */
function arrival() {
  const [entry] = performance.getEntriesByType("navigation");
  return /** @type {PerformanceNavigationTiming | undefined} */ (entry)?.responseStart ?? 0;
}
