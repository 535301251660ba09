// What people get of an app: requests, how long they take, what fails, who is there, which addresses
// cost most.

import "../frame/frame.js";
import { startAppHeader } from "../apps/app_header.js";
import { byId, h, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { formatMeasured, formatNumber, formatShort, t } from "../lib/i18n.js";
import { redraw } from "../lib/redraw.js";
import { formatValue, readUnits, USUAL } from "../lib/units.js";
import { AddressList } from "./address_list.js";
import { Board } from "./board.js";
import { REQUESTS } from "./catalogue.js";
import { Happenings } from "./happenings.js";
import { HeatMap } from "./heat_map.js";
import { logAddress } from "./log_beside.js";
import { SpanBar } from "./span_bar.js";
import { readSpan } from "./time_span.js";
import { TrafficSource } from "./traffic_source.js";

const main = byId("main");
const app = main.dataset.app ?? "";
const units = readUnits();
const pick = (/** @type {number} */ moment) => location.assign(logAddress(app, moment));

const source = new TrafficSource(
  app,
  readSpan(new URLSearchParams(location.search)),
  Number(main.dataset.now),
);
const happenings = new Happenings(app);
const board = new Board(
  byId("metric-board"),
  byId("metric-lane"),
  source,
  happenings,
  { units: () => units, each: () => false, nameOf: (container) => container },
  REQUESTS,
);
const bar = new SpanBar(source, board);
const heat = new HeatMap(pick);
const addresses = new AddressList(source, main.dataset.team ?? "");
byId("traffic-more").append(heat.element, addresses.element);

/** The numbers of the whole time. */
function drawNumbers() {
  const { traffic } = source;
  if (!traffic) return;
  const seconds = Math.max(1, traffic.until - traffic.since);
  const { quantiles } = traffic.latency;
  const time = (/** @type {number | null | undefined} */ value) =>
    value === null || value === undefined ? "–" : formatValue("s", value, USUAL);
  const failed = (100 * traffic.errors) / Math.max(1, traffic.requests);
  const numbers = [
    [
      t("Requests"),
      formatShort(traffic.requests),
      formatValue("1/s", traffic.requests / seconds, USUAL),
      formatNumber(traffic.requests),
    ],
    [
      t("Failed requests"),
      formatShort(traffic.errors),
      `${formatMeasured(Math.round(failed * 100) / 100)} %`,
      formatNumber(traffic.errors),
    ],
    [t("Half within"), time(quantiles["0.5"]), ""],
    ["95 %", time(quantiles["0.95"]), ""],
    ["99 %", time(quantiles["0.99"]), ""],
    [t("Online"), formatNumber(traffic.clients.online), t("in 5 minutes")],
    [t("Today"), formatNumber(traffic.clients.day), t("different clients")],
    [
      t("Open now"),
      traffic.connections.open === null ? "–" : formatNumber(traffic.connections.open),
      t("connections"),
    ],
  ];
  redraw(
    byId("traffic-numbers"),
    numbers.map(([label, value, more, exactly]) =>
      h(
        "div",
        null,
        h("dt", null, label),
        h(
          "dd",
          exactly ? { title: exactly } : null,
          value,
          " ",
          h("span", { class: "faint" }, more),
        ),
      ),
    ),
  );
}

function drawState() {
  const { problem, trouble, traffic } = source;
  const box = byId("metric-trouble");
  const said = [problem && sentence(problem), trouble].filter(Boolean);
  setText(box, said.join(" "));
  box.hidden = !said.length;
  byId("traffic-none").hidden = !traffic || traffic.routed;
}

source.addEventListener("data", () => {
  drawNumbers();
  heat.show(source.traffic, source.edges);
  addresses.draw();
});
source.addEventListener("state", drawState);
board.addEventListener("pick", (event) => pick(/** @type {CustomEvent<number>} */ (event).detail));
bar.addEventListener("span", () => void happenings.load(...source.edges));
startAppHeader();
source.setSpan(source.span);
void happenings.load(...source.edges);
