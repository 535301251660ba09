// A log of which only one stretch of time is shown, as charts beside it show it: which, and the way
// back to all of it.

import { byId, setText } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { toast } from "../lib/toast.js";
import { fromMs } from "./times.js";

export class LogSpan {
  #said = "";

  /** @param {import("./log_view.js").LogView} view */
  constructor(view) {
    this.view = view;
    byId("log-span-all").addEventListener("click", () => void this.leave());
    for (const name of ["change", "state"]) view.feed.addEventListener(name, () => this.#draw());
  }

  /**
   * Shows only what was logged between these moments: from its first line on, or at the line that
   * the address names.
   *
   * @param {number} since ms since 1970
   * @param {number | null} until null: it goes on
   * @param {string} words what the stretch is called
   * @param {import("./navigation.js").Place | null} [place] where the reader comes back to
   */
  async show(since, until, words, place = null) {
    const { view } = this;
    const isNewest = view.nav.begin();
    const times = { since: fromMs(since), until: until === null ? "" : fromMs(until) };
    try {
      const [from, to] = await Promise.all([
        view.feed.api.seqAt(times.since),
        until === null ? Infinity : view.feed.api.seqAt(times.until),
      ]);
      if (!isNewest()) return;
      this.#said = words;
      view.feed.bounds = { from, to: Math.max(from, to), ...times };
      // The end of a stretch that has one is nobody's place to follow.
      if (place && !(place.follow && until !== null)) return await view.nav.comeBack(place, true);
      if (until === null && view.linked === null) {
        view.feed.goToEnd();
        return view.nav.follow();
      }
      const { linked } = view;
      const at = linked !== null && linked >= from && linked < to ? linked : from;
      view.rows.stayAt(at); // also where there is no line
      // Anew, whatever of it is shown already.
      if (!(await view.feed.openAt(at)) || !isNewest()) return;
      if (at === linked) return await view.nav.openAt(at);
      view.linked = null;
      await view.nav.toTop();
    } catch {
      if (isNewest()) toast(t("The server did not answer"));
    }
  }

  /**
   * All of the log again, at the same place.
   * @param {import("./navigation.js").Place | null} [place] another one
   */
  async leave(place = null) {
    const { view } = this;
    const isNewest = view.nav.begin();
    const at = view.feed.model.entries[view.rows.firstSeen]?.seq ?? view.feed.bounds?.from;
    view.feed.bounds = null;
    if (place) return await view.nav.comeBack(place, true);
    if (view.rows.place.follow) return view.feed.goToEnd();
    if (at === undefined) return;
    const seq = Math.max(1, Math.floor(at));
    view.rows.stayAt(seq);
    // Anew: of what is shown nobody knows what lies before and after it.
    if ((await view.feed.openAt(seq)) && isNewest()) await view.nav.openAt(seq);
  }

  #draw() {
    const { bounds } = this.view.feed;
    byId("log-span").hidden = !bounds;
    if (bounds) setText(byId("log-span-text"), t("Only lines of {span}", { span: this.#said }));
  }
}
