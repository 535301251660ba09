// The card of what a deployment changed: it grows while the 15 minutes after it pass.

import { Problem } from "../lib/api.js";
import { byId, h, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { t } from "../lib/i18n.js";
import { redraw } from "../lib/redraw.js";
import { readUnits } from "../lib/units.js";
import {
  changeWord,
  numberOf,
  rowWord,
  spanSentence,
  verdictSentence,
} from "./comparison_words.js";
import { getComparison } from "./deployment_api.js";

/** @typedef {import("../types/api.js").Compared} Compared */
/** @typedef {import("../types/api.js").ComparedRow} Row */
/** @typedef {import("../live/deployments.js").Deployment} Deployment */

const AGAIN = 10_000; // ms: as often as something of it is kept

export class ComparisonCard {
  #id = 0;
  #app = "";
  #asked = false;

  /** How a deployment stands now. @param {Deployment} deployment */
  take({ id, app, state, previous }) {
    if (this.#asked || state !== "serving" || previous === null) return;
    this.#asked = true;
    this.#id = id;
    this.#app = app;
    void this.#load();
  }

  async #load() {
    let again = true;
    try {
      const compared = await getComparison(this.#id);
      again = compared?.growing ?? false;
      if (compared) this.#show(compared);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      // What stands there stays true; of what has not come it is said why.
      setText(byId("comparison-span"), sentence(error));
      byId("comparison").hidden = false;
    }
    if (again) setTimeout(() => whenSeen(() => void this.#load()), AGAIN);
  }

  /** @param {Compared} compared */
  #show(compared) {
    const { before, after, rows, verdict } = compared;
    const box = byId("comparison");
    box.dataset.verdict = verdict;
    setText(byId("comparison-verdict"), verdictSentence(compared));
    setText(byId("comparison-span"), spanSentence(compared));
    redraw(byId("comparison-rows"), rows.map(row));
    const charts = /** @type {HTMLAnchorElement} */ (byId("comparison-charts"));
    const span = new URLSearchParams({
      since: written(before.since),
      until: written(Math.max(after.until, before.until)),
    });
    charts.href = `/apps/${encodeURIComponent(this.#app)}/metrics?${span}`;
    box.hidden = false;
  }
}

/** As an address says a time. @param {number} seconds */
function written(seconds) {
  return new Date(seconds * 1000).toISOString().replace(".000", "");
}

/** @param {Row} its */
function row(its) {
  const units = readUnits();
  const [before, after] = [numberOf(its, "before", units), numberOf(its, "after", units)];
  return h(
    "tr",
    { dataset: { key: its.name, name: its.name, change: its.change } },
    h("th", { scope: "row" }, rowWord(its.name)),
    number(before),
    number(after),
    h("td", { class: "comparison-change" }, mark(its), changeWord(its)),
  );
}

/** @param {string} written */
function number(written) {
  if (written) return h("td", { class: "comparison-number" }, written);
  return h(
    "td",
    { class: "comparison-number muted" },
    h("span", { "aria-label": t("not measured") }, "–"),
  );
}

/** Which way it went, so that colour is not all that says it. @param {Row} row */
function mark({ change }) {
  if (change !== "more" && change !== "less") return "";
  return h(
    "span",
    { class: "comparison-mark", "aria-hidden": "true" },
    change === "more" ? "▲" : "▼",
  );
}

/** @param {() => void} run */
function whenSeen(run) {
  if (!document.hidden) return run();
  document.addEventListener("visibilitychange", () => whenSeen(run), { once: true });
}
