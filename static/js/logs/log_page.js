// The log of an app, with a terminal beside it.

import "../frame/frame.js";
import { startAppHeader } from "../apps/app_header.js";
import { afterPaint, byId } from "../lib/dom.js";
import { showLogLife } from "./log_life.js";
import { logOfApp } from "./log_source.js";
import { LogView } from "./log_view.js";
import { setUpPanel } from "./panel.js";
import { setUpPatterns } from "./pattern_panel.js";
import { offerSaving } from "./save_search.js";
import { setUpTimeline } from "./timeline_button.js";

const app = byId("log").dataset.app ?? "";
const log = new LogView(logOfApp(app));
log.start();
startAppHeader();
setUpPanel(log);
offerSaving(log, "log", [app]);
setUpPatterns(log);
setUpTimeline(log);
afterPaint(() => showLogLife(app));
