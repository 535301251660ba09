// How an app does: its charts over one stretch of time, which the address says, with what happened and
// what it logged.

import "../frame/frame.js";
import { startAppHeader } from "../apps/app_header.js";
import { bind } from "../frame/keys.js";
import { choose, onStep } from "../lib/address.js";
import { byId, h, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { t, tn } from "../lib/i18n.js";
import { redraw } from "../lib/redraw.js";
import { keepUnits, readUnits } from "../lib/units.js";
import { inventory } from "../live/inventory.js";
import { startAdvice } from "./advice.js";
import { Board } from "./board.js";
import { Happenings } from "./happenings.js";
import { LogBeside, logAddress } from "./log_beside.js";
import { MetricSource } from "./metric_source.js";
import { SpanBar } from "./span_bar.js";
import { momentOf } from "./time_axis.js";
import { readSpan } from "./time_span.js";

const DISK = 172_800; // seconds that single instances are kept for
const main = byId("main");
const app = main.dataset.app ?? "";
const each = /** @type {HTMLSelectElement} */ (byId("metric-each"));
const unitMenu = byId("metric-units-menu");

const params = new URLSearchParams(location.search);
each.value = params.get("instances") === "each" ? "each" : "sum";
let units = readUnits();

/** Names of instances, also of those that are gone meanwhile. @type {Map<string, string>} */
const names = new Map();

const source = new MetricSource(app, readSpan(params), Number(main.dataset.now));
const happenings = new Happenings(app);
const board = new Board(byId("metric-board"), byId("metric-lane"), source, happenings, {
  units: () => units,
  each: () => each.value === "each",
  nameOf: (container) => names.get(container) ?? container,
});
const log = new LogBeside(app, (moment) => board.move(moment));
const bar = new SpanBar(source, board);

/** Another time is looked at. @param {boolean} [first] the log is where the address says already */
function showSpan(first = false) {
  const { span } = source;
  const [since, until] = source.edges;
  void happenings.load(since, until);
  byId("metric-picked").hidden = true;
  showWhatIsKept();
  if ("since" in span) log.showSpan(span.since, span.until);
  else if (!first) log.follow();
}

/** Of single instances less is kept. */
function showWhatIsKept() {
  const [since] = source.edges;
  byId("metric-old").hidden = each.value !== "each" || source.now - since <= DISK;
}

bar.addEventListener("span", () => showSpan());
onStep((now) => {
  each.value = now.get("instances") === "each" ? "each" : "sum";
  showInstances();
});

// A moment that was picked

board.addEventListener("pick", (event) => {
  const moment = /** @type {CustomEvent<number>} */ (event).detail;
  if (log.jump(moment)) return;
  const picked = byId("metric-picked");
  setText(byId("metric-picked-time"), momentOf(moment, 1));
  /** @type {HTMLAnchorElement} */ (byId("metric-picked-log")).href = logAddress(app, moment);
  picked.hidden = false;
});
byId("metric-picked-close").addEventListener("click", () => (byId("metric-picked").hidden = true));

// Settings

each.addEventListener("change", () => {
  choose({ instances: each.value === "each" ? "each" : "" });
  showInstances();
});

/** All of them together, or each by itself. */
function showInstances() {
  drawInstances();
  showWhatIsKept();
  board.draw();
}

for (const input of unitMenu.querySelectorAll("input")) {
  const name = /** @type {keyof typeof units} */ (input.name);
  input.checked = units[name] === input.value;
  input.addEventListener("change", () => {
    units = { ...units, [name]: input.value };
    keepUnits(units);
    board.draw();
  });
}

function drawInstances() {
  const its = inventory.apps.get(app)?.instances ?? [];
  for (const { id, name } of its) names.set(id.slice(0, 12), name);
  const several = its.length > 1 || each.value === "each";
  /** @type {HTMLElement} */ (each.parentElement).hidden = !several;
}

// What is said beside the charts

function drawState() {
  const { trouble, problem, refused } = source;
  const said = [];
  if (problem) said.push(sentence(problem));
  if (trouble) said.push(trouble);
  // What it exposes itself and is not read has no chart to say so.
  for (const { name, container, why } of source.notMeasured) {
    if (name) continue;
    said.push(t("{instance}: {what}", { instance: names.get(container) ?? container, what: why }));
  }
  const box = byId("metric-trouble");
  setText(box, said.join(" "));
  box.hidden = !said.length;
  const more = byId("metric-refused");
  more.hidden = !refused.count;
  if (refused.count) {
    redraw(more, [
      h(
        "p",
        null,
        tn(
          "{n} metric of its own is one too many and was refused:",
          "{n} metrics of its own are too many and were refused:",
          refused.count,
        ),
      ),
      h("p", { class: "mono" }, refused.names.join(", ")),
    ]);
  }
}

bind({
  keys: "b",
  label: t("The log beside the charts"),
  group: t("Metrics"),
  run: () => log.toggle(),
});

source.addEventListener("state", drawState);
inventory.addEventListener("apps", drawInstances);
startAppHeader();
drawInstances();
startAdvice(app);
source.start();
showSpan(true);
