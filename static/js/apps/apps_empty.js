// What stands in the list of apps where there is nothing to show: what would be here, and the one
// thing to do.

import { h, icon, setChildren } from "../lib/dom.js";
import { t } from "../lib/i18n.js";

/** The engine does not answer. */
export function silentEngine() {
  return message(
    t("The Docker Engine does not answer."),
    t("Its containers show here by themselves as soon as it does. This tells what is wrong:"),
    command(".venv/bin/python -m cloudbang doctor"),
  );
}

/** @param {boolean} mayDeploy */
export function noContainers(mayDeploy) {
  return message(
    t("No containers yet."),
    t("Every container of this machine shows here by itself. Start one:"),
    ...(mayDeploy
      ? [h("a", { class: "button main", href: "/new" }, icon("plus"), t("New app"))]
      : []),
    command("docker run -d --name hello busybox sh -c 'while date; do sleep 1; done'"),
  );
}

/**
 * @param {string} title
 * @param {string} text
 * @param {...Element} action
 */
export function message(title, text, ...action) {
  return h(
    "div",
    { class: "empty" },
    h("h2", null, title),
    h("p", { class: "muted" }, text),
    ...action,
  );
}

/** @param {string} text */
function command(text) {
  const button = h(
    "button",
    {
      class: "tool",
      type: "button",
      "aria-label": t("Copy"),
      title: t("Copy"),
      onclick: async () => {
        await navigator.clipboard.writeText(text);
        setChildren(button, [icon("check")]);
      },
    },
    icon("copy"),
  );
  return h("div", { class: "command" }, h("code", null, text), button);
}
