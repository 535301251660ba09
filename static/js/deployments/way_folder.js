// From a folder with a Dockerfile, which the browser sends; one without gets a recipe that is shown
// and can be edited. Or from the text of a Dockerfile alone.

import { Problem } from "../lib/api.js";
import { h, icon, setChildren, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { formatBytes, formatNumber, t, tn } from "../lib/i18n.js";
import { unreadable } from "./begin.js";
import { chosenFolder, droppedFolder, folderWith, packed, Unreadable } from "./folder.js";
import { textField } from "./form_fields.js";
import { nameOf } from "./names.js";
import { portOfDockerfile, proposePort, RecipeBox } from "./recipe.js";

/** @typedef {import("./new_app.js").Draft} Draft */
/** @typedef {import("./folder.js").Folder} Folder */

/**
 * @param {Draft} draft
 * @param {{bytes: number, files: number, read: string[]}} limits of what is sent; `read`: the names
 *   of texts that tell how a source is built
 * @returns {import("./new_app.js").Way}
 */
export function folderWay(draft, limits) {
  const { model, name } = draft;
  /** @type {Folder | null} */
  let folder = null;
  const recipe = new RecipeBox(draft);
  const picker = h("input", {
    type: "file",
    class: "quiet",
    webkitdirectory: true,
    multiple: true,
    tabindex: "-1",
    "aria-hidden": "true",
  });
  const choose = h(
    "button",
    { class: "button", type: "button", onclick: () => picker.click() },
    icon("upload"),
    t("Choose a folder"),
  );
  const write = h(
    "button",
    { class: "button", type: "button", onclick: () => void writeOne() },
    t("Write a Dockerfile here"),
  );
  const found = h("p", { class: "new-found", role: "status" });
  const error = h("p", { class: "spec-error", role: "alert", hidden: true });
  const zone = h(
    "div",
    { class: "new-drop" },
    h("p", null, t("Drop a folder here, or")),
    h("div", { class: "item-actions" }, choose, write, picker),
    found,
  );
  const hint = h(
    "p",
    { class: "hint" },
    t("At most {size} and {n} files. .git, links, and what .dockerignore names, stay here.", {
      size: formatBytes(limits.bytes),
      n: formatNumber(limits.files),
    }),
  );
  const where = textField(model, ["build", "dockerfile"], {
    label: t("Dockerfile"),
    placeholder: "Dockerfile",
    hint: t("Its path in the folder."),
    mono: true,
  });
  const below = textField(model, ["build", "folder"], {
    label: t("Sub-folder"),
    placeholder: t("the whole folder"),
    hint: t("From which it is built."),
    mono: true,
  });
  const places = h("div", { class: "spec-pair", hidden: true }, where.element, below.element);

  for (const event of ["dragenter", "dragover"]) {
    zone.addEventListener(event, (over) => {
      over.preventDefault();
      zone.classList.add("over");
    });
  }
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    const items = event.dataTransfer?.items;
    if (items?.length) void take(droppedFolder(items, limits.read));
  });
  picker.addEventListener("change", () => {
    if (picker.files?.length) void take(chosenFolder(picker.files, limits.read));
    picker.value = "";
  });
  for (const field of [where, below]) {
    field.element.addEventListener("change", () => folder && void look(folder));
  }

  /** @param {Promise<Folder>} coming */
  const take = async (coming) => {
    showError("");
    setText(found, t("Looking at the folder."));
    let made;
    try {
      made = await coming;
    } catch (thrown) {
      setText(found, "");
      if (!(thrown instanceof Unreadable)) throw thrown;
      return showError(unreadable(thrown.path));
    }
    folder = made;
    describe(made);
    if (!made.files.length) return showError(t("There is no file in it that would be sent."));
    if (made.bytes > limits.bytes || made.files.length > limits.files) {
      showError(t("That is more than can be sent: name what is not needed in .dockerignore."));
    }
    name.suggest(nameOf(made.name));
    places.hidden = false;
    await look(made);
  };

  /** Finds the Dockerfile, or asks for a recipe. @param {Folder} made */
  const look = async (made) => {
    const base = below.isSet() ? `${model.get("build", "folder")}/`.replace(/^(\.\/)+/, "") : "";
    const path = base + (model.get("build", "dockerfile") ?? "Dockerfile");
    const there = made.files.find((one) => one.path === path);
    try {
      if (there) {
        recipe.hide();
        proposePort(model, portOfDockerfile(await there.file.text()));
        setText(found, `${summary(made)} ${t("It is built with its {path}.", { path })}`);
      } else await recipe.propose(made, base);
    } catch (thrown) {
      if (!(thrown instanceof Problem)) throw thrown;
      showError(sentence(thrown));
    }
    draft.changed();
  };

  const writeOne = async () => {
    folder = null;
    showError("");
    setText(found, t("What is written below is built, without any other file."));
    places.hidden = true;
    recipe.write();
    draft.changed();
  };

  /** @param {Folder} made */
  const describe = (made) => setText(found, summary(made));
  /** @param {string} message */
  const showError = (message) => {
    setText(error, message);
    error.hidden = !message;
  };

  return {
    kind: "folder",
    label: t("Dockerfile"),
    element: h("div", { class: "new-way" }, zone, error, hint, places, recipe.element),
    enter: () => {
      if (model.get("build", "git") !== undefined || !model.get("build")) model.set(["build"], {});
      recipe.enter();
      choose.focus();
    },
    leave: () => model.set(["build"], undefined),
    take: async () => {},
    fields: [where, below, recipe.field],
    isReady: () => Boolean(folder?.files.length) || recipe.text !== "",
    before: async () => {},
    folder: () => packed(folder ?? folderWith("Dockerfile", recipe.text)),
    sends: () => folder,
  };
}

/** @param {Folder} folder */
function summary({ name, files, bytes, left }) {
  const n = files.length;
  const what = tn("{n} file, {size}.", "{n} files, {size}.", n, { size: formatBytes(bytes) });
  const out = left
    ? ` ${tn("{n} left out by .dockerignore.", "{n} left out by .dockerignore.", left)}`
    : "";
  return `${name ? `${name}: ` : ""}${what}${out}`;
}
