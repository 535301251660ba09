// What a page of logs looks for is kept under a name.

import { bind } from "../frame/keys.js";
import { openSearches } from "../frame/search_dialog.js";
import { byId } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { levelWord } from "./levels.js";
import { queryOf } from "./terms.js";

// Of an address: apps are said apart, a line is of a moment, a panel is looked at beside the log.
const NOT_KEPT = ["app", "line", "patterns", "patterns_new", "patterns_find"];
const NAME = 64; // characters

/**
 * @param {import("./log_view.js").LogView} log
 * @param {"log" | "logs"} view
 * @param {string[]} apps none: all of them
 */
export function offerSaving(log, view, apps) {
  const button = byId("log-save");
  const open = () => {
    const params = new URL(log.url.of(null)).searchParams;
    for (const name of NOT_KEPT) params.delete(name);
    const { q, terms, levels } = log.feed.filter;
    const what = q || queryOf(terms) || levels.map(levelWord).join(t(", "));
    const where = apps.length === 1 ? apps[0] : "";
    const name = [where, what].filter(Boolean).join(": ").slice(0, NAME);
    openSearches({ name, view, apps, query: params.toString() });
  };
  button.addEventListener("click", open);
  bind({
    keys: "s",
    label: t("Save what is looked for, and saved searches"),
    group: t("Log"),
    run: open,
  });
  button.hidden = false;
}
