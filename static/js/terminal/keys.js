// The keys that work while a terminal has the keyboard, for the list under `?`. The terminal itself
// acts on them: none of them is a key of the page.

import { t } from "../lib/i18n.js";
import { bind } from "../frame/keys.js";

/** @param {boolean} tabs whether there are several in tabs */
export function bindTerminalKeys(tabs) {
  const group = t("In a terminal");
  const list = [
    [["Ctrl+F6", "Ctrl+⇧+Esc"], t("Out of the terminal")],
    [["Ctrl+⇧+C"], t("Copy")],
    [["Ctrl+⇧+V"], t("Paste")],
    [["Ctrl+⇧+F"], t("Find in the terminal")],
  ];
  // The engine keeps it back, as the first of the keys with which its own client detaches.
  list.push([["Ctrl+^"], t("Reaches the program together with the next key")]);
  if (tabs) {
    list.push([["Ctrl+⇧+←", "Ctrl+⇧+→"], t("The terminal before or after")]);
    list.push([["Delete"], t("On a tab: close it")]);
  }
  for (const [keys, label] of list) {
    bind({ keys, label: String(label), group, run: () => false });
  }
}
