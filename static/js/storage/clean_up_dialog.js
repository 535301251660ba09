// Cleaning up: what exactly would go stands there before anything does, and what became of it after.

import { call, Problem } from "../lib/api.js";
import { openDialog } from "../lib/dialog.js";
import { h, setChildren, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { formatBytes, t, tn } from "../lib/i18n.js";
import { KINDS, kindWord, nameOf, oneOf, sizeWord, staysBecause } from "./things.js";

/** @typedef {import("../types/api.js").CleanUpPlan} Plan */
/** @typedef {import("../types/api.js").CleanedUp} CleanedUp */
/** @typedef {Plan["items"][number]} Item */

const USUAL = ["image", "network", "cache"]; // as in cloudbang/domain/deploy/disk.py

/**
 * @param {() => void} done when something was taken away
 */
export function openCleanUp(done) {
  new CleanUp(done);
}

class CleanUp {
  #done;
  #list = h("ul", { class: "clean-items", "aria-label": t("What would go") });
  #error = h("p", { class: "error", role: "alert", hidden: true });
  #says = h("p", { class: "muted", "aria-live": "polite" });
  #go = h("button", { class: "button danger", type: "button", disabled: true }, t("Clean up"));
  #kinds = KINDS.map((kind) => box(kind, kindWord(kind), USUAL.includes(kind)));
  #others = box("others", t("Also what CloudBang did not make"), false);
  /** @type {Plan | null} */
  #plan = null;
  #asked = 0;

  /** @param {() => void} done */
  constructor(done) {
    this.#done = done;
    const choices = h(
      "fieldset",
      { class: "clean-choices" },
      h("legend", null, t("What may go")),
      ...this.#kinds.map((one) => one.label),
    );
    this.#dialog = openDialog(
      t("Clean up"),
      h(
        "p",
        { class: "muted" },
        t(
          "What is used, what one can go back to, and what the settings name is never among it. A volume holds data that nothing brings back.",
        ),
      ),
      choices,
      this.#others.label,
      this.#says,
      this.#list,
      this.#error,
      h("div", { class: "dialog-choices" }, this.#go),
    );
    this.#dialog.classList.add("clean-up");
    for (const { input } of [...this.#kinds, this.#others]) {
      input.addEventListener("change", () => void this.#ask());
    }
    this.#go.addEventListener("click", () => void this.#carryOut());
    void this.#ask();
  }

  /** @type {HTMLDialogElement} */
  #dialog;

  async #ask() {
    const mine = ++this.#asked;
    const kinds = this.#kinds.filter(({ input }) => input.checked).map(({ input }) => input.value);
    this.#plan = null;
    this.#go.disabled = true;
    this.#error.hidden = true;
    setText(this.#says, kinds.length ? t("Looking at what nobody uses …") : "");
    if (!kinds.length) return this.#show({ id: "", items: [], bytes: 0 });
    try {
      const others = this.#others.input.checked;
      const plan = await call("POST", "/api/v1/storage/plans", { kinds, others });
      if (mine === this.#asked) this.#show(plan);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (mine !== this.#asked) return;
      setText(this.#says, "");
      setChildren(this.#list, []);
      this.#fail(error);
    }
  }

  /** @param {Plan} plan */
  #show(plan) {
    this.#plan = plan;
    setChildren(
      this.#list,
      plan.items.map((item) => this.#row(item)),
    );
    this.#count();
  }

  /** @param {Item} item */
  #row(item) {
    const { label, input } = box(keyOf(item), "", true);
    input.addEventListener("change", () => this.#count());
    label.append(
      h("span", { class: "mono cut", title: [item.name, ...item.names].join("\n") }, nameOf(item)),
      h("span", { class: "faint" }, oneOf(item.kind)),
    );
    if (!item.ours) label.append(h("span", { class: "badge warn" }, t("not CloudBang's")));
    label.append(
      h("span", { class: "clean-size" }, item.kind === "network" ? "" : sizeWord(item.size)),
    );
    return h("li", null, label);
  }

  #chosen() {
    const ticked = new Set(
      [...this.#list.querySelectorAll("input")].filter((i) => i.checked).map((i) => i.value),
    );
    return (this.#plan?.items ?? []).filter((item) => ticked.has(keyOf(item)));
  }

  #count() {
    const items = this.#chosen();
    const bytes = items.reduce((sum, item) => sum + (item.size ?? 0), 0);
    const size = formatBytes(bytes);
    const nothing = t("Nothing of this can go.");
    setText(this.#says, this.#plan?.items.length ? t("This would go, and nothing else:") : nothing);
    setText(
      this.#go,
      tn("Remove {n} thing, {size}", "Remove {n} things, {size}", items.length, { size }),
    );
    this.#go.hidden = !this.#plan?.items.length;
    this.#go.disabled = !items.length;
  }

  async #carryOut() {
    const plan = this.#plan;
    if (!plan) return;
    const only = this.#chosen().map(({ kind, id }) => ({ kind, id }));
    this.#go.disabled = true;
    setText(this.#go, t("Cleaning up …"));
    try {
      const cleaned = await call("POST", `/api/v1/storage/plans/${plan.id}`, { only });
      this.#tell(cleaned);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.#fail(error);
    }
    this.#done();
  }

  /** @param {CleanedUp} cleaned */
  #tell({ outcomes, bytes }) {
    const left = outcomes.filter((one) => !one.done);
    const gone = outcomes.length - left.length;
    const size = formatBytes(bytes);
    const close = h(
      "button",
      { class: "button main", type: "button", onclick: () => this.#dialog.close() },
      t("Close"),
    );
    const body = /** @type {HTMLElement} */ (this.#dialog.querySelector(".dialog-body"));
    setChildren(body, [
      h(
        "p",
        { role: "status" },
        tn("{n} thing is gone, {size}.", "{n} things are gone, {size}.", gone, { size }),
      ),
      ...(left.length ? [h("p", { class: "muted" }, t("These stayed:")), stayed(left)] : []),
      h("div", { class: "dialog-choices" }, close),
    ]);
    close.focus();
  }

  /** @param {Problem} problem */
  #fail(problem) {
    setText(this.#error, sentence(problem));
    this.#error.hidden = false;
    this.#count();
  }
}

/** @param {CleanedUp["outcomes"]} left */
function stayed(left) {
  return h(
    "ul",
    { class: "clean-items" },
    left.map((one) =>
      h(
        "li",
        null,
        h("span", { class: "mono cut", title: one.name }, nameOf(one)),
        h("span", { class: "faint" }, staysBecause(one.why)),
      ),
    ),
  );
}

/** @param {{kind: string, id: string}} item */
function keyOf({ kind, id }) {
  return `${kind} ${id}`;
}

/**
 * @param {string} value
 * @param {string} words
 * @param {boolean} checked
 */
function box(value, words, checked) {
  const input = h("input", { type: "checkbox", value, checked });
  return { input, label: h("label", { class: "clean-box" }, input, words) };
}
