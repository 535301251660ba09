// Which charts there are, in order, and what each says. Metrics that are in none of them are an app's
// own: each gets a chart by itself.

import { t } from "../lib/i18n.js";

/**
 * A line of a chart. `limit`: what the others may not pass; it is no reason to make the chart higher.
 *
 * @typedef {object} LineDef
 * @property {string} name of the metric
 * @property {Record<string, string>} [labels]
 * @property {string} label
 * @property {string} colour a custom property
 * @property {"limit" | "peak"} [kind]
 */

/**
 * @typedef {object} ChartDef
 * @property {string} id
 * @property {string} title
 * @property {string} [about] one sentence, where the title does not say all
 * @property {string} unit
 * @property {LineDef[]} lines empty of one's own: whatever series it has
 * @property {boolean} [stack] each line on top of those before it
 * @property {boolean} [seldom] shown only when there is something to show
 */

/** @typedef {{ id: string, title: string, charts: ChartDef[] }} Section */

const [BLUE, VIOLET, TEAL, GREEN, ORANGE] = [1, 2, 3, 5, 6].map((n) => `--instance-${n}`);
const [RED, AMBER, GREY] = ["--level-error", "--warn", "--text-faint"];

/** @type {Section[]} */
export const SECTIONS = [
  {
    id: "http",
    title: t("Requests"),
    charts: [
      {
        id: "http-requests",
        title: t("Requests"),
        unit: "1/s",
        lines: [{ name: "http.requests", label: t("requests"), colour: BLUE }],
        seldom: true,
      },
      {
        id: "http-latency",
        title: t("Response time"),
        about: t("Half of all requests, 95 and 99 of a hundred were answered within these times."),
        unit: "s",
        lines: [
          quantile("0.99", t("99 % within"), RED),
          quantile("0.95", t("95 % within"), ORANGE),
          quantile("0.5", t("half within"), GREEN),
        ],
        seldom: true,
      },
      {
        id: "http-errors",
        title: t("Failed requests"),
        about: t("Requests that were answered with a status of 500 or more."),
        unit: "1/s",
        lines: [{ name: "http.errors", label: t("failed"), colour: RED }],
        seldom: true,
      },
      {
        id: "http-clients",
        title: t("People online"),
        about: t("How many different clients asked within 5 minutes."),
        unit: "1",
        lines: [{ name: "http.clients", label: t("clients"), colour: VIOLET }],
        seldom: true,
      },
    ],
  },
  {
    id: "machine",
    title: t("Machine"),
    charts: [
      {
        id: "cpu",
        title: t("CPU"),
        unit: "cores",
        lines: [
          { name: "cpu", label: t("in use"), colour: BLUE },
          { name: "cpu.limit", label: t("limit"), colour: GREY, kind: "limit" },
        ],
      },
      {
        id: "memory",
        title: t("Memory"),
        about: t("As Docker counts it: without what can be read again from a disk."),
        unit: "bytes",
        lines: [
          { name: "memory", label: t("in use"), colour: VIOLET },
          { name: "memory.peak", label: t("peak"), colour: AMBER, kind: "peak" },
          { name: "memory.limit", label: t("limit"), colour: GREY, kind: "limit" },
        ],
      },
      {
        id: "network",
        title: t("Network"),
        unit: "bytes/s",
        lines: [
          { name: "network.received", label: t("received"), colour: BLUE },
          { name: "network.sent", label: t("sent"), colour: ORANGE },
        ],
      },
      {
        id: "disk",
        title: t("Disk"),
        about: t("As the device sees it: what is written reaches it later than it was written."),
        unit: "bytes/s",
        lines: [
          { name: "disk.read", label: t("read"), colour: BLUE },
          { name: "disk.written", label: t("written"), colour: ORANGE },
        ],
      },
      {
        id: "throttling",
        title: t("Throttled"),
        about: t("How much of the time it had to wait since its CPU limit was used up."),
        unit: "s/s",
        lines: [{ name: "cpu.throttled", label: t("throttled"), colour: RED }],
      },
      {
        id: "memory-parts",
        title: t("What fills the memory"),
        about: t("The program's own, files that can be read again, and what is shared."),
        unit: "bytes",
        lines: [
          { name: "memory.anon", label: t("its own"), colour: VIOLET },
          { name: "memory.shared", label: t("shared"), colour: ORANGE },
          { name: "memory.file", label: t("files"), colour: TEAL },
        ],
        stack: true,
      },
      {
        id: "pressure",
        title: t("Pressure"),
        about: t(
          "How much of the time something in it had to wait: for a processor, for memory, for a disk.",
        ),
        unit: "s/s",
        lines: [
          { name: "pressure.cpu", label: t("processor"), colour: BLUE },
          { name: "pressure.memory", label: t("memory"), colour: VIOLET },
          { name: "pressure.io", label: t("disk"), colour: ORANGE },
        ],
      },
      {
        id: "processes",
        title: t("Processes"),
        unit: "1",
        lines: [{ name: "processes", label: t("processes"), colour: GREEN }],
      },
    ],
  },
  {
    id: "log",
    title: t("Log"),
    charts: [
      {
        id: "log-lines",
        title: t("Lines of log"),
        unit: "1/s",
        lines: [{ name: "log.lines", label: t("lines"), colour: BLUE }],
      },
      {
        id: "log-errors",
        title: t("Errors in the log"),
        unit: "1/s",
        lines: [{ name: "log.errors", label: t("errors"), colour: RED }],
      },
    ],
  },
];

/**
 * @param {string} quantile
 * @param {string} label
 * @param {string} colour
 * @returns {LineDef}
 */
function quantile(quantile, label, colour) {
  return { name: "http.latency", labels: { quantile }, label, colour };
}

/** What people get of an app. */
export const REQUESTS = SECTIONS.filter((section) => section.id === "http");

/** Metrics that stand on no chart of their own: their moments are markers. */
const NO_CHART = ["restarts", "oom_kills"];
const KNOWN = new Set([
  ...NO_CHART,
  ...SECTIONS.flatMap(({ charts }) => charts.flatMap(({ lines }) => lines.map(({ name }) => name))),
]);

/** Whether an app measures it itself. @param {string} name */
export function isOwn(name) {
  return !KNOWN.has(name);
}

/**
 * The chart of a metric that an app measures itself: whatever series it has.
 *
 * @param {string} name
 * @param {string} unit
 * @returns {ChartDef}
 */
export function ownChart(name, unit) {
  return { id: `own:${name}`, title: name, unit, lines: [] };
}

/** The unit and the step of a series that came over the live channel alone. @param {string} name */
export function described(name) {
  const slow = SLOW.has(name);
  for (const { charts } of SECTIONS) {
    for (const { unit, lines } of charts) {
      if (lines.some((line) => line.name === name)) return { unit, step: slow ? 5 : 1 };
    }
  }
  return { unit: "1", step: 10 };
}

/** What is measured each 5 s, as the server's catalogue says. */
const SLOW = new Set([
  ...["cpu.limit", "memory.anon", "memory.file", "memory.shared", "memory.limit", "memory.peak"],
  ...["disk.read", "disk.written", "processes", "restarts", "oom_kills"],
  ...["pressure.cpu", "pressure.memory", "pressure.io"],
]);
