// A stack on its way, above the deployments of its apps: which waits for which, and what was not begun.

import { call, Problem } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { t } from "../lib/i18n.js";
import { redraw } from "../lib/redraw.js";
import { deployments } from "../live/deployments.js";
import { deploymentAddress } from "./deployment_api.js";
import { shape } from "./shape.js";
import { stateShape } from "./words.js";

/** @typedef {import("../types/api.js").StackRun} StackRun */
/** @typedef {import("../types/api.js").StackPart} StackPart */

const SOON = 300; // ms after one of its deployments changed
const AGAIN = 5000; // ms until it is asked for in any case, while it goes on

/** @param {string} stack @param {number} id */
export function stackAddress(stack, id) {
  return `/deployments?${new URLSearchParams({ stack, run: String(id) })}`;
}

/** The one that the address names, if it names one. @param {HTMLElement} root */
export function showStack(root) {
  const query = new URLSearchParams(location.search);
  const stack = query.get("stack");
  const run = Number(query.get("run"));
  if (stack && run > 0) new StackBox(stack, run, root);
}

class StackBox {
  #state = h("span", { class: "muted", role: "status" });
  #parts = h("ul", { class: "stack-parts" });
  #timer = 0;
  #over = false;

  /**
   * @param {string} stack
   * @param {number} id
   * @param {HTMLElement} root
   */
  constructor(stack, id, root) {
    this.path = `/api/v1/stacks/${encodeURIComponent(stack)}/deployments/${id}`;
    const title = h("h2", { id: "stack-title" }, t("The stack {name}", { name: stack }));
    root.prepend(
      h(
        "section",
        { class: "stack-box", "aria-labelledby": "stack-title" },
        title,
        this.#state,
        this.#parts,
      ),
    );
    deployments.addEventListener("change", () => this.#soon(SOON));
    void this.#look();
  }

  /** @param {number} pause ms */
  #soon(pause) {
    clearTimeout(this.#timer);
    if (this.#over) return;
    this.#timer = setTimeout(() => void this.#look(), pause);
  }

  async #look() {
    try {
      const run = await call("GET", this.path);
      this.#show(run);
      this.#over = run.state !== "running";
      this.#soon(AGAIN);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setText(this.#state, sentence(error));
      if (error.status === 404) this.#over = true;
      this.#soon(AGAIN); // a server that is away for a moment is there again
    }
  }

  /** @param {StackRun} run */
  #show({ state, parts }) {
    setText(this.#state, runWord(state));
    const serves = new Set(
      parts.filter((one) => one.state === "serving").map((one) => one.service),
    );
    redraw(
      this.#parts,
      parts.map((part) => {
        const name = { class: "mono cut" };
        return h(
          "li",
          { dataset: { key: part.service, service: part.service, state: part.state } },
          shape(stateShape(part.state)),
          part.deployment
            ? h("a", { ...name, href: deploymentAddress(part.deployment) }, part.app)
            : h("span", name, part.app),
          h("span", { class: "stack-how" }, partWords(part, serves)),
        );
      }),
    );
  }
}

/** @param {StackRun["state"]} state */
function runWord(state) {
  switch (state) {
    case "running":
      return t("Each of its apps is deployed once those that it needs serve.");
    case "serving":
      return t("All of it serves.");
    case "failed":
      return t("Not all of it serves.");
    case "cancelled":
      return t("Not all of it was deployed.");
  }
}

/**
 * @param {StackPart} part
 * @param {Set<string>} serves the services that do
 */
function partWords({ state, after, why }, serves) {
  switch (state) {
    case "waiting": {
      const names = after.filter((name) => !serves.has(name));
      return t("waits until {names} serves", { names: names.join(t(", ")) });
    }
    case "running":
      return t("under way");
    case "serving":
      return t("serves");
    case "failed":
      return why ? t("was not begun: {why}", { why }) : t("failed");
    case "cancelled":
      return t("was cancelled");
    case "skipped":
      return t("was not begun: what it needs does not serve");
  }
}
