// How large an app's log is and how long it is kept, at the foot of its page; who manages the app says
// it, sees before what would go, and can delete all of it.

import { call, Problem } from "../lib/api.js";
import { byId, h, setText } from "../lib/dom.js";
import { openDialog } from "../lib/dialog.js";
import { onSubmit, sentence } from "../lib/form.js";
import { formatBytes, formatNumber, formatTime, t, tn } from "../lib/i18n.js";
import { followEvents } from "../live/app_events.js";

/** @typedef {import("../types/api.js").Retention} Retention */
/** @typedef {import("../types/api.js").WouldGo} WouldGo */

const EVERY = 60_000; // ms between two looks at its size
const PREVIEW = 300; // ms after the last key before what would go is asked for
const MB = 1_000_000;

class LogLife {
  #button = byId("log-life");
  /** @type {Retention | null} */
  #known = null;

  /** @param {string} app */
  constructor(app) {
    this.path = `/api/v1/apps/${encodeURIComponent(app)}/retention`;
    this.app = app;
    this.#button.addEventListener("click", () => void this.#open());
    setInterval(() => !document.hidden && void this.#look(), EVERY);
    followEvents(app, ({ kind, data }) => {
      if (kind === "action" && /^log-/.test(String(data.what ?? ""))) void this.#look();
    });
    void this.#look();
  }

  async #look() {
    try {
      this.#take(await call("GET", this.path));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      // As it was a minute ago, or not there yet: the log is as good without it.
    }
  }

  /** @param {Retention} known */
  #take(known) {
    this.#known = known;
    const { bytes, own } = known;
    const words = t("{size} on the disk", { size: formatBytes(bytes) });
    const own_days =
      own.days === null ? "" : ` · ${t("kept for {time}", { time: days(own.days) })}`;
    setText(this.#button, words + own_days);
    this.#button.title = t("How large this log is, and how long it is kept");
    this.#button.hidden = false;
  }

  async #open() {
    await this.#look();
    const known = this.#known;
    if (!known) return;
    const facts = h("dl", { class: "log-life-facts" });
    const show = (/** @type {Retention} */ now) => {
      this.#take(now);
      facts.replaceChildren(...factsOf(now));
    };
    show(known);
    const dialog = openDialog(t("The log of {app}", { app: this.app }), facts);
    if (!known.may_change) return;
    const body = /** @type {HTMLElement} */ (facts.parentElement);
    body.append(this.#form(known, show));
    const item = document.querySelector('#app-manage-menu [data-manage="delete-lines"]');
    if (!(item instanceof HTMLElement)) return;
    const remove = h("button", { class: "button danger", type: "button" }, t("Delete its log…"));
    // What goes and what stays is said there.
    remove.addEventListener("click", () => {
      dialog.close();
      item.click();
    });
    body.append(h("div", { class: "dialog-choices" }, remove));
  }

  /**
   * @param {Retention} known
   * @param {(now: Retention) => void} show
   */
  #form({ own, usual }, show) {
    const age = h("input", {
      ...{ class: "field", type: "number", name: "days", id: "keep-days" },
      ...{ min: "1", max: "36500", step: "any", value: own.days ?? "", inputmode: "decimal" },
      placeholder: String(usual.days),
    });
    const size = h("input", {
      ...{ class: "field", type: "number", name: "bytes", id: "keep-bytes" },
      ...{ min: "1", step: "any", value: own.bytes === null ? "" : own.bytes / MB },
      inputmode: "decimal",
      placeholder: usual.bytes ? String(Math.round(usual.bytes / MB)) : t("no limit"),
    });
    const going = h("p", { class: "log-life-going", role: "status" });
    const done = h("p", { class: "done", role: "status" });
    const form = h(
      "form",
      { class: "form log-life-form", method: "post" },
      h("p", { class: "hint" }, t("Left empty, it is kept as the settings say.")),
      h(
        "div",
        { class: "log-life-fields" },
        field("keep-days", t("Days"), age),
        field("keep-bytes", t("MB on the disk"), size),
      ),
      going,
      done,
      h("p", { class: "error", role: "alert", hidden: true }),
      h("button", { class: "button main", type: "submit", disabled: true }, t("Save")),
    );
    const asked = () => ({
      days: age.value === "" ? null : Number(age.value),
      bytes: size.value === "" ? null : Math.round(Number(size.value) * MB),
    });
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    let round = 0;
    const preview = async () => {
      const mine = ++round;
      if (!age.validity.valid || !size.validity.valid) return setText(going, "");
      try {
        /** @type {WouldGo} */
        const would = await call("POST", `${this.path}/preview`, asked());
        if (mine === round) setText(going, goingWords(would));
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        if (mine === round) setText(going, sentence(error));
      }
    };
    form.addEventListener("input", () => {
      clearTimeout(timer);
      setText(done, "");
      timer = setTimeout(() => void preview(), PREVIEW);
    });
    onSubmit(form, async () => {
      clearTimeout(timer);
      round++;
      show(await call("PUT", this.path, asked()));
      setText(going, "");
      setText(done, t("Saved. What is beyond it goes now."));
    });
    return form;
  }
}

/** @param {string} id @param {string} label @param {HTMLInputElement} input */
function field(id, label, input) {
  const error = h("p", { class: "field-error", role: "alert", hidden: true });
  error.dataset.errorOf = input.name;
  return h("div", { class: "form-row" }, h("label", { for: id }, label), input, error);
}

/** @param {WouldGo} would */
function goingWords({ lines, bytes, until }) {
  if (!lines) return t("Nothing that is kept now would go.");
  const what = tn(
    "{n} line would go at once, {size} on the disk",
    "{n} lines would go at once, {size} on the disk",
    lines,
    { n: formatNumber(lines), size: formatBytes(bytes) },
  );
  return until ? `${what}: ${t("all up to {time}", { time: formatTime(until) })}` : what;
}

/** @param {number} n */
function days(n) {
  return tn("{n} day", "{n} days", n, { n: formatNumber(n) });
}

/** @param {Retention} now */
function factsOf({ own, usual, bytes, lines, first_time: first, last_time: last }) {
  const fact = (/** @type {string} */ name, /** @type {string} */ value) =>
    h("div", null, h("dt", null, name), h("dd", null, value));
  const keptDays = own.days ?? usual.days;
  const most = own.bytes ?? usual.bytes;
  const limits = [days(keptDays), most && t("at most {size}", { size: formatBytes(most) })];
  const whose = own.days === null && own.bytes === null ? ` (${t("as the settings say")})` : "";
  const kept = limits.filter(Boolean).join(t(", ")) + whose;
  return [
    fact(t("On the disk"), formatBytes(bytes)),
    fact(t("Lines"), formatNumber(lines)),
    ...(first && last
      ? [
          fact(
            t("Time"),
            t("From {from} to {to}", { from: formatTime(first), to: formatTime(last) }),
          ),
        ]
      : []),
    fact(t("Kept for"), kept),
  ];
}

/** @param {string} app */
export function showLogLife(app) {
  new LogLife(app);
}
