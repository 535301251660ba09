// Starts the log page.

import { byId } from "../dom.js";
import { LogPage } from "./page.js";

new LogPage(byId("log")).start();
