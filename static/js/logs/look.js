// Something that the store is looked through for: where that is now, and a way to stop it. Pure.

/** How a look ended. @typedef {"found" | "none" | "stopped"} Outcome */

export class Look {
  /** The line that it has come to; 0: nobody knows yet. */
  at = 0;
  stopped = false;
  #controller = new AbortController();

  /**
   * @param {"match" | "mark" | "error" | "warning" | "moment"} what
   * @param {1 | -1} direction
   * @param {() => void} changed told that it has come further, or was stopped
   */
  constructor(what, direction, changed) {
    this.what = what;
    this.direction = direction;
    this.changed = changed;
    this.since = performance.now();
  }

  /** For what is asked of the server on its behalf. */
  get signal() {
    return this.#controller.signal;
  }

  /** @param {number} seq */
  reached(seq) {
    this.at = seq;
    this.changed();
  }

  /** In an instant: what is asked now is not waited for. */
  stop() {
    if (this.stopped) return;
    this.stopped = true;
    this.#controller.abort();
    this.changed();
  }
}
