// From a Git address: what the server finds there, before anything is deployed.

import { call, Problem } from "../lib/api.js";
import { h, icon, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { t } from "../lib/i18n.js";
import { CredentialsBox } from "./credentials.js";
import { textField } from "./form_fields.js";
import { gitSource, nameOfAddress } from "./names.js";
import { proposePort, RecipeBox } from "./recipe.js";

/** @typedef {import("./new_app.js").Draft} Draft */

/**
 * @param {Draft} draft
 * @returns {import("./new_app.js").Way}
 */
export function gitWay(draft) {
  const { model, name, team } = draft;
  const address = textField(model, ["build", "git"], {
    label: t("Git address"),
    placeholder: "https://example.com/team/web.git",
    hint: t("Over https. Each deployment takes the newest commit."),
    mono: true,
  });
  const branch = textField(model, ["build", "branch"], {
    label: t("Branch or tag"),
    placeholder: t("the one it shows by itself"),
    hint: "",
    mono: true,
  });
  const folder = textField(model, ["build", "folder"], {
    label: t("Sub-folder"),
    placeholder: t("the whole source"),
    hint: "",
    mono: true,
  });
  const input = /** @type {HTMLInputElement} */ (address.element.querySelector("input"));
  const credentials = new CredentialsBox("git", t("It asks for a password"), team);
  credentials.explain(t("Kept encrypted, for every source of this host."));
  const recipe = new RecipeBox(draft);
  const found = h("p", { class: "new-found", role: "status" });
  const look = h("button", { class: "button", type: "button" }, icon("search"), t("Look into it"));
  input.addEventListener("input", () => name.suggest(nameOfAddress(input.value)));

  // A page of the source, or a command: what is meant stands in the fields.
  const read = (/** @type {string} */ text) => {
    const told = gitSource(text);
    input.value = told.git; // also where somebody types
    model.set(["build", "git"], told.git);
    if (told.branch) model.set(["build", "branch"], told.branch);
    if (told.folder) model.set(["build", "folder"], told.folder);
    for (const field of [address, branch, folder]) field.update();
    name.suggest(nameOfAddress(told.git));
    draft.changed();
  };
  input.addEventListener("change", () => {
    if (gitSource(input.value).git !== input.value.trim()) read(input.value);
  });

  const keep = () => credentials.keep(hostOf(input.value));

  look.addEventListener("click", async () => {
    look.disabled = true;
    address.showError("");
    setText(found, t("Fetching the source. This can take a minute."));
    try {
      await keep();
      const { git, branch: from, folder: below, dockerfile } = model.get("build") ?? {};
      const answer = await call("POST", "/api/v1/drafts/git", {
        git: git ?? "",
        branch: from ?? "",
        folder: below ?? ".",
        dockerfile: dockerfile ?? "Dockerfile",
        app: name.wrong ? "" : name.value,
        ...team.asked,
      });
      setText(
        found,
        answer.has_dockerfile
          ? t("Commit {commit}: it has a Dockerfile.", { commit: answer.commit.slice(0, 12) })
          : t("Commit {commit}.", { commit: answer.commit.slice(0, 12) }),
      );
      if (answer.has_dockerfile) {
        recipe.hide();
        proposePort(model, answer.port);
      } else recipe.show(answer.recipe);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setText(found, "");
      address.showError(sentence(error));
    } finally {
      look.disabled = false;
      draft.changed();
    }
  });

  return {
    kind: "git",
    label: t("Git address"),
    element: h(
      "div",
      { class: "new-way" },
      address.element,
      h("div", { class: "spec-pair" }, branch.element, folder.element),
      credentials.element,
      h("div", { class: "new-look" }, look, found),
      recipe.element,
    ),
    enter: () => {
      model.set(["build"], model.get("build", "git") ? model.get("build") : { git: "" });
      for (const field of [address, branch, folder]) field.update();
      input.focus();
    },
    leave: () => model.set(["build"], undefined),
    take: async (text) => read(text),
    fields: [address, branch, folder, recipe.field],
    isReady: () => Boolean(model.get("build", "git")),
    before: keep,
    folder: () => null,
  };
}

/** @param {string} address */
function hostOf(address) {
  try {
    return new URL(address.trim()).host;
  } catch {
    return address.trim();
  }
}
