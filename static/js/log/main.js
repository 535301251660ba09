// Starts the log page.

import { byId } from "../dom.js";
import { LogPage } from "./page.js";
import { setUpPanel } from "./panel.js";

const page = new LogPage(byId("log"));
page.start();
setUpPanel(page);
