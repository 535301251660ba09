// What the lines of the app have in common, beside its log: how often each pattern came, and before;
// what is new. A pattern filters the log. What is counted only in part says so, and is counted on.

import { call, Problem } from "../lib/api.js";
import { bind } from "../frame/keys.js";
import { choose, onStep } from "../lib/address.js";
import { byId, h, setAttribute, setText } from "../lib/dom.js";
import { formatNumber, formatRelative, formatShort, formatTime, t, tn } from "../lib/i18n.js";
import { redraw } from "../lib/redraw.js";
import { recall, remember } from "../lib/storage.js";
import { levelWord } from "./levels.js";
import { changeOf, holesOf, isNew, spanOf, sparkOf, termOf, wordOfShare } from "./pattern_rows.js";

/** @typedef {import("./log_view.js").LogView} LogView */
/** @typedef {import("../types/api.js").Patterns | import("../types/api.js").MergedPatterns} Patterns */
/** @typedef {import("../types/api.js").Pattern | import("../types/api.js").MergedPattern} Pattern */
/** @typedef {import("./pattern_rows.js").Range} Range */

const AGAIN = 60_000; // ms between two looks at what has come since
const ON = 1_500; // ms before what is counted in part is counted on
const RANGE = "log-patterns-range";

class PatternPanel {
  #box = byId("log-patterns");
  #list = byId("patterns-list");
  #find = /** @type {HTMLInputElement} */ (byId("patterns-find"));
  /** @type {Patterns | null} */
  #shown = null;
  /** @type {Range} */
  #range = "day";
  #onlyNew = false;
  #asked = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #problem = "";

  /** @param {LogView} log */
  constructor(log) {
    this.log = log;
    this.#range = rangeOf(recall(RANGE)) ?? "day";
    for (const chip of this.#box.querySelectorAll("[data-range]")) {
      chip.addEventListener("click", () => this.#choose(/** @type {any} */ (chip).dataset.range));
    }
    byId("patterns-new").addEventListener("click", () => {
      this.#onlyNew = !this.#onlyNew;
      this.#say();
      this.#draw();
    });
    this.#find.addEventListener("input", () => {
      this.#say(true);
      this.#draw();
    });
    byId("patterns-close").addEventListener("click", () => this.close());
    byId("patterns-again").addEventListener("click", () => void this.#ask());
    this.#box.addEventListener("keydown", (event) => this.#onKey(event));
    document.addEventListener("visibilitychange", () => this.#later(0));
    onStep((params) => this.#restore(params));
    this.#restore(new URLSearchParams(location.search));
  }

  /** The address says what is looked at here. @param {boolean} [typing] more of it may come */
  #say(typing) {
    const open = this.isOpen;
    choose(
      {
        patterns: open ? this.#range : "",
        patterns_new: open && this.#onlyNew ? "1" : "",
        patterns_find: open ? this.#find.value : "",
      },
      typing,
    );
  }

  /** As an address has it. @param {URLSearchParams} params */
  #restore(params) {
    const range = rangeOf(params.get("patterns"));
    if (range === null) return void (this.isOpen && this.#show(false));
    this.#onlyNew = params.get("patterns_new") === "1";
    this.#find.value = params.get("patterns_find") ?? "";
    const same = this.isOpen && range === this.#range;
    this.#range = range;
    if (same) return this.#draw();
    this.#shown = null;
    this.#show(true);
  }

  get isOpen() {
    return !this.#box.hidden;
  }

  open() {
    this.#show(true);
    this.#say();
    this.#find.focus();
  }

  close() {
    this.#show(false);
    this.#say();
  }

  /** @param {boolean} open */
  #show(open) {
    const inside = this.#box.contains(document.activeElement);
    this.#box.hidden = !open;
    setAttribute(byId("log-patterns-button"), "aria-pressed", String(open));
    if (open) {
      this.#draw();
      void this.#ask();
      return;
    }
    clearTimeout(this.#timer);
    this.#asked++;
    if (inside) this.log.focusRows();
  }

  /** @param {Range} range */
  #choose(range) {
    // What is new is what one looks for there.
    this.#onlyNew = range === "deployment";
    const same = range === this.#range && this.#shown;
    this.#range = range;
    this.#say();
    if (same) return this.#draw();
    remember(RANGE, range);
    this.#shown = null;
    this.#draw();
    void this.#ask();
  }

  async #ask() {
    clearTimeout(this.#timer);
    const mine = ++this.#asked;
    const { merged, path } = this.log.feed.source;
    const params = spanOf(this.#range, new Date());
    for (const app of merged?.apps ?? []) params.append("app", app);
    try {
      /** @type {Patterns} */
      const found = await call("GET", `${path}/patterns?${params}`);
      if (mine !== this.#asked) return;
      this.#shown = found;
      this.#problem = "";
    } catch (error) {
      if (mine !== this.#asked) return;
      this.#problem = (error instanceof Problem && error.message) || t("The server did not answer");
    }
    this.#draw();
    this.#later(!this.#problem && this.#shown?.sampled ? ON : AGAIN);
  }

  /** Asks again while somebody looks. @param {number} ms */
  #later(ms) {
    clearTimeout(this.#timer);
    if (!this.isOpen || document.hidden) return;
    this.#timer = setTimeout(() => void this.#ask(), ms);
  }

  // Drawing

  #draw() {
    for (const chip of this.#box.querySelectorAll("[data-range]")) {
      const on = /** @type {HTMLElement} */ (chip).dataset.range === this.#range;
      setAttribute(chip, "aria-pressed", String(on));
    }
    setAttribute(byId("patterns-new"), "aria-pressed", String(this.#onlyNew));
    /** @type {readonly Pattern[]} */
    const patterns = this.#shown?.patterns ?? [];
    const deployed = this.#shown?.deployed ?? null;
    const chip = this.#box.querySelector('[data-range="deployment"]');
    if (this.#shown && chip instanceof HTMLElement) {
      chip.hidden = deployed === null;
      chip.title = deployed ? whenDeployed(deployed) : "";
    }
    const words = this.#find.value.toLowerCase().split(/\s+/);
    const wanted = patterns.filter(
      (one) =>
        (!this.#onlyNew || isNew(one, this.#range)) &&
        words.every((word) => `${one.level ?? ""} ${one.pattern}`.toLowerCase().includes(word)),
    );
    redraw(
      this.#list,
      wanted.map((one) => this.#row(one)),
    );
    this.#sayHowMany(wanted.length);
  }

  /** @param {number} rows */
  #sayHowMany(rows) {
    const shown = this.#shown;
    const words = [];
    if (this.#problem) words.push(this.#problem);
    else if (!shown) words.push(t("Counting…"));
    else {
      if (shown.sampled) {
        words.push(
          t("Estimates, of {share} of the log: what came seldom may be missing; counting goes on", {
            share: wordOfShare(shown),
          }),
        );
      }
      if ("left" in shown && shown.left) {
        words.push(tn("{n} app is not counted", "{n} apps are not counted", shown.left));
      }
      if ("undeployed" in shown && shown.undeployed) {
        words.push(
          tn(
            "{n} app is left out: nobody knows when it was deployed",
            "{n} apps are left out: nobody knows when they were deployed",
            shown.undeployed,
          ),
        );
      }
      for (const { app, message } of "failed" in shown ? shown.failed : []) {
        const facts = { app, reason: message };
        words.push(t("The log of {app} could not be read to its end: {reason}", facts));
      }
      const { more, others } = shown;
      if (more) {
        const n = formatNumber(others[0]);
        words.push(
          tn(
            "{n} pattern more, {lines} times together",
            "{n} patterns more, {lines} times together",
            more,
            {
              lines: n,
            },
          ),
        );
      }
      if (!rows && shown.sampled) words.push(t("Nothing of the kind was found yet"));
      else if (!rows) words.push(this.#onlyNew ? t("Nothing is new") : t("Nothing was logged"));
    }
    setText(byId("patterns-said"), words.join(" · "));
    byId("patterns-again").hidden = !this.#problem;
  }

  /** @param {Pattern} one */
  #row(one) {
    const filter = h("button", {
      class: "pattern-text",
      type: "button",
      title: t("Only these lines"),
      onclick: () => this.#filter(one, ""),
    });
    filter.append(
      ...holesOf(one.pattern).map((part, at) =>
        at % 2 ? h("span", { class: "pattern-hole" }, part) : part,
      ),
    );
    const change = changeOf(one, this.#shown, this.#range);
    const row = h(
      "li",
      { class: "pattern", dataset: { key: `${one.level ?? ""} ${one.pattern}` } },
      h(
        "div",
        { class: "pattern-numbers" },
        h(
          "span",
          { class: "pattern-count", title: formatNumber(one.count) },
          formatShort(one.count),
        ),
        h(
          "span",
          { class: "pattern-change", title: t("{n} before", { n: formatNumber(one.before) }) },
          change.words,
        ),
        one.level ? h("span", { class: "pattern-level" }, levelWord(one.level)) : null,
        this.#spark(one),
      ),
      filter,
      h(
        "div",
        { class: "pattern-more" },
        h("time", { title: formatTime(one.last), datetime: one.last }, formatRelative(one.last)),
        appsOf(one),
        h(
          "button",
          { class: "small-action", type: "button", onclick: () => this.#goTo(one) },
          t("Show the last one"),
        ),
        h(
          "button",
          { class: "small-action", type: "button", onclick: () => this.#filter(one, "-") },
          t("Leave them out"),
        ),
      ),
    );
    if (one.level) row.dataset.level = one.level;
    row.dataset.change = change.kind;
    return row;
  }

  /** @param {Pattern} one */
  #spark(one) {
    if (!this.#shown) return null;
    const path = sparkOf(one, this.#shown);
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("class", "pattern-spark");
    svg.setAttribute("viewBox", "0 0 48 16");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", path);
    svg.append(line);
    return svg;
  }

  /** Shows a pattern's lines alone, or all others. @param {Pattern} one @param {"" | "-"} sign */
  #filter(one, sign) {
    this.#awayIfNarrow();
    this.log.toolbar.terms.add(termOf(one.expression, sign));
  }

  /** @param {Pattern} one */
  #goTo(one) {
    this.#awayIfNarrow();
    const { active, filter } = this.log.feed;
    if (active.passes) {
      // What hides it is put aside, and not lost.
      const terms = filter.terms.map(({ text }) => ({ text, off: true }));
      this.log.toolbar.set({ hide: false, terms, levels: [], container: "", stream: "" });
    }
    const there =
      "app" in one ? this.log.nav.jumpTo(Date.parse(one.last)) : this.log.nav.openAt(one.seq);
    void there.then(() => this.log.focusRows());
  }

  /** Where it stands over the log, the log is what one wants to see now. */
  #awayIfNarrow() {
    if (getComputedStyle(this.#box).position === "absolute") this.close();
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      return this.close();
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.isComposing) return;
    const all = [...this.#list.querySelectorAll(".pattern-text")];
    const row = target.closest(".pattern")?.querySelector(".pattern-text") ?? null;
    const to = all[row ? all.indexOf(row) + step : step > 0 ? 0 : -1];
    event.preventDefault();
    event.stopPropagation();
    if (to instanceof HTMLElement) to.focus();
    else if (step < 0) this.#find.focus();
  }
}

/** Which apps said it, the one that did most first. @param {Pattern} one */
function appsOf(one) {
  if (!("apps" in one)) return null;
  const [{ name }] = one.apps;
  const others = one.apps.length - 1;
  const all = one.apps
    .map((app) => `${app.name}: ${formatNumber(app.count)} (${formatNumber(app.before)})`)
    .join("\n");
  const words = others ? t("{name} and {n} more", { name, n: formatNumber(others) }) : name;
  return h("span", { class: "pattern-apps cut", title: all }, words);
}

/** @param {NonNullable<Patterns["deployed"]>} deployed */
function whenDeployed(deployed) {
  if ("time" in deployed) return formatTime(deployed.time);
  const [first, last] = [deployed.first, deployed.last].map((one) => formatTime(one));
  if (first === last) return first;
  return t("each since its own: from {first} until {last}", { first, last });
}

/** @param {string | null} said @returns {Range | null} */
function rangeOf(said) {
  return said === "day" || said === "today" || said === "deployment" ? said : null;
}

/** The panel and its button. @param {LogView} log */
export function setUpPatterns(log) {
  const panel = new PatternPanel(log);
  const toggle = () => (panel.isOpen ? panel.close() : panel.open());
  byId("log-patterns-button").addEventListener("click", toggle);
  bind({
    keys: "p",
    label: t("Patterns: what it says, how often, and what is new"),
    group: t("Log"),
    run: toggle,
  });
}
