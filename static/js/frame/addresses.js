// Where the pages of an app are: its logs, and its terminals for those who may open one.

import { h, icon } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { may } from "./permissions.js";

/**
 * @param {string} app
 * @param {string} [container] to open one in it at once
 */
export function terminalAddress(app, container) {
  const address = `/apps/${encodeURIComponent(app)}/terminal`;
  return container ? `${address}?container=${container.slice(0, 12)}` : address;
}

/**
 * The terminal button of an instance.
 *
 * @param {string} app
 * @param {{id: string, name: string, state: string}} instance
 * @returns {HTMLAnchorElement | null} null where no terminal can be opened
 */
export function terminalButton(app, { id, name, state }) {
  // In one that is paused nothing can be begun.
  if (!may("terminal", app) || state !== "running") return null;
  const label = t("Open a terminal in {name}", { name });
  return h(
    "a",
    {
      class: "tool terminal-link",
      href: terminalAddress(app, id),
      title: label,
      "aria-label": label,
    },
    icon("terminal"),
  );
}

/** The log of several apps as one. @param {readonly string[]} apps */
export function logsAddress(apps) {
  const params = new URLSearchParams([...apps].sort().map((app) => ["app", app]));
  return `/logs?${params}`;
}

/** @param {string} name */
export function appAddress(name) {
  return `/apps/${encodeURIComponent(name)}/logs`;
}
