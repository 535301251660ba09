// The Dockerfile of a source that has none: proposed by the server from names and a few texts,
// shown, edited, and kept with the app.

import { call } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { row } from "./form_fields.js";

/** @typedef {import("./new_app.js").Draft} Draft */
/** @typedef {import("./spec_model.js").SpecModel} SpecModel */
/** @typedef {{language: string, text: string, port: number, found: string}} Recipe */

const NAMES = 400;
const TEXTS = 32 * 1024; // characters of all texts together
const SAMPLE = `FROM python:3.12-slim
EXPOSE 8000
CMD ["python", "-m", "http.server", "8000"]
`;
/** @type {Record<string, string>} */
const LANGUAGES = { python: "Python", node: "Node", go: "Go", php: "PHP", static: t("pages") };
// Of these nobody opens a page.
const NOT_HTTP = new Set([
  21, 22, 25, 53, 1433, 1521, 2049, 3306, 5432, 5672, 6379, 9092, 11211, 27017,
]);

export class RecipeBox {
  #area = h("textarea", {
    class: "area mono spec-recipe",
    rows: 12,
    spellcheck: "false",
    autocapitalize: "off",
  });
  #words = h("p", { class: "hint" });

  /** @param {Draft} draft */
  constructor(draft) {
    this.model = draft.model;
    this.draft = draft;
    const made = row({ label: "Dockerfile" }, this.#area, this.#words, this.#area);
    this.element = made.element;
    this.element.hidden = true;
    this.#area.addEventListener("input", () => {
      made.showError("");
      this.#keep();
      draft.changed();
    });
    /** @type {import("./form_fields.js").FormField} */
    this.field = {
      field: "build.recipe",
      element: this.element,
      showError: made.showError,
      isSet: () => false,
      update: () => {
        const kept = this.model.get("build", "recipe");
        if (kept !== undefined && document.activeElement !== this.#area) this.#area.value = kept;
      },
    };
  }

  get text() {
    return this.element.hidden ? "" : this.#area.value.trim() && this.#area.value;
  }

  /** The way that it belongs to is chosen again. */
  enter() {
    if (!this.element.hidden) this.#keep();
  }

  hide() {
    this.element.hidden = true;
    this.model.set(["build", "recipe"], undefined);
  }

  /** An empty one, to be written. */
  write() {
    this.#show(this.#area.value || SAMPLE, t("Without other files, COPY finds nothing."));
    this.#area.focus();
  }

  /**
   * @param {{files: {path: string}[], texts: Record<string, string>}} source
   * @param {string} base the sub-folder with its `/`, "" for all of it
   */
  async propose({ files, texts }, base) {
    const names = files.flatMap(({ path }) =>
      path.startsWith(base) ? [path.slice(base.length)] : [],
    );
    const near = names.filter((name) => telling(name)).slice(0, NAMES);
    let room = TEXTS;
    /** @type {Record<string, string>} */
    const some = {};
    for (const name of near) {
      const text = texts[base + name];
      if (text === undefined || name.includes("/") || text.length > room) continue;
      some[name] = text;
      room -= text.length;
    }
    const answer = await call("POST", "/api/v1/drafts/recipe", { names: near, texts: some });
    this.show(answer.recipe);
  }

  /** @param {Recipe | null} recipe null where nothing is recognised */
  show(recipe) {
    if (!recipe) {
      this.#show(
        this.#area.value,
        t("It has no Dockerfile, and nothing that tells what it is: write one here."),
      );
      return;
    }
    const { language, text, port, found } = recipe;
    this.#show(
      text,
      t("It has no Dockerfile. This one is for {language}, by its {file}: edit it as you like.", {
        language: LANGUAGES[language] ?? language,
        file: found,
      }),
    );
    proposePort(this.model, port);
  }

  /**
   * @param {string} text
   * @param {string} words
   */
  #show(text, words) {
    this.element.hidden = false;
    setText(this.#words, words);
    this.#area.value = text;
    this.#keep();
  }

  #keep() {
    this.model.set(["build", "recipe"], this.#area.value.trim() ? this.#area.value : undefined);
    proposePort(this.model, portOfDockerfile(this.#area.value));
  }
}

/**
 * A file whose name alone says something about how a source is built.
 *
 * @param {string} name
 */
function telling(name) {
  const depth = name.split("/").length;
  return depth === 1 || (depth <= 3 && /(^|\/)(wsgi\.py|main\.go|index\.(php|html))$/.test(name));
}

/**
 * The port that a Dockerfile says it listens on, 0 where it says none.
 *
 * @param {string} text
 */
export function portOfDockerfile(text) {
  const [last] = [...text.matchAll(/^\s*EXPOSE\s+(\d+)/gim)].slice(-1);
  return last ? Number(last[1]) : 0;
}

/**
 * Where nobody has said a port: this one, and that people open it.
 *
 * @param {SpecModel} model
 * @param {number} port
 */
export function proposePort(model, port) {
  if (!port || model.get("port") !== undefined) return;
  model.set(["port"], port);
  if (isWeb(port) && model.get("route") === undefined) model.set(["route"], {});
}

/** @param {unknown} port */
export function isWeb(port) {
  return !NOT_HTTP.has(Number(port));
}
