// From a Compose file: an app for each of its services, each to be looked at and changed before.

import { call, Problem } from "../lib/api.js";
import { h, icon, setChildren, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { t, tn } from "../lib/i18n.js";
import { askFirst, send, unreadable, withSwarm } from "./begin.js";
import { ComposeVariables } from "./compose_variables.js";
import { chosenFolder, droppedFolder, packed, Unreadable } from "./folder.js";
import { leftList } from "./left.js";
import { NameField } from "./name_field.js";
import { nameOf } from "./names.js";
import { stackAddress } from "./stack_box.js";
import { StackService } from "./stack_service.js";
import { TeamField } from "./team_field.js";

/** @typedef {import("./new_app.js").Draft} Draft */
/** @typedef {import("./folder.js").Folder} Folder */
/** @typedef {import("../types/api.js").ComposeDraft} ComposeDraft */

const PAUSE = 500; // ms after the last letter
const ENV = ".env";
const EXAMPLE = /^[^/]*env[^/]*$/i; // `.env.example`, beside the file itself
const SAMPLE = `services:
  web:
    image: nginx:1.27
`;

/**
 * @param {Draft} draft
 * @returns {import("./new_app.js").Way}
 */
export function composeWay(draft) {
  const way = new ComposeWay(draft);
  return {
    kind: "compose",
    label: t("Compose file"),
    element: way.element,
    enter: () => way.area.focus(),
    leave: () => {},
    take: async (text) => way.setText(text),
    fields: [],
    isReady: () => way.services.length > 0,
    before: async () => {},
    folder: () => null,
    alone: { element: way.plan, deploy: () => way.deploy() },
  };
}

class ComposeWay {
  /** @type {StackService[]} */
  services = [];
  plan = h("div", { class: "new-stack-plan" });
  area = h("textarea", {
    class: "area mono spec-compose",
    id: "compose-text",
    rows: 14,
    spellcheck: "false",
    autocapitalize: "off",
    placeholder: SAMPLE,
    "aria-describedby": "compose-hint compose-error",
  });
  #name = new NameField({
    label: t("Stack"),
    hint: t("Its apps are called “stack.service”. They share a network of their own."),
  });
  #team = new TeamField(() => this.services.map(({ told }) => told.app));
  #error = h("p", { class: "spec-error", id: "compose-error", role: "alert", hidden: true });
  #beside = h("p", { class: "hint" });
  #variables = new ComposeVariables((line) => this.#showLine(line));
  #services = h("div", { class: "spec-groups", hidden: true });
  #left = h("div", { class: "spec-left", hidden: true });
  /** @type {Folder | null} */
  #folder = null;
  #timer = 0;
  #asked = 0;

  /** @param {Draft} draft */
  constructor(draft) {
    this.draft = draft;
    const picker = h("input", {
      type: "file",
      class: "quiet",
      webkitdirectory: true,
      multiple: true,
      tabindex: "-1",
      "aria-hidden": "true",
    });
    picker.addEventListener("change", () => {
      if (picker.files?.length) void this.#takeFolder(chosenFolder(picker.files, []));
      picker.value = "";
    });
    this.element = h(
      "div",
      { class: "new-way" },
      h(
        "div",
        { class: "form-row spec-row" },
        h("label", { for: "compose-text" }, t("Compose file")),
        this.area,
        this.#error,
        h(
          "p",
          { class: "hint", id: "compose-hint" },
          t(
            "Paste its text, or drop it with the folder that it is in: what it names there comes along.",
          ),
        ),
        h(
          "div",
          { class: "new-look" },
          h(
            "button",
            { class: "button small", type: "button", onclick: () => picker.click() },
            icon("upload"),
            t("Choose its folder"),
          ),
          picker,
          this.#beside,
        ),
      ),
      h("div", { class: "spec-groups" }, this.#variables.env),
      this.#name.element,
      this.#team.element,
      this.#variables.element,
      this.#services,
      this.#left,
    );
    this.area.addEventListener("input", () => this.#soon());
    this.#variables.addEventListener("change", () => this.#soon());
    this.element.addEventListener("dragover", (event) => event.preventDefault());
    this.element.addEventListener("drop", (event) => {
      const items = event.dataTransfer?.items;
      if (!items?.length || items[0].kind !== "file") return;
      event.preventDefault();
      void this.#takeFolder(droppedFolder(items, []));
    });
    this.#name.addEventListener("change", () => this.#soon());
    this.#team.addEventListener("change", () => this.#plansSoon());
    this.#showPlan();
  }

  /** @param {string} text */
  setText(text) {
    this.area.value = text;
    this.#soon();
  }

  /** @param {Promise<Folder>} coming */
  async #takeFolder(coming) {
    let folder;
    try {
      folder = await coming;
    } catch (thrown) {
      if (!(thrown instanceof Unreadable)) throw thrown;
      return this.#showError(unreadable(thrown.path));
    }
    const names = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
    const name = names.find((one) => folder.texts[one] !== undefined);
    const alone = folder.files.length === 1 ? Object.values(folder.texts)[0] : undefined;
    const text = name ? folder.texts[name] : alone;
    if (text !== undefined) this.area.value = text;
    // Small files that are mounted come along as texts.
    for (const { path, file } of folder.files) {
      if (path in folder.texts || file.size > 32 * 1024 || path.split("/").length > 3) continue;
      const read = await file.text().catch(() => "\0"); // one that cannot be read is named later
      if (!read.includes("\0")) folder.texts[path] = read;
    }
    this.#folder = folder;
    if (folder.texts[ENV] !== undefined) this.#variables.text = folder.texts[ENV];
    this.#name.suggest(nameOf(folder.name));
    const n = folder.files.length;
    setText(this.#beside, tn("{n} file is beside it.", "{n} files are beside it.", n));
    this.#soon();
  }

  #soon() {
    const named = /^name:\s*["']?([\w.-]+)/m.exec(this.area.value);
    if (named) this.#name.suggest(nameOf(named[1]));
    else if (!this.#name.value && this.area.value.trim()) this.#name.suggest("stack");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#read(), PAUSE);
  }

  async #read() {
    const asked = ++this.#asked;
    const text = this.area.value;
    this.#showError("");
    if (!text.trim()) return this.#take(null);
    try {
      const found = await call("POST", "/api/v1/drafts/compose", {
        text,
        name: this.#name.value,
        files: this.#texts(text),
        variables: Object.fromEntries(this.#variables.values),
      });
      if (asked === this.#asked) this.#take(found);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (asked !== this.#asked) return;
      this.#take(null);
      this.#showError(sentence(error));
    }
  }

  /** Those that the file may name: as many as fit into a request. @param {string} text */
  #texts(text) {
    /** @type {Record<string, string>} */
    const some = this.#variables.text ? { [ENV]: this.#variables.text } : {};
    let room = 48_000 - text.length - this.#variables.text.length;
    for (const [path, its] of Object.entries(this.#folder?.texts ?? {})) {
      const last = path.split("/").at(-1) ?? "";
      if (its === text || its.length > room || path === ENV) continue;
      const named = text.includes(last) || last === ENV || /\.ya?ml$/.test(last);
      if (!named && !EXAMPLE.test(path)) continue;
      some[path] = its;
      room -= its.length + path.length;
    }
    return some;
  }

  /** @param {ComposeDraft | null} found */
  #take(found) {
    this.services = (found?.services ?? []).map((one) => new StackService(one));
    for (const { model } of this.services) {
      model.addEventListener("change", () => this.#plansSoon());
    }
    this.#team.update();
    this.#services.hidden = !this.services.length;
    setChildren(
      this.#services,
      this.services.map((one) => one.element),
    );
    this.#variables.show(found?.variables ?? []);
    const left = [
      ...(found?.left ?? []),
      ...(found?.missing ?? []).map((key) => ({
        key,
        service: "",
        why: t("it was not sent along, and is taken for empty"),
      })),
    ];
    this.#left.hidden = !left.length;
    setChildren(this.#left, [h("p", null, t("Not taken over:")), leftList(left)]);
    this.#showPlan();
    void this.#askPlans();
  }

  /** @param {number} line from 1 */
  #showLine(line) {
    const lines = this.area.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
    this.area.focus();
    this.area.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
    const height = this.area.scrollHeight / Math.max(1, lines.length);
    this.area.scrollTop = Math.max(0, (line - 3) * height);
  }

  #plansTimer = 0;

  #plansSoon() {
    clearTimeout(this.#plansTimer);
    this.#plansTimer = setTimeout(() => void this.#askPlans(), PAUSE);
  }

  #askPlans() {
    const asked = this.#team.asked;
    return Promise.all(this.services.map((one) => (one.told.problem ? null : one.askPlan(asked))));
  }

  #showPlan() {
    if (!this.services.length) {
      setChildren(this.plan, [h("p", { class: "muted" }, this.#missing())]);
      return;
    }
    const n = this.services.length;
    setChildren(this.plan, [
      h(
        "p",
        { class: "plan-fact" },
        tn("{n} app.", "{n} apps, each once those that it needs serve:", n),
      ),
      h(
        "ol",
        { class: "new-order" },
        this.services.map(({ told, plan }) =>
          h("li", null, h("span", { class: "mono" }, told.app), plan),
        ),
      ),
    ]);
  }

  /** What is needed before anything can be said. */
  #missing() {
    const names = this.#variables.missing;
    if (!names.length) {
      return t("Paste the text of a Compose file: what will happen stands here then.");
    }
    return t("Give a value to {names}: what will happen stands here then.", {
      names: names.join(t(", ")),
    });
  }

  async deploy() {
    if (!this.services.length) {
      if (this.#error.hidden) this.#showError(this.#missing());
      (this.#variables.open ?? this.area).focus();
      return null;
    }
    this.#team.showError("");
    if (this.#name.wrong) {
      this.#name.showError(this.#name.wrong);
      this.#name.focus();
      return null;
    }
    const path = `/api/v1/stacks/${encodeURIComponent(this.#name.value)}/deployments`;
    const services = this.services.map(({ told, model }) => ({
      name: told.name,
      spec: model.toJSON(),
      after: told.after,
    }));
    const asked = this.#team.asked;
    const built = this.services.some(({ told }) => told.context);
    try {
      const begun = await withSwarm(async () => {
        if (!built || !this.#folder) return call("POST", path, { services, ...asked });
        await askFirst(this.services[0].told.app, { spec: services[0].spec, ...asked }, true);
        return send(path, { services, ...asked }, packed(this.#folder));
      });
      if (begun?.state !== "serving") return begun && stackAddress(begun.stack, begun.id);
      setChildren(this.plan, [
        h(
          "p",
          { class: "plan-fact ok", role: "status" },
          t("Nothing has changed: all of it goes on as it runs."),
        ),
      ]);
      return null;
    } catch (error) {
      if (!(error instanceof Problem) || !this.#showAtService(error)) throw error;
      return null;
    }
  }

  /** @param {Problem} problem whose field is `services.web.health` */
  #showAtService(problem) {
    if (problem.field === this.#team.field) {
      this.#team.showError(sentence(problem));
      this.#team.focus();
      return true;
    }
    const [, name, field] = /^services\.([^.]+)\.(.+)$/.exec(problem.field) ?? [];
    const service = this.services.find((one) => one.told.name === name);
    service?.showError(field, sentence(problem));
    return Boolean(service);
  }

  /** @param {string} message */
  #showError(message) {
    setText(this.#error, message);
    this.#error.hidden = !message;
    this.area.toggleAttribute("aria-invalid", Boolean(message));
  }
}
