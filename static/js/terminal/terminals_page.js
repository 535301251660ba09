// The page of terminals: those that are open, and what was opened.

import "../frame/frame.js";
import { byId } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { bind } from "../frame/keys.js";
import { live } from "../live/live_socket.js";
import { AuditList } from "./audit_list.js";
import { OpenList } from "./open_list.js";

const root = byId("terminals");
const SOON = 150; // ms: whoever opens one also joins it; both are one change to a reader

const own = root.dataset.account ?? "";
const admin = root.dataset.admin === "yes";
const open = new OpenList(own, admin);
const audit = new AuditList(admin);

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** Asks again, once for all that changes within a moment. */
function refresh() {
  clearTimeout(timer);
  timer = setTimeout(() => {
    void open.load();
    void audit.refresh();
  }, SOON);
}

// The server says that something changed; what it is now, the API knows.
live.subscribe("terminal/*", {}, { changed: refresh });
open.addEventListener("changed", refresh);
document.addEventListener("visibilitychange", () => !document.hidden && refresh());

// By keyboard

/** @param {number} step */
function move(step) {
  const rows = [...root.querySelectorAll("[data-row]")];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step))];
  const link = next?.querySelector("a, button");
  if (!(link instanceof HTMLElement)) return;
  link.focus();
  next.scrollIntoView({ block: "nearest" });
}

const group = t("Terminals");
bind({ keys: ["j", "ArrowDown"], label: t("Next terminal"), group, run: () => move(1) });
bind({ keys: ["k", "ArrowUp"], label: t("Previous terminal"), group, run: () => move(-1) });
bind({ keys: "Enter", label: t("Open or replay it"), group, run: () => false });
bind({ keys: "f", label: t("Choose an app"), group, run: () => byId("terminals-app").focus() });

void open.load();
void audit.load();
