// The audit list: who opened what, where, when, from which address, and how it ended.

import { whereLink } from "./open_list.js";
import { choose, onStep } from "../lib/address.js";
import { call, Problem } from "../lib/api.js";
import { ColumnWidths } from "../lib/column_widths.js";
import { byId, h, icon, setAttribute, setChildren, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { formatBytes, formatDuration, formatTime, t, toDate } from "../lib/i18n.js";
import { inventory } from "../live/inventory.js";
import { redraw, redrawn } from "../lib/redraw.js";
import { showRelative } from "../lib/relative_time.js";
import { commandWords, endedBadly, endWords } from "./session_info.js";

/** @typedef {import("./session_info.js").TerminalRecord} TerminalRecord */

const PAGE = 50;

/** @param {string} id */
const select = (id) => /** @type {HTMLSelectElement | null} */ (document.getElementById(id));

/** @param {URLSearchParams} params */
function wantedIn(params) {
  return { app: params.get("app") ?? "", account: params.get("person") ?? "" };
}

export class AuditList {
  #box = byId("terminals-past");
  #error = byId("terminals-past-error");
  #older = /** @type {HTMLButtonElement} */ (byId("terminals-older"));
  #app = select("terminals-app");
  #person = select("terminals-person");
  /** @type {TerminalRecord[]} newest first */
  #all = [];
  /** Where the older ones begin; null when there are none. @type {number | null} */
  #next = null;
  /** @type {Map<string, {row: HTMLElement, as: string}>} */
  #rows = new Map();
  #asked = 0;

  #widths = new ColumnWidths("terminals-past", this.#box, (name) =>
    this.#box.querySelectorAll(`tr > .${name}`),
  );

  /** @param {boolean} admin */
  constructor(admin) {
    this.admin = admin;
    this.#wanted = wantedIn(new URLSearchParams(location.search));
    onStep((params) => {
      this.#wanted = wantedIn(params);
      this.#showChoices();
      void this.load();
    });
    this.#older.addEventListener("click", () => void this.#loadOlder());
    for (const field of [this.#app, this.#person]) {
      field?.addEventListener("change", () => this.#choose());
    }
    inventory.addEventListener("apps", () => this.#showChoices());
    this.#showChoices();
    if (admin) void this.#loadPeople();
  }

  /** @type {{app: string, account: string}} */
  #wanted;
  /** @type {string[]} */
  #people = [];

  async #loadPeople() {
    const { accounts } = await call("GET", "/api/v1/accounts").catch(() => ({ accounts: [] }));
    this.#people = accounts.map((/** @type {{username: string}} */ one) => one.username);
    this.#showChoices();
  }

  /** The choices: what there is, what the list names, and what the address asked for. */
  #showChoices() {
    fill(this.#app, t("All apps"), this.#wanted.app, [
      ...inventory.apps.keys(),
      ...this.#all.map((one) => one.app),
    ]);
    fill(this.#person, t("All people"), this.#wanted.account, [
      ...this.#people,
      ...this.#all.map((one) => one.account),
    ]);
  }

  #choose() {
    this.#wanted = { app: this.#app?.value ?? "", account: this.#person?.value ?? "" };
    choose({ app: this.#wanted.app, person: this.#wanted.account });
    void this.load();
  }

  /** @param {number | null} before */
  async #ask(before) {
    const query = new URLSearchParams({ limit: String(PAGE) });
    for (const [name, value] of Object.entries(this.#wanted)) if (value) query.set(name, value);
    if (before !== null) query.set("before", String(before));
    return call("GET", `/api/v1/terminals/history?${query}`);
  }

  /** The newest ones, and nothing else. */
  async load() {
    await this.#try(async (mine) => {
      const found = await this.#ask(null);
      if (mine !== this.#asked) return;
      this.#all = found.terminals;
      this.#next = found.next;
      this.#draw();
    });
  }

  /** Something changed: the newest ones anew, those that were loaded before stay below. */
  async refresh() {
    await this.#try(async (mine) => {
      const found = await this.#ask(null);
      if (mine !== this.#asked) return;
      const last = found.terminals.at(-1)?.id;
      const at = this.#all.findIndex((one) => one.id === last);
      const fresh = new Set(found.terminals.map((/** @type {TerminalRecord} */ one) => one.id));
      const kept = this.#all.filter((one, i) => i > at && !fresh.has(one.id));
      // More than a page of new ones at once: what was loaded does not join, so it goes.
      if (at < 0 || !kept.length) {
        this.#all = found.terminals;
        this.#next = found.next;
      } else this.#all = [...found.terminals, ...kept];
      this.#draw();
    });
  }

  async #loadOlder() {
    if (this.#next === null) return;
    this.#older.disabled = true;
    const before = this.#next;
    await this.#try(async (mine) => {
      const found = await this.#ask(before);
      if (mine !== this.#asked) return;
      const known = new Set(this.#all.map((one) => one.id));
      const older = found.terminals.filter(
        (/** @type {TerminalRecord} */ one) => !known.has(one.id),
      );
      this.#all = [...this.#all, ...older];
      this.#next = found.next;
      this.#draw();
      const first = older[0] && this.#rows.get(older[0].id)?.row.querySelector("a, button");
      if (first instanceof HTMLElement) first.focus({ preventScroll: true });
    });
    this.#older.disabled = false;
  }

  /** @param {(mine: number) => Promise<void>} run */
  async #try(run) {
    const mine = ++this.#asked;
    try {
      await run(mine);
      if (mine === this.#asked) this.#error.hidden = true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (mine !== this.#asked) return;
      setText(this.#error, sentence(error));
      this.#error.hidden = false;
    }
  }

  #draw() {
    setAttribute(this.#box, "aria-busy", "false");
    this.#older.hidden = this.#next === null;
    this.#showChoices();
    if (!this.#all.length) return setChildren(this.#box, [this.#nothing()]);
    for (const id of this.#rows.keys()) {
      if (!this.#all.some((one) => one.id === id)) this.#rows.delete(id);
    }
    const rows = this.#all.map((one) => {
      const as = JSON.stringify(one);
      const found = this.#rows.get(one.id);
      if (found?.as === as) return found.row;
      const row = redrawn(found?.row, pastRow(one, this.admin));
      this.#rows.set(one.id, { row, as });
      return row;
    });
    const table = this.#box.querySelector("table") ?? pastTable(this.admin, this.#widths);
    setChildren(/** @type {Element} */ (table.tBodies[0]), rows);
    setChildren(this.#box, [table]);
  }

  #nothing() {
    const filtered = this.#wanted.app || this.#wanted.account;
    return h(
      "div",
      { class: "terminals-none" },
      h("p", null, filtered ? t("No terminal matches.") : t("No terminal was opened yet.")),
      filtered &&
        h(
          "button",
          {
            class: "button",
            type: "button",
            onclick: () => {
              for (const field of [this.#app, this.#person]) if (field) field.value = "";
              this.#choose();
            },
          },
          t("Clear the filter"),
        ),
    );
  }
}

/**
 * @param {HTMLSelectElement | null} field
 * @param {string} all
 * @param {string} chosen
 * @param {string[]} names
 */
function fill(field, all, chosen, names) {
  if (!field) return;
  const wanted = [...new Set([...names, chosen])].filter(Boolean).sort(order.compare);
  const now = [...field.options].slice(1).map((one) => one.value);
  if (wanted.join("\n") !== now.join("\n")) {
    redraw(field, [
      h("option", { value: "" }, all),
      ...wanted.map((name) => h("option", { value: name }, name)),
    ]);
  }
  field.value = chosen;
  field.classList.toggle("tool-on", chosen !== "");
}

const order = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

const FIXED = new Set(["end", "tape"]); // how it ended has the rest

/** @param {boolean} admin @param {ColumnWidths} widths */
function pastTable(admin, widths) {
  const columns = [
    ["where", t("Where")],
    ["what", t("Command")],
    ...(admin ? [["who", t("Who")]] : []),
    ["when", t("When")],
    ["from", t("From")],
    ["end", t("How it ended")],
    ["tape", t("Recording")],
  ];
  return h(
    "table",
    {
      class: `list-table fixed terminals-past${admin ? " admin" : ""}`,
      "aria-labelledby": "terminals-past-title",
    },
    h(
      "thead",
      null,
      h(
        "tr",
        null,
        columns.map(([name, label]) =>
          h(
            "th",
            { class: name, scope: "col", "aria-label": label },
            label,
            !FIXED.has(name) && widths.handle(name, label),
          ),
        ),
      ),
    ),
    h("tbody", null),
  );
}

/**
 * @param {TerminalRecord} one
 * @param {boolean} admin
 */
function pastRow(one, admin) {
  const when = h("time");
  showRelative(when, one.started, t("Opened"));
  const length = one.ended
    ? formatDuration((toDate(one.ended).getTime() - toDate(one.started).getTime()) / 1000)
    : "";
  if (one.ended) when.title += `\n${t("Ended")} ${formatTime(one.ended)}`;
  const command = commandWords(one);
  return h(
    "tr",
    { dataset: { row: one.id } },
    h("td", { class: "where" }, h("span", { class: "terminals-where" }, ...whereLink(one, ""))),
    h("td", { class: "what" }, h("code", { class: "cut", title: command }, command)),
    admin && h("td", { class: "who cut", title: one.account }, one.account),
    h("td", { class: "when" }, when, length && h("span", { class: "muted" }, ` · ${length}`)),
    h("td", { class: "from mono" }, one.address),
    h("td", { class: "end" }, endMark(one)),
    h("td", { class: "tape" }, tape(one)),
  );
}

/** @param {TerminalRecord} one */
function endMark(one) {
  if (one.state === "running") return h("span", { class: "badge ok" }, t("open"));
  return h("span", { class: endedBadly(one) ? "terminals-bad" : "" }, endWords(one));
}

/** @param {TerminalRecord} one */
function tape(one) {
  if (!one.recorded) return h("span", { class: "faint" }, t("none"));
  if (one.state === "running") return h("span", { class: "muted" }, t("recording"));
  const place = one.app || t("this machine");
  return h(
    "a",
    { class: "button small", href: `/terminals/${one.id}/replay` },
    icon("play"),
    t("Replay"),
    h("span", { class: "quiet" }, t("of the terminal in {place}", { place })),
    one.recording_bytes > 0 && h("span", { class: "muted" }, formatBytes(one.recording_bytes)),
  );
}
