// The form of a specification beside its YAML: two views of one model. For a new app, and for the
// configuration of one that is there.

import { h, icon, setChildren, setText } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import {
  choiceField,
  flagField,
  healthField,
  namesField,
  numberField,
  routeField,
  textField,
  wordsField,
  withoutName,
} from "./form_fields.js";
import { pairsField, portsField, secretsField, volumesField } from "./form_rows.js";

/** @typedef {import("./spec_model.js").SpecModel} SpecModel */
/** @typedef {import("./form_fields.js").FormField} FormField */
/** @typedef {{title: string, open?: boolean, fields: FormField[]}} Group */

/** Fields that have a place of their own outside of the groups: from what an app is made. */
const ELSEWHERE = ["image", "build"];

export class SpecForm {
  /** @type {Group[]} */
  #groups;
  #details = /** @type {HTMLDetailsElement[]} */ ([]);
  #form = h("div", { class: "spec-groups" });
  #yaml = h("textarea", {
    class: "area mono spec-yaml",
    rows: 24,
    spellcheck: "false",
    autocapitalize: "off",
    "aria-label": t("The app as YAML"),
  });
  #yamlError = h("p", { class: "spec-error", role: "alert", hidden: true });
  #more = h("p", { class: "hint", hidden: true });
  #views;

  /** @param {SpecModel} model */
  constructor(model) {
    this.model = model;
    this.#groups = groupsOf(model);
    this.#details = this.#groups.map(groupElement);
    this.#form.append(...this.#details, this.#more);
    const yaml = h(
      "div",
      { class: "spec-text", hidden: true },
      h(
        "p",
        { class: "hint" },
        t("The same as in the form, and fields that the form does not have."),
      ),
      this.#yamlError,
      this.#yaml,
    );
    this.#views = viewsOf({ [t("Form")]: this.#form, YAML: yaml }, () => this.#update());
    this.element = h("div", { class: "spec-form" }, this.#views.bar, this.#form, yaml);
    this.#yaml.addEventListener("input", () => model.setText(this.#yaml.value));
    this.#yaml.addEventListener("keydown", (event) => indent(event, this.#yaml));
    model.addEventListener("change", () => this.#update());
    // What was under somebody's hands is shown as it is once they are off.
    this.element.addEventListener("focusout", () => setTimeout(() => this.#update()));
    this.#update();
  }

  /**
   * Shows an error at the field that it is about; false where there is none here.
   *
   * @param {string} name as the API calls it: `health.within`, `ports[1]`
   * @param {string} message
   * @param {boolean} [focus] whether somebody waits for it: else it takes nothing away from them
   */
  showError(name, message, focus = true) {
    this.clearErrors();
    if (this.#views.chosen() !== 0) {
      setText(this.#yamlError, message);
      this.#yamlError.hidden = false;
      return true;
    }
    const found = this.#fieldOf(name);
    if (!found) return false;
    // Of several rows it has to be said which one it is about.
    const alone = found.field.field === name || ["route", "health"].includes(found.field.field);
    found.field.showError(alone ? withoutName(message, name) : message, name);
    if (!focus) return true;
    found.group.open = true;
    const { element } = found.field;
    const control =
      element.querySelector("[aria-invalid]") ?? element.querySelector("input, select, button");
    if (control instanceof HTMLElement) control.focus();
    found.field.element.scrollIntoView({ block: "nearest" });
    return true;
  }

  clearErrors() {
    for (const { fields } of this.#groups) for (const field of fields) field.showError("");
    this.#showTextError();
  }

  /** @param {string} name */
  #fieldOf(name) {
    const key = name.split(/[.[]/, 1)[0];
    let best = null;
    for (const [n, { fields }] of this.#groups.entries()) {
      for (const field of fields) {
        if (field.field !== name && field.field !== key) continue;
        if (!best || field.field === name) best = { field, group: this.#details[n] };
      }
    }
    return best;
  }

  #update() {
    for (const [n, { fields }] of this.#groups.entries()) {
      for (const field of fields) field.update();
      const count = fields.filter((field) => field.isSet()).length;
      const mark = /** @type {Element} */ (this.#details[n].querySelector(".spec-count"));
      setText(mark, count ? String(count) : "");
    }
    if (document.activeElement !== this.#yaml) this.#yaml.value = this.model.text;
    this.#showTextError();
    const known = this.#groups.flatMap(({ fields }) => fields.map(({ field }) => field));
    const others = Object.keys(this.model.toSpec()).filter(
      (key) => !ELSEWHERE.includes(key) && !known.includes(key),
    );
    setText(this.#more, t("Also set, in the YAML alone: {names}", { names: others.join(", ") }));
    this.#more.hidden = !others.length;
  }

  #showTextError() {
    const { error } = this.model;
    this.#yamlError.hidden = !error;
    if (error) setText(this.#yamlError, textError(error));
  }
}

/** @param {import("./spec_model.js").TextError} error */
function textError({ message, line }) {
  if (message === "not-an-object") {
    return t("Write names with their values, such as “image: nginx:1.27”.");
  }
  return line ? t("Line {line}: {message}", { line, message }) : message;
}

/**
 * A choice of views, of which one is shown.
 *
 * @param {Record<string, HTMLElement>} views by their labels
 * @param {() => void} changed
 */
function viewsOf(views, changed) {
  const elements = Object.values(views);
  let chosen = 0;
  /** @param {number} n */
  const choose = (n) => {
    chosen = n;
    for (const [at, element] of elements.entries()) element.hidden = at !== n;
    for (const [at, button] of buttons.entries()) {
      button.setAttribute("aria-pressed", String(at === n));
    }
    changed();
  };
  const buttons = Object.keys(views).map((label, n) =>
    h(
      "button",
      { class: "chip", type: "button", "aria-pressed": String(n === 0), onclick: () => choose(n) },
      label,
    ),
  );
  const bar = h(
    "div",
    { class: "chips spec-views", role: "group", "aria-label": t("How it is shown") },
    buttons,
  );
  return { bar, chosen: () => chosen };
}

/** @param {Group} group */
function groupElement({ title, open, fields }) {
  const details = h(
    "details",
    { class: "spec-group" },
    h(
      "summary",
      null,
      icon("chevron"),
      h("span", null, title),
      h("span", { class: "spec-count faint" }),
    ),
    h("div", { class: "spec-fields" }),
  );
  const box = /** @type {Element} */ (details.lastElementChild);
  setChildren(
    box,
    fields.map((field) => field.element),
  );
  details.open = open ?? false;
  return details;
}

/**
 * Tab writes two spaces, as YAML has it; Escape first, and Tab goes on as everywhere.
 *
 * @param {KeyboardEvent} event
 * @param {HTMLTextAreaElement} area
 */
function indent(event, area) {
  if (event.key === "Escape") area.dataset.leaves = "yes";
  else if (event.key !== "Tab") delete area.dataset.leaves;
  else if (!event.shiftKey && !area.dataset.leaves) {
    event.preventDefault();
    area.setRangeText("  ", area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input"));
  }
}

/**
 * @param {SpecModel} model
 * @returns {Group[]}
 */
function groupsOf(model) {
  return [
    {
      title: t("How it is reached"),
      open: true,
      fields: [
        numberField(model, ["port"], {
          label: t("Port"),
          placeholder: t("none"),
          hint: t("On which it takes requests in its container. Once the port answers, it serves."),
        }),
        routeField(model, {
          label: t("People open it in a browser"),
          hint: t("Through the gateway, which holds requests while a new release takes over."),
          host: {
            label: t("Domain"),
            placeholder: t("none: <app>.localhost, and a port of its own"),
            hint: t("One that leads to this machine; with HTTPS where that is possible."),
            mono: true,
          },
          path: { label: t("Path"), placeholder: "/", hint: t("And all below it."), mono: true },
        }),
      ],
    },
    {
      title: t("Variables and secrets"),
      fields: [
        pairsField(model, "env", {
          label: t("Variables"),
          hint: t("Its environment. The text of a .env file can be pasted whole."),
          add: t("A variable"),
        }),
        secretsField(model, {
          label: t("Secrets"),
          hint: t(
            "As variables, and as files in /run/secrets. Kept encrypted, never shown again, and masked in every log.",
          ),
          add: t("A secret"),
        }),
      ],
    },
    {
      title: t("Storage"),
      fields: [
        volumesField(model, {
          label: t("Volumes"),
          hint: t(
            "What it writes there stays when it is replaced. A name is a volume; a path is one of the machine, which only an admin may give.",
          ),
          add: t("A volume"),
        }),
      ],
    },
    {
      title: t("Command"),
      fields: [
        wordsField(model, ["command"], {
          label: t("Command"),
          placeholder: t("as the image has it"),
          hint: t("What runs, with its arguments, quoted as for a shell. Nothing is substituted."),
        }),
        wordsField(model, ["release_command"], {
          label: t("Release command"),
          placeholder: t("none"),
          hint: t(
            "Run once in the new image before it takes over, such as a migration. When it fails, nothing changes.",
          ),
        }),
        flagField(model, ["job"], {
          label: t("It is meant to end"),
          hint: t(
            "A job, such as an import: it is done when it ends with 0, has failed when it ends otherwise, and nobody opens it in a browser.",
          ),
        }),
      ],
    },
    {
      title: t("Health"),
      fields: [
        healthField(
          model,
          {
            label: t("It serves once"),
            hint: t("Asked from outside: the image needs no shell for it."),
            within: {
              label: t("Within seconds"),
              placeholder: "30",
              hint: t("Else the deployment fails, and the release before stays."),
            },
          },
          [
            { kind: "", label: t("its port answers; without one, it has run for 10 s") },
            {
              kind: "http",
              label: t("a page answers"),
              value: {
                label: t("Path of the page"),
                placeholder: "/healthz",
                hint: t("With 200 to 399."),
                mono: true,
              },
            },
            {
              kind: "tcp",
              label: t("a port takes connections"),
              value: { label: t("Port"), placeholder: t("that of the app"), hint: "" },
            },
            {
              kind: "command",
              label: t("a command ends well"),
              value: { label: t("Command in the container"), placeholder: "pg_isready", hint: "" },
            },
          ],
        ),
      ],
    },
    {
      title: t("Instances and limits"),
      fields: [
        numberField(model, ["replicas"], {
          label: t("Instances"),
          placeholder: "1",
          hint: t("How many run at once."),
        }),
        textField(model, ["memory"], {
          label: t("Memory"),
          placeholder: t("no limit"),
          hint: t("At most, such as 256m or 2g: an instance that wants more is killed."),
        }),
        numberField(model, ["cpus"], {
          label: t("Processors"),
          placeholder: t("no limit"),
          hint: t("At most, such as 0.5."),
        }),
      ],
    },
    {
      title: t("Ports, networks, labels, stopping"),
      fields: [
        portsField(model, {
          label: t("Ports of the machine"),
          hint: t(
            "Open on all its addresses, for what the gateway cannot pass on, such as a database. Only one release can have them: there is a moment without service.",
          ),
          add: t("A port"),
        }),
        namesField(model, ["networks"], {
          label: t("Networks"),
          placeholder: t("none"),
          hint: t("Others that are there already. Apps find each other by name anyway."),
          mono: true,
        }),
        pairsField(model, "labels", {
          label: t("Labels"),
          hint: t("On its containers, for other programs."),
          add: t("A label"),
        }),
        choiceField(
          model,
          ["restart"],
          { label: t("When it ends"), hint: t("What happens when its program ends by itself.") },
          [
            ["always", t("it is started again")],
            ["on-failure", t("it is started again where it failed")],
            ["no", t("it stays ended")],
          ],
        ),
        numberField(model, ["stop_grace"], {
          label: t("Seconds to stop"),
          placeholder: "10",
          hint: t("From the signal to end until it is killed."),
        }),
      ],
    },
  ];
}
