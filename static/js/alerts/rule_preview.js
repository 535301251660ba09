// While the form of a rule is filled in: how often it would have been an alert lately, and which
// addresses its app is asked for.

import { call, Problem } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { inventory } from "../live/inventory.js";
import { valueOf } from "./forms.js";
import { previewWords } from "./rule_words.js";

/** @typedef {import("../types/api.js").AlertRule} AlertRule */

const SOON = 500; // ms without a key, and it is tried
const AGAIN = 10_000; // ms: how it is now does not stay so
const DAY = 86_400;

/**
 * Suggests what is asked of the app that the rule is about.
 *
 * @param {HTMLFormElement} form
 * @param {AlertRule} [rule]
 */
export function followAddresses(form, rule) {
  let known = "";
  const ask = async () => {
    const address = /** @type {HTMLInputElement} */ (form.elements.namedItem("address"));
    const app = rule ? rule.app : valueOf(form, "app");
    if (address.disabled || app === known || !inventory.apps.has(app)) return;
    known = app;
    const since = Math.floor(Date.now() / 1000) - DAY;
    const path = `/api/v1/apps/${encodeURIComponent(app)}/traffic?top=100&by=count&since=${since}`;
    try {
      const { top } = await call("GET", path);
      const words = top.map((/** @type {any} */ one) => `${one.method} ${one.path}`);
      address.list?.replaceChildren(
        ...words.map((/** @type {string} */ value) => h("option", { value })),
      );
    } catch (thrown) {
      if (!(thrown instanceof Problem)) throw thrown;
    }
  };
  form.addEventListener("input", () => void ask());
  queueMicrotask(() => void ask());
}

/**
 * Asked again a moment after each change; of what cannot be asked nothing is said.
 *
 * @param {HTMLFormElement} form
 * @param {HTMLElement} place
 * @param {() => any} body
 * @param {AlertRule} [rule]
 */
export function followPreview(form, place, body, rule) {
  let asked = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const ask = async () => {
    const mine = ++asked;
    let words = "";
    let costly = false;
    if (form.checkValidity()) {
      const { condition, wait = rule?.wait ?? 0, clear = rule?.clear ?? 60, ...rest } = body();
      const about = rule ? { team: rule.team, app: rule.app, kind: rule.kind } : rest;
      const { team, app, kind } = about;
      costly = kind === "log";
      try {
        words = previewWords(
          await call("POST", "/api/v1/alerts/rules/preview", {
            team,
            app,
            kind,
            condition,
            wait,
            clear,
          }),
          { kind, condition },
        );
      } catch (thrown) {
        if (!(thrown instanceof Problem)) throw thrown;
      }
    }
    if (mine !== asked) return;
    setText(place, words);
    place.hidden = !words;
    // Hours of a log are read for one look; what is measured costs little.
    if (words && !costly) timer = setTimeout(again, AGAIN);
  };
  const again = () => {
    if (form.isConnected) void ask();
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void ask(), SOON);
  };
  form.addEventListener("input", soon);
  soon();
}
