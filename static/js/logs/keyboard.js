// The keys of the log page.

import { byId } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { bind } from "../frame/keys.js";

/** @typedef {import("./log_view.js").LogView} LogView */

/** @param {string} id */
const openMenu = (id) => void byId(id).togglePopover();

/** @param {LogView} view */
export function bindKeys(view) {
  const group = t("Log");
  /** @type {(keys: string | string[], label: string, run: () => void) => void} */
  const key = (keys, label, run) =>
    void bind({ keys, label, group, run: () => (run(), undefined) });

  key("f", t("Follow the end"), () => view.nav.follow());
  key("space", t("Pause, or follow again"), () => view.toggleFollow());
  key(["j", "ArrowDown"], t("Next row"), () => view.range.step(1));
  key(["k", "ArrowUp"], t("Previous row"), () => view.range.step(-1));
  // With Shift an arrow is called the same.
  const held = (/** @type {1 | -1} */ way) => (/** @type {KeyboardEvent} */ event) =>
    event.shiftKey ? view.range.extend(way) : view.range.step(way);
  bind({ keys: "ArrowDown", run: held(1) });
  bind({ keys: "ArrowUp", run: held(-1) });
  key("J", t("Choose the next row, too; also with Shift and ↓"), () => view.range.extend(1));
  key("K", t("Choose the previous row, too; also with Shift and ↑"), () => view.range.extend(-1));
  key("Enter", t("Open or close the row"), () => view.enter());
  key("r", t("Show or fold what comes again"), () => view.cursor.spread());
  key("n", t("Next match, or the next of the chosen marks"), () => view.marksBar.next(1));
  key("N", t("Previous match, or the previous of the chosen marks"), () => view.marksBar.next(-1));
  key("m", t("Mark what is selected, or other words"), () => view.marksBar.mark());
  key("e", t("Next error"), () => view.cursor.nextLevel("error", 1));
  key("E", t("Previous error"), () => view.cursor.nextLevel("error", -1));
  key("w", t("Next warning"), () => view.cursor.nextLevel("warning", 1));
  key("W", t("Previous warning"), () => view.cursor.nextLevel("warning", -1));
  key("F", t("Filter by a term"), () => view.toolbar.terms.focus());
  key("v", t("Fields of the lines in sight"), () => openMenu("log-fields-menu"));
  key("t", t("Jump to a time"), () => openMenu("log-jump-menu"));
  key(".", t("Settings of the view"), () => openMenu("log-view-menu"));
  key("d", t("Download"), () => openMenu("log-download-menu"));
  key("c", t("Copy the row, or those that are chosen"), () => view.copyCursor(false));
  key("l", t("Copy a link to the row"), () => view.copyCursor(true));
  key("z", t("Wrap long lines"), () => view.toolbar.toggleSetting("wrap"));
  key(["End", "G"], t("To the end, and follow"), () => view.nav.toEnd());
  key("Home", t("To the first line that is kept"), () => void view.nav.toTop());
  const { scroller } = view;
  const scroll = (/** @type {number} */ screens) =>
    scroller.scrollBy({ top: scroller.clientHeight * screens });
  key("PageUp", "", () => scroll(-0.9));
  key("PageDown", "", () => scroll(0.9));
  bind({
    keys: "mod+f",
    label: t("Find in the log"),
    group,
    typing: true,
    run: () => {
      view.toolbar.find.focus();
      view.toolbar.find.select();
    },
  });
  bind({
    keys: "Escape",
    // An open menu takes the key itself.
    run: () => (document.querySelector(":popover-open") ? false : view.range.leave()),
  });
  view.toolbar.find.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      byId("log-as-term").click();
    } else if (event.key === "Enter") {
      event.preventDefault();
      view.toolbar.flush();
      view.cursor.nextMatch(event.shiftKey ? -1 : 1);
    } else if (event.key === "ArrowDown") {
      // To the rows, with what is looked for: n and N go on from there.
      event.preventDefault();
      view.toolbar.flush();
      view.focusRows();
      view.cursor.stay();
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (view.toolbar.find.value) view.toolbar.set({ q: "" });
      view.toolbar.find.value = "";
      view.focusRows();
    }
  });
}
