// The log of several apps: all, a stack, or some.

import "../frame/frame.js";
import { AppPicker } from "../frame/app_picker.js";
import { byId, setText } from "../lib/dom.js";
import { tn } from "../lib/i18n.js";
import { throttle } from "../lib/throttle.js";
import { inventory } from "../live/inventory.js";
import { logOfApps } from "./log_source.js";
import { LogView } from "./log_view.js";
import { APPS_LIVE } from "./merged_log.js";
import { setUpPatterns } from "./pattern_panel.js";
import { offerSaving } from "./save_search.js";
import { setUpTimeline } from "./timeline_button.js";

const EVENTS_EVERY = 2_000; // ms: a deployment changes an app many times

const apps = [...new Set(new URLSearchParams(location.search).getAll("app"))].sort();
const source = logOfApps(apps);
const log = new LogView(source);
log.start();
offerSaving(log, "logs", apps);
setUpPatterns(log);
setUpTimeline(log);

const picker = new AppPicker(byId("logs-apps"), byId("logs-apps-menu"));
picker.show(apps);
byId("logs-apps-menu").addEventListener("toggle", () => {
  const chosen = [...picker.chosen].sort();
  if (byId("logs-apps-menu").matches(":popover-open") || chosen.join() === apps.join()) return;
  const params = new URLSearchParams(location.search);
  params.delete("app");
  for (const app of chosen) params.append("app", app);
  location.assign(`/logs${params.size ? `?${params}` : ""}`);
});

const lookForEvents = throttle(EVENTS_EVERY, () => void log.feed.moreEvents());
let states = "";

inventory.addEventListener("apps", () => {
  // What happens to an app shows in how it does: the log asks what it was.
  const now = [...inventory.apps.values()].map(
    (app) => `${app.name} ${app.condition} ${app.since}`,
  );
  if (states !== (states = now.join())) lookForEvents(true);
  if (!apps.length) for (const app of inventory.apps.keys()) source.merged?.add(app);
  const left = source.merged?.notLive ?? 0;
  const words = tn(
    "{n} app writes too: its new lines are shown when the page is loaded again.",
    "{n} apps write too: their new lines are shown when the page is loaded again.",
    left,
  );
  setText(byId("logs-not-live"), left > 0 && apps.length !== APPS_LIVE ? words : "");
});
