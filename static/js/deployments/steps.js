// The steps of a deployment: what each is for, how long it took beside the usual, how far it is.

import { h, setAttribute, setChildren, setText } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { duration, stateShape, stepStateWord, stepWord, took } from "./words.js";
import { readProgress } from "./progress.js";
import { shape, turnShape } from "./shape.js";

/** @typedef {import("../live/deployments.js").Deployment} Deployment */
/** @typedef {import("../live/deployments.js").Step} Step */
/** @typedef {import("./progress.js").Progress} Progress */

/** One step, made once and then only told what changed: an opened list stays open. */
class StepRow {
  #shape = shape("waiting");
  #name = h("span", { class: "step-name" });
  #took = h("span", { class: "step-took" });
  #usual = h("span", { class: "step-usual" });
  #words = h("span", { class: "step-words" });
  #bar = h("progress", { class: "step-bar", max: "1" });
  #rows = h("ol", { class: "step-rows" });
  #more = h("details", { class: "step-more" }, h("summary", null, this.#words), this.#rows);
  #told = h("div", { class: "step-told" }, this.#bar, this.#more);
  #opened = false;

  constructor() {
    this.element = h(
      "li",
      { class: "step" },
      h("div", { class: "step-head" }, this.#shape, this.#name, this.#usual, this.#took),
      this.#told,
    );
  }

  /**
   * @param {Step} step
   * @param {number | undefined} usual seconds
   * @param {number} now
   */
  show(step, usual, now) {
    const { state } = step;
    setAttribute(this.element, "data-state", state);
    setAttribute(this.element, "data-step", step.name);
    setAttribute(this.element, "aria-current", state === "running" ? "step" : null);
    turnShape(this.#shape, stateShape(state), stepStateWord(state));
    setText(this.#name, stepWord(step.name));
    this.tick(step, usual, now);
    const progress = readProgress(step);
    this.#told.hidden = !progress;
    if (progress) this.#progress(progress, state);
  }

  /**
   * Only what time changes.
   *
   * @param {Step} step
   * @param {number | undefined} usual
   * @param {number} now
   */
  tick(step, usual, now) {
    const seconds = took(step, now);
    setText(this.#took, seconds === null ? "" : duration(seconds));
    const long = seconds !== null && usual !== undefined && seconds > 2 * usual + 2;
    this.#took.classList.toggle("step-long", long);
    setText(this.#usual, usual === undefined ? "" : t("usually {time}", { time: duration(usual) }));
  }

  /**
   * @param {Progress} progress
   * @param {Step["state"]} state
   */
  #progress(progress, state) {
    setText(this.#words, progress.words || t("Details"));
    this.#bar.hidden = progress.share === null || state !== "running";
    if (progress.share !== null) this.#bar.value = progress.share;
    setAttribute(this.#bar, "aria-label", progress.words);
    const none = progress.rows.length === 0;
    this.#more.classList.toggle("step-bare", none);
    if (none) this.#more.open = false;
    else if (!this.#opened && (state === "running" || state === "failed")) this.#more.open = true;
    // Opened once by itself: whoever closes it has seen it.
    this.#opened ||= !none && this.#more.open;
    const rows = progress.rows.map((row, n) => {
      const element = /** @type {HTMLElement} */ (this.#rows.children[n] ?? makeRow());
      setAttribute(element, "data-state", row.state);
      const [name, words, bar] = element.children;
      setText(name, row.name);
      setAttribute(name, "title", row.name);
      setText(words, row.words);
      const part = /** @type {HTMLProgressElement} */ (bar);
      part.hidden = row.share === null || row.state !== "running";
      part.value = row.share ?? 0;
      setAttribute(part, "aria-label", `${row.name} ${row.words}`);
      return element;
    });
    setChildren(this.#rows, rows);
  }
}

function makeRow() {
  return h(
    "li",
    { class: "step-row" },
    h("span", { class: "step-row-name mono" }),
    h("span", { class: "step-row-words" }),
    h("progress", { max: "1" }),
  );
}

export class Steps {
  /** @type {StepRow[]} */
  #rows = [];

  /** @param {Element} list an `ol` */
  constructor(list) {
    this.list = list;
  }

  /**
   * @param {Deployment} deployment
   * @param {Record<string, number>} usual seconds by step
   * @param {number} now ms by the server's clock
   */
  show({ steps }, usual, now) {
    while (this.#rows.length < steps.length) this.#rows.push(new StepRow());
    this.#rows.length = steps.length;
    steps.forEach((step, n) => this.#rows[n].show(step, usual[step.name], now));
    setChildren(
      this.list,
      this.#rows.map((row) => row.element),
    );
  }

  /**
   * @param {Deployment} deployment
   * @param {Record<string, number>} usual
   * @param {number} now
   */
  tick({ steps }, usual, now) {
    steps.forEach((step, n) => {
      if (step.state === "running") this.#rows[n]?.tick(step, usual[step.name], now);
    });
  }
}
