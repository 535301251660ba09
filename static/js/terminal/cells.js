// What rows of terminals are made of.

import { h, icon } from "../lib/dom.js";
import { appAddress } from "../frame/addresses.js";
import { placeWords } from "./words.js";

/** @typedef {import("./words.js").Terminal} Terminal */

/**
 * The app and the container a terminal is in.
 *
 * @param {Terminal} terminal
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
