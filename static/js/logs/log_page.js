// The log of an app, with a terminal beside it.

import "../frame/frame.js";
import { startAppHeader } from "../apps/app_header.js";
import { byId } from "../lib/dom.js";
import { logOfApp } from "./log_source.js";
import { LogView } from "./log_view.js";
import { setUpPanel } from "./panel.js";

const log = new LogView(logOfApp(byId("log").dataset.app ?? ""));
log.start();
startAppHeader();
setUpPanel(log);
