// The terminals that are open now.

import { appAddress } from "../frame/addresses.js";
import { choose, onStep } from "../lib/address.js";
import { may } from "../frame/permissions.js";
import { call, Problem } from "../lib/api.js";
import { byId, h, icon, setAttribute, setChildren, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { formatNumber, t, tn } from "../lib/i18n.js";
import { confirmButton } from "../lib/list_item.js";
import { showRelative } from "../lib/relative_time.js";
import { commandWords, placeWords } from "./session_info.js";

/** @typedef {import("./session_info.js").TerminalRecord} TerminalRecord */

/** Announces `changed` when a terminal was ended here. */
export class OpenList extends EventTarget {
  #box = byId("terminals-open");
  #error = byId("terminals-open-error");
  #everybody = false;
  /** @type {Map<string, {row: HTMLElement, update: (terminal: TerminalRecord) => void}>} */
  #rows = new Map();
  #asked = 0;

  /**
   * @param {string} own the account's id
   * @param {boolean} admin
   */
  constructor(own, admin) {
    super();
    this.own = own;
    const choices = document.getElementById("terminals-whose");
    if (!admin || !choices) return;
    this.#everybody = new URLSearchParams(location.search).get("whose") === "all";
    onStep((params) => this.#choose(params.get("whose") === "all"));
    choices.addEventListener("click", (event) => {
      const chip = /** @type {Element} */ (event.target).closest("button");
      if (chip) this.#choose(chip.dataset.whose === "all");
    });
    this.#showChoice();
  }

  /** @param {boolean} everybody */
  #choose(everybody) {
    this.#everybody = everybody;
    choose({ whose: everybody ? "all" : "" });
    this.#showChoice();
    void this.load();
  }

  #showChoice() {
    for (const chip of document.querySelectorAll("#terminals-whose button")) {
      const all = /** @type {HTMLElement} */ (chip).dataset.whose === "all";
      setAttribute(chip, "aria-pressed", String(all === this.#everybody));
    }
  }

  async load() {
    const mine = ++this.#asked;
    try {
      const query = this.#everybody ? "?all=true" : "";
      const { terminals } = await call("GET", `/api/v1/terminals${query}`);
      if (mine !== this.#asked) return;
      this.#error.hidden = true;
      this.#draw(terminals);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (mine !== this.#asked) return;
      // What is shown stays: it was true a moment ago, and the sentence says that it may not be.
      setText(this.#error, sentence(error));
      this.#error.hidden = false;
    }
  }

  /** @param {TerminalRecord[]} terminals newest last */
  #draw(terminals) {
    setAttribute(this.#box, "aria-busy", "false");
    const shown = terminals.filter((one) => one.state === "running").reverse();
    const n = shown.length;
    setText(byId("terminals-count"), n ? tn("{n} open", "{n} open", n) : "");
    for (const id of this.#rows.keys()) {
      if (!shown.some((one) => one.id === id)) this.#rows.delete(id);
    }
    const rows = shown.map((one) => {
      let found = this.#rows.get(one.id);
      if (!found) this.#rows.set(one.id, (found = this.#row(one)));
      found.update(one);
      return found.row;
    });
    if (!n) return setChildren(this.#box, [this.#nothing()]);
    const list = this.#box.querySelector("ul") ?? h("ul", { class: "terminals-open" });
    setChildren(list, rows);
    setChildren(this.#box, [list]);
  }

  #nothing() {
    const old = this.#box.querySelector(".terminals-none");
    if (old instanceof HTMLElement) return old;
    return h(
      "div",
      { class: "terminals-none" },
      h("p", null, t("No terminal is open.")),
      may("terminal") &&
        h(
          "p",
          { class: "muted" },
          t(
            "Open one with the terminal button of an instance, on the page of its app or in the list of apps. It stays open when its tab is closed.",
          ),
        ),
      h("a", { class: "button", href: "/" }, t("Go to the apps")),
    );
  }

  /** @param {TerminalRecord} terminal */
  #row(terminal) {
    const { id } = terminal;
    const mine = String(terminal.account_id) === this.own;
    const command = h("code", { class: "cut" });
    const title = h("span", { class: "muted cut" });
    const since = h("time");
    showRelative(since, terminal.started, t("Opened"));
    const people = h("span", { class: "terminals-people" });
    const names = new Set([terminal.app, placeWords(terminal)]);
    const place = [...names].filter(Boolean).join(" ");
    const actions = h("div", { class: "terminals-actions" });
    if (mine) {
      actions.append(
        h(
          "a",
          {
            class: "button small",
            href: `/terminals/${id}`,
            "aria-label": t("Open the terminal in {place}", { place }),
          },
          t("Open"),
        ),
      );
    }
    actions.append(
      confirmButton(t("End"), t("End the terminal in {place}", { place }), async () => {
        await call("DELETE", `/api/v1/terminals/${id}`);
        this.dispatchEvent(new Event("changed"));
      }),
    );
    const row = h(
      "li",
      { class: "terminals-row", dataset: { row: id } },
      h(
        "span",
        { class: "terminals-where" },
        ...whereLink(terminal, mine ? `/terminals/${id}` : ""),
      ),
      h("span", { class: "terminals-what" }, command, title),
      h("span", { class: "terminals-since muted" }, since),
      people,
      actions,
    );
    const update = (/** @type {TerminalRecord} */ now) => {
      setText(command, commandWords(now));
      setAttribute(command, "title", commandWords(now));
      setText(title, now.title);
      showPeople(people, now, mine);
    };
    return { row, update };
  }
}

/**
 * Who is looking at it.
 *
 * @param {HTMLElement} box
 * @param {TerminalRecord} terminal
 * @param {boolean} mine
 */
function showPeople(box, terminal, mine) {
  const { people, names, account } = terminal;
  const who = names?.length ? names.join(t(", ")) : "";
  const words = people
    ? who || tn("{n} person looks", "{n} people look", people)
    : t("nobody looks, it goes on");
  const text = mine ? words : `${t("of {name}", { name: account })} · ${words}`;
  if (box.dataset.words === text) return;
  box.dataset.words = text;
  setChildren(box, [icon(people ? "eye" : "clock"), h("span", null, text)]);
  setAttribute(box, "title", people > 1 ? t("{n} windows", { n: formatNumber(people) }) : null);
}

/**
 * The app and the container a terminal is in.
 *
 * @param {TerminalRecord} terminal
 * @param {string} href where the name leads; "" for the app's page
 * @returns {HTMLElement[]}
 */
export function whereLink(terminal, href) {
  const place = placeWords(terminal);
  const { app } = terminal;
  const address = href || (app ? appAddress(app) : "");
  const name = app || place;
  const link = address
    ? h("a", { class: "terminals-app cut", href: address, title: name }, name)
    : h("span", { class: "terminals-app cut" }, name);
  const parts = [h("span", { class: "terminals-icon" }, icon("terminal")), link];
  if (app && place !== app) {
    parts.push(h("span", { class: "muted cut", title: terminal.image || null }, place));
  }
  return parts;
}
