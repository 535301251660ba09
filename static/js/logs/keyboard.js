// The keys of the log page.

import { byId } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { bind } from "../frame/keys.js";

/** @typedef {import("./log_view.js").LogView} LogView */

/** @param {LogView} page */
export function bindKeys(page) {
  const group = t("Log");
  /** @type {(keys: string | string[], label: string, run: () => void) => void} */
  const key = (keys, label, run) =>
    void bind({ keys, label, group, run: () => (run(), undefined) });

  key("f", t("Follow the end"), () => page.follow());
  key("space", t("Pause, or follow again"), () => page.toggleFollow());
  key(["j", "ArrowDown"], t("Next row"), () => page.cursor.step(1));
  key(["k", "ArrowUp"], t("Previous row"), () => page.cursor.step(-1));
  key("Enter", t("Open or close the row"), () => page.enter());
  key("n", t("Next match"), () => page.find.match(1));
  key("N", t("Previous match"), () => page.find.match(-1));
  key("e", t("Next error"), () => page.find.level("error", 1));
  key("E", t("Previous error"), () => page.find.level("error", -1));
  key("w", t("Next warning"), () => page.find.level("warning", 1));
  key("W", t("Previous warning"), () => page.find.level("warning", -1));
  key("t", t("Jump to a time"), () => byId("log-jump-menu").showPopover());
  key(".", t("Settings of the view"), () => byId("log-view-menu").togglePopover());
  key("c", t("Copy the row"), () => page.copyCursor(false));
  key("l", t("Copy a link to the row"), () => page.copyCursor(true));
  key("z", t("Wrap long lines"), () => page.toolbar.toggleSetting("wrap"));
  key(["End", "G"], t("To the end, and follow"), () => page.follow());
  key("Home", t("To the first line that is kept"), () => void page.toTop());
  key("PageUp", "", () => page.scrollBy(-0.9));
  key("PageDown", "", () => page.scrollBy(0.9));
  bind({
    keys: "mod+f",
    label: t("Find in the log"),
    group,
    typing: true,
    run: () => {
      page.toolbar.find.focus();
      page.toolbar.find.select();
    },
  });
  bind({
    keys: "Escape",
    // An open menu takes the key itself.
    run: () => (document.querySelector(":popover-open") ? false : page.cursor.leave()),
  });
  page.toolbar.find.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter") {
      event.preventDefault();
      page.toolbar.flush();
      page.find.match(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (page.toolbar.find.value) page.toolbar.set({ q: "" });
      page.toolbar.find.value = "";
      page.focusRows();
    }
  });
}
