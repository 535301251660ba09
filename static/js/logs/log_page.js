// Starts the log page.

import "../frame/frame.js";
import "../apps/app_header.js";
import { byId } from "../lib/dom.js";
import { LogView } from "./log_view.js";
import { setUpPanel } from "./panel.js";

const log = new LogView(byId("log"));
log.start();
setUpPanel(log);
