// The bar over a terminal: where it is, who is there, what can be done with it.

import { h, icon, setAttribute, setText } from "../lib/dom.js";
import { t, tn } from "../lib/i18n.js";
import { redraw } from "../lib/redraw.js";
import { hangMenu } from "../lib/menu.js";
import { locksKeys, preferences } from "./preferences.js";
import { mac } from "./key_presses.js";

/** @typedef {import("./terminal_socket.js").TerminalSocket} TerminalSocket */
/** @typedef {{columns: number, rows: number}} Size */

/**
 * @typedef {{
 *   share: () => void, take: () => void, find: () => void, end: () => void, copy: () => void,
 *   paste: () => void, all: () => void, clear: () => void, full: () => void,
 * }} Actions
 */

let menus = 0;

export class ViewBar {
  #state = h("span", { class: "term-dot", "aria-hidden": "true" });
  #name = h("span", { class: "term-name cut" });
  #facts = h("span", { class: "term-facts cut" });
  #size = h("span", { class: "term-size cut", role: "status" });
  #recorded = h(
    "span",
    {
      class: "term-recorded",
      title: t(
        "What is shown is recorded, also of what is typed; what is not shown, as a password, never is.",
      ),
      hidden: true,
    },
    h("span", { class: "term-recorded-dot", "aria-hidden": "true" }),
    h("span", null, t("Recorded")),
  );
  #watching = h("span", { class: "badge warn", hidden: true }, t("Watching only"));
  #people = h("span", { class: "term-people", role: "status" });
  #take;
  #share;
  #end;
  #replay = h("a", { class: "menu-item" }, icon("play"), t("Replay from its start"));
  #font = h("span", { class: "end mono" });
  /** What may be switched on and off. @type {[import("./preferences.js").Switch, HTMLInputElement][]} */
  #switches = [];
  element;

  /** @param {Actions} actions */
  constructor(actions) {
    this.#take = this.#tool("keyboard", t("Take the keyboard back"), actions.take);
    this.#take.append(h("span", { class: "term-label" }, t("Take the keyboard back")));
    this.#take.hidden = true;
    this.#share = this.#tool("share", t("Share"), actions.share);
    this.#end = this.#tool("stop", t("End"), actions.end);
    const menu = this.#menu(actions);
    const more = this.#tool("more", t("More"), () => {});
    more.setAttribute("popovertarget", menu.id);
    more.setAttribute("aria-haspopup", "true");
    hangMenu(menu, more);
    this.menu = menu;
    this.element = h(
      "div",
      { class: "term-bar", role: "toolbar", "aria-label": t("Terminal") },
      this.#state,
      this.#name,
      this.#facts,
      this.#watching,
      this.#size,
      h(
        "div",
        { class: "term-tools" },
        this.#people,
        this.#recorded,
        this.#take,
        this.#share,
        this.#tool("search", t("Find in the terminal (Ctrl+Shift+F)"), actions.find),
        more,
        this.#end,
      ),
      menu,
    );
  }

  /** @param {Actions} actions */
  #menu(actions) {
    const close = (/** @type {() => void} */ run) => () => {
      menu.hidePopover();
      run();
    };
    const entry = (
      /** @type {string} */ name,
      /** @type {string} */ label,
      /** @type {() => void} */ run,
      /** @type {string} */ keys = "",
    ) =>
      h(
        "button",
        { class: "menu-item", type: "button", onclick: close(run) },
        icon(name),
        label,
        keys && h("kbd", null, keys),
      );
    const menu = h(
      "div",
      { class: "menu term-menu", id: `term-menu-${++menus}`, popover: "auto" },
      entry("copy", t("Copy"), actions.copy, "Ctrl+⇧+C"),
      entry("paste", t("Paste"), actions.paste, "Ctrl+⇧+V"),
      entry("logs", t("Copy everything"), actions.all),
      entry("close", t("Clear what scrolled away"), actions.clear),
      h("hr", { class: "menu-line" }),
      h(
        "div",
        { class: "menu-item term-fonts", role: "group", "aria-label": t("Size of letters") },
        icon("settings"),
        h("span", null, t("Size of letters")),
        this.#font,
        this.#step("−", t("Smaller letters"), -1),
        this.#step("+", t("Larger letters"), 1),
      ),
      this.#switch("screenReader", t("Read out what is printed")),
      mac && this.#switch("optionIsMeta", t("Option is the Meta key")),
      locksKeys() &&
        this.#switch("fullKeys", t("In full screen, Ctrl+W, T and N are the terminal's")),
      entry("full", t("Full screen"), actions.full),
      h("hr", { class: "menu-line" }),
      this.#replay,
    );
    menu.addEventListener("beforetoggle", () => this.#showPreferences());
    return menu;
  }

  #showPreferences() {
    setText(this.#font, String(preferences.fontSize));
    for (const [name, box] of this.#switches) box.checked = preferences[name];
  }

  /**
   * @param {import("./preferences.js").Switch} name
   * @param {string} label
   */
  #switch(name, label) {
    const box = h("input", { type: "checkbox" });
    box.addEventListener("change", () => (preferences[name] = box.checked));
    this.#switches.push([name, box]);
    return h("label", { class: "menu-item" }, box, h("span", null, label));
  }

  /**
   * @param {string} sign
   * @param {string} label
   * @param {number} step px
   */
  #step(sign, label, step) {
    return h(
      "button",
      {
        class: "tool",
        type: "button",
        "aria-label": label,
        onclick: () => {
          preferences.fontSize += step;
          this.#showPreferences();
        },
      },
      sign,
    );
  }

  /**
   * @param {string} name
   * @param {string} label
   * @param {() => void} run
   */
  #tool(name, label, run) {
    return h(
      "button",
      { class: "tool", type: "button", "aria-label": label, title: label, onclick: run },
      icon(name),
    );
  }

  /** Puts a button of somebody else before the menu. @param {HTMLElement} tool */
  add(tool) {
    this.#share.after(tool);
  }

  focus() {
    const first = [...this.element.querySelectorAll("button")].find(
      (button) => button.getClientRects().length > 0,
    );
    first?.focus();
  }

  /**
   * @param {TerminalSocket} socket
   * @param {{name: string, facts: string, opens?: boolean}} words `opens`: the reader may open new
   *   ones, and so see every recording
   */
  show(socket, { name, facts, opens }) {
    const { phase, session, mode, people, me } = socket;
    const there = phase === "attached";
    setAttribute(this.#state, "data-phase", phase);
    setText(this.#name, name);
    setText(this.#facts, facts);
    setAttribute(this.#facts, "title", facts || null);
    this.#recorded.hidden = !session?.recorded || !there;
    this.#watching.hidden = mode !== "watch" || !there;
    const own = mode === "own";
    const others = there ? people.filter((one) => one.id !== me) : [];
    this.#take.hidden = !own || !others.some((one) => one.mode === "type");
    this.#share.hidden = !own || !there;
    this.#end.hidden = !own || !there;
    this.#replay.hidden = !session?.recorded || !(own || opens);
    this.#replay.href = session ? `/terminals/${session.id}/replay` : "#";
    this.#showPeople(others);
  }

  /** @param {import("./terminal_socket.js").Person[]} others */
  #showPeople(others) {
    const names = others.map((one) =>
      h(
        "span",
        {
          class: "term-person",
          title:
            one.mode === "watch"
              ? t("{name} watches", { name: one.name })
              : t("{name} may type", { name: one.name }),
        },
        icon(one.mode === "watch" ? "eye" : one.keyboard ? "keyboard" : "person"),
        h("span", null, one.name),
      ),
    );
    const shown = names.slice(0, 3);
    if (names.length > 3) {
      shown.push(h("span", { class: "term-person" }, tn("{n} more", "{n} more", names.length - 3)));
    }
    redraw(this.#people, shown);
  }

  /**
   * Why it is smaller than there is room for, if it is.
   *
   * @param {TerminalSocket} socket
   * @param {Size} room
   * @param {Size} size
   * @param {number[]} by ids of those whose window is the smallest
   */
  showSize({ people, me, sizedBy }, room, size, by) {
    const smaller = size.columns < room.columns || size.rows < room.rows;
    const who = by.includes(me) ? undefined : people.find((one) => by.includes(one.id));
    const facts = { columns: String(size.columns), rows: String(size.rows), name: who?.name ?? "" };
    const why =
      sizedBy === "smallest"
        ? t("{columns}×{rows}, because the window of {name} is smaller", facts)
        : t("{columns}×{rows}, as the window of {name}", facts);
    const text = smaller && who ? why : "";
    setText(this.#size, text);
    setAttribute(this.#size, "title", text || null);
  }
}
