// What stands out about an app now, in sentences above its charts.

import { appAddress } from "../frame/addresses.js";
import { call, Problem } from "../lib/api.js";
import { byId, h } from "../lib/dom.js";
import { redraw } from "../lib/redraw.js";
import { readUnits } from "../lib/units.js";
import { busySentence, limitSentence } from "./advice_words.js";

/** @typedef {import("../types/api.js").Advice} Advice */

const AGAIN = 30_000; // ms: what is said is of a minute

/** @param {string} app */
export function startAdvice(app) {
  const box = byId("metric-advice");

  /** Of limits one look is enough: they are held against days. @type {Advice["limits"] | null} */
  let limits = null;

  /** @param {Advice["busy"]} busy */
  const draw = (busy) => {
    const units = readUnits();
    const said = [
      ...busy.map((one) => named(busySentence(one), one.by)),
      ...(limits ?? []).map((one) => [limitSentence(one, units)]).filter(([words]) => words),
    ];
    redraw(
      box,
      said.map((parts) => h("li", null, ...parts)),
    );
    box.hidden = !said.length;
  };

  const load = async () => {
    const query = limits ? "?now=1" : "";
    try {
      const path = `/api/v1/apps/${encodeURIComponent(app)}/advice${query}`;
      /** @type {Advice} */
      const advice = await call("GET", path);
      limits ??= advice.limits;
      draw(advice.busy);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      box.hidden = true; // nothing is said of what is not known
    }
  };

  setInterval(() => {
    if (!document.hidden) void load();
  }, AGAIN);
  void load();
}

/**
 * A sentence in which the name of an app leads to it.
 *
 * @param {string} words
 * @param {string | null} app
 */
function named(words, app) {
  const at = app ? words.indexOf(app) : -1;
  if (!app || at < 0) return [words];
  const link = h("a", { href: appAddress(app), class: "mono" }, app);
  return [words.slice(0, at), link, words.slice(at + app.length)];
}
