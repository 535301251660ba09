// Choosing what to open: an instance, and perhaps a command, a user, a folder, or a toolbox beside
// it; and the terminals of this app that are open already.

import { call, Problem } from "../lib/api.js";
import { h, icon, setChildren, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { t } from "../lib/i18n.js";
import { redraw } from "../lib/redraw.js";
import { inventory } from "../live/inventory.js";
import { commandWords, placeWords } from "./session_info.js";
import { showRelative } from "../lib/relative_time.js";

/** @typedef {import("./terminal_api.js").TerminalRequest} TerminalRequest */
/** @typedef {import("./session_info.js").TerminalRecord} TerminalRecord */

let forms = 0;

export class OpenForm {
  #prefix = `open-${++forms}`;
  #instance = h("select", { class: "field", id: `${this.#prefix}-instance`, name: "container" });
  #command = this.#field("command", { placeholder: "bash, ash, sh", class: "field mono" });
  #user = this.#field("user", { placeholder: "root, 1000:1000", class: "field mono" });
  #folder = this.#field("folder", { placeholder: "/app", class: "field mono" });
  #toolbox = h("input", { type: "checkbox", name: "toolbox" });
  #error = h("p", { class: "error", role: "alert", hidden: true });
  #submit = h("button", { class: "button main", type: "submit" }, icon("terminal"), t("Open"));
  #none = h("p", { class: "muted", role: "status", hidden: true });
  /** What can be done where nothing runs. */
  #ways = h("div", { class: "term-ways", hidden: true });
  /** It was started from here: the keys go on here when it runs. */
  #started = false;
  #own = h("section", { class: "term-own", hidden: true });
  #more;
  element;

  /**
   * @param {string} app
   * @param {{open: (request: TerminalRequest, name: string) => Promise<void>, back: (terminal: TerminalRecord) => void,
   *   shown: () => string[], recording: boolean}} handlers `shown`: ids of those on this page
   */
  constructor(app, handlers) {
    this.app = app;
    this.handlers = handlers;
    const shell = [
      this.#row("command", t("Command"), this.#command, t("Empty: the best shell there is.")),
      this.#row("user", t("User"), this.#user, t("Empty: the user of the image.")),
      this.#row("folder", t("Folder"), this.#folder, t("Empty: the folder of the image.")),
    ];
    this.#more = h(
      "details",
      { class: "term-more" },
      h("summary", null, t("Command, user, folder, toolbox")),
      shell,
      h(
        "label",
        { class: "term-check" },
        this.#toolbox,
        h(
          "span",
          null,
          t("A toolbox beside the container"),
          h(
            "span",
            { class: "hint" },
            t(
              "For images without a shell: a container with tools that sees the processes, the network and the files of this one.",
            ),
          ),
        ),
      ),
    );
    this.#toolbox.addEventListener("change", () => {
      for (const row of shell) row.hidden = this.#toolbox.checked;
    });
    const form = h(
      "form",
      { class: "form term-form" },
      this.#row("instance", t("Instance"), this.#instance),
      this.#none,
      this.#ways,
      this.#more,
      handlers.recording &&
        h(
          "p",
          { class: "hint" },
          t(
            "What is shown is recorded, also of what is typed; what is not shown, as a password, never is.",
          ),
        ),
      this.#error,
      h("div", null, this.#submit),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#open();
    });
    this.element = h(
      "div",
      { class: "term-open" },
      h("h2", null, t("Open a terminal")),
      form,
      this.#own,
    );
    inventory.addEventListener("apps", () => this.show());
    this.show();
  }

  focus() {
    (this.#submit.disabled ? this.#instance : this.#submit).focus();
  }

  /** Brings the instances up to date. @param {string} [wanted] the id of one to choose */
  show(wanted = this.#instance.value) {
    const running = this.#running();
    const options = running.map((one) => h("option", { value: one.id }, one.name));
    if (options.length !== this.#instance.options.length || !sameOptions(this.#instance, options))
      redraw(this.#instance, options);
    const found = running.find((one) => one.id.startsWith(wanted.slice(0, 12)) && wanted);
    if (found) this.#instance.value = found.id;
    this.#none.hidden = running.length > 0 || !inventory.known;
    setText(this.#none, this.#whyNone());
    this.#showWays(running.length === 0);
    this.#submit.disabled = running.length === 0;
    if (!running.length || !this.#started) return;
    this.#started = false;
    if ([null, document.body].includes(/** @type {any} */ (document.activeElement))) this.focus();
  }

  /** Where nothing runs: what of the app's menu leads to something that does. @param {boolean} none */
  #showWays(none) {
    const items = none && inventory.known ? ["start", "containers"].map(menuItem) : [];
    const ways = items.filter((item) => item !== null && !item.hidden && !item.disabled);
    const names = ways.map((item) => item?.dataset.operate).join();
    this.#ways.hidden = !ways.length;
    // Nothing moves from under a hand.
    if (this.#ways.dataset.ways === names) return;
    this.#ways.dataset.ways = names;
    const buttons = ways.map((item) =>
      h(
        "button",
        {
          class: "button",
          type: "button",
          onclick: () => {
            this.#started = item?.dataset.operate === "start";
            item?.click();
          },
        },
        item?.textContent?.trim(),
      ),
    );
    setChildren(this.#ways, buttons);
  }

  /** @param {string} id */
  nameOf(id) {
    return this.#running().find((one) => one.id.startsWith(id.slice(0, 12)))?.name ?? "";
  }

  /** Looks which of the reader's own terminals of this app are open elsewhere. */
  async load() {
    try {
      const { terminals } = await call("GET", "/api/v1/terminals");
      const shown = this.handlers.shown();
      this.#showOwn(
        terminals.filter(
          (/** @type {TerminalRecord} */ one) => one.app === this.app && !shown.includes(one.id),
        ),
      );
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.#showOwn([]);
    }
  }

  /** @param {TerminalRecord[]} terminals */
  #showOwn(terminals) {
    this.#own.hidden = terminals.length === 0;
    redraw(this.#own, [
      h("h3", null, t("Yours that are open")),
      h(
        "ul",
        { class: "items" },
        terminals.map((one) => {
          const since = h("time");
          showRelative(since, one.started, t("Opened"));
          return h(
            "li",
            { class: "item", dataset: { key: one.id } },
            h("span", { class: "item-name" }, placeWords(one)),
            h("span", { class: "item-facts" }, commandWords(one), " · ", since),
            h(
              "button",
              {
                class: "button small",
                type: "button",
                onclick: () => this.handlers.back(one),
              },
              t("Come back to it"),
            ),
          );
        }),
      ),
    ]);
  }

  #running() {
    const instances = inventory.apps.get(this.app)?.instances ?? [];
    return instances.filter((one) => one.state === "running");
  }

  /** Why there is nothing to choose, and the way out of it for those who may go it. */
  #whyNone() {
    const there = inventory.apps.get(this.app)?.instances ?? [];
    const paused = there.some((one) => one.state === "paused");
    return paused
      ? t(
          "What is left of this app is paused. A terminal, and a toolbox, need a container that runs.",
        )
      : t(
          "No instance of this app runs now. A terminal, and a toolbox, need a container that runs.",
        );
  }

  async #open() {
    if (this.#submit.disabled) return;
    const container = this.#instance.value;
    const toolbox = this.#toolbox.checked;
    /** @type {TerminalRequest} */
    const request = toolbox
      ? { container, kind: "toolbox" }
      : {
          container,
          command: this.#command.value.trim(),
          user: this.#user.value.trim(),
          folder: this.#folder.value.trim(),
        };
    this.#submit.disabled = true;
    this.#error.hidden = true;
    try {
      await this.handlers.open(request, this.nameOf(container));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.fail(error);
    } finally {
      this.#submit.disabled = false;
      this.show();
    }
  }

  /** Says why nothing was opened. @param {Problem} problem */
  fail(problem) {
    setText(this.#error, sentence(problem));
    this.#error.hidden = false;
  }

  /**
   * @param {string} name
   * @param {import("../lib/dom.js").Props} props
   */
  #field(name, props) {
    return h("input", {
      id: `${this.#prefix}-${name}`,
      name,
      type: "text",
      autocomplete: "off",
      autocapitalize: "off",
      spellcheck: "false",
      maxlength: 4096,
      ...props,
    });
  }

  /**
   * @param {string} name
   * @param {string} label
   * @param {HTMLElement} field
   * @param {string} [hint]
   */
  #row(name, label, field, hint) {
    return h(
      "div",
      { class: "form-row" },
      h("label", { for: `${this.#prefix}-${name}` }, label),
      field,
      hint && h("span", { class: "hint" }, hint),
    );
  }
}

/**
 * What the menu of the app offers to who may operate it.
 * @param {string} what
 * @returns {HTMLButtonElement | null}
 */
function menuItem(what) {
  return document.querySelector(`#app-operate-menu [data-operate="${what}"]`);
}

/**
 * @param {HTMLSelectElement} select
 * @param {HTMLOptionElement[]} options
 */
function sameOptions(select, options) {
  return options.every(
    (one, i) => select.options[i].value === one.value && select.options[i].text === one.text,
  );
}
