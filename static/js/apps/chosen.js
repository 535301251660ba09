// Which apps of a list are chosen, to be operated together. Pure.

/** @typedef {import("../live/app_state.js").App} App */

export class Chosen {
  /** @type {Set<string>} */
  #names = new Set();
  /** The one from which a range goes. @type {string | null} */
  #from = null;

  get size() {
    return this.#names.size;
  }

  /** @param {string} name */
  has(name) {
    return this.#names.has(name);
  }

  /** @param {string} name */
  toggle(name) {
    this.set(name, !this.has(name));
  }

  /**
   * @param {string} name
   * @param {boolean} chosen
   */
  set(name, chosen) {
    if (chosen) this.#names.add(name);
    else this.#names.delete(name);
    this.#from = name;
  }

  /**
   * All from the last one that was chosen, or not, to this one: as that is.
   *
   * @param {string} name
   * @param {string[]} shown in the order in which they are seen
   */
  extend(name, shown) {
    const from = this.#from === null ? -1 : shown.indexOf(this.#from);
    const to = shown.indexOf(name);
    if (from < 0 || to < 0) return this.toggle(name);
    const chosen = this.has(shown[from]);
    for (const one of shown.slice(Math.min(from, to), Math.max(from, to) + 1)) {
      if (chosen) this.#names.add(one);
      else this.#names.delete(one);
    }
  }

  clear() {
    this.#names.clear();
    this.#from = null;
  }

  /**
   * Those that are chosen, in the order in which apps are given; who is no app any more is not.
   *
   * @param {Iterable<App>} apps
   */
  of(apps) {
    const found = [...apps].filter((app) => this.has(app.name));
    if (found.length < this.size) this.#names = new Set(found.map((app) => app.name));
    return found;
  }
}
