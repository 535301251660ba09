// What happened to the containers of the app, as far back as anybody has looked.

/** @typedef {import("./entry.js").LogEvent} LogEvent */
/** @typedef {import("./log_api.js").LogApi} LogApi */

export class Events {
  /** @type {LogEvent[]} by time */
  #all = [];
  /** @type {Set<number>} ids */
  #known = new Set();
  /** Events from this time on are known; "" when all are. */
  #from = "\uffff";
  #loading = false;

  /** @param {LogApi} api */
  constructor(api) {
    this.api = api;
  }

  /**
   * @param {LogEvent[]} events
   * @returns {boolean} whether one of them is new
   */
  add(events) {
    const fresh = events.filter((event) => !this.#known.has(event.id));
    for (const event of fresh) this.#known.add(event.id);
    this.#all = [...this.#all, ...fresh].sort((a, b) =>
      a.time < b.time ? -1 : a.time > b.time ? 1 : a.id - b.id,
    );
    return fresh.length > 0;
  }

  /**
   * Asks for older ones if the window reaches back behind those that are known.
   * @param {string | undefined} oldest time of the first line shown
   * @returns {Promise<boolean>} whether there were any
   */
  async load(oldest) {
    const enough = oldest !== undefined && oldest >= this.#from;
    if (this.#loading || this.#from === "" || enough) return false;
    this.#loading = true;
    try {
      const events = await this.api.events("", this.#from === "\uffff" ? "" : this.#from);
      const fresh = this.add(events);
      this.#from = fresh ? events[0].time : "";
      return fresh;
    } catch {
      // Lines are what matters; events are asked for again with the next page of lines.
      return false;
    } finally {
      this.#loading = false;
    }
  }

  /**
   * Those of one container, and those of none; all when it is "".
   * @param {string} container
   */
  of(container) {
    if (!container) return this.#all;
    return this.#all.filter((event) => !event.container || event.container === container);
  }
}
