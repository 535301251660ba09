// The addresses that cost most: how often each was asked for, how long it took, what failed; and the
// way to its lines in the log.

import { appAddress } from "../frame/addresses.js";
import { h, icon } from "../lib/dom.js";
import { formatMeasured, formatNumber, t, tn } from "../lib/i18n.js";
import { redraw } from "../lib/redraw.js";
import { formatValue, USUAL } from "../lib/units.js";

/** @typedef {import("./traffic_source.js").Address} Address */
/** @typedef {import("./traffic_source.js").TrafficSource} TrafficSource */

/** @type {{ by: import("./traffic_source.js").By | "", label: string }[]} */
const COLUMNS = [
  { by: "", label: t("Address") },
  { by: "count", label: t("Requests") },
  { by: "seconds", label: t("Time in all") },
  { by: "mean", label: t("Mean") },
  { by: "", label: "95 %" },
  { by: "", label: t("Longest") },
  { by: "errors", label: t("Failed requests") },
];

export class AddressList {
  #body = h("tbody");
  #foot = h("p", { class: "muted address-foot" });
  #heads;

  /**
   * @param {TrafficSource} source
   * @param {string} team whose rules of alerts the reader may make for this app; "" of none
   */
  constructor(source, team) {
    this.source = source;
    this.team = team;
    this.#heads = COLUMNS.map(({ by, label }) => {
      const content = by
        ? h(
            "button",
            { class: "address-sort", type: "button", onclick: () => source.setBy(by) },
            label,
          )
        : label;
      return h("th", { scope: "col", dataset: { by } }, content);
    });
    if (team)
      this.#heads.push(h("th", { scope: "col" }, h("span", { class: "quiet" }, t("Alerts"))));
    this.element = h(
      "section",
      { class: "addresses", "aria-labelledby": "addresses-title" },
      h("h2", { id: "addresses-title" }, t("Addresses that take most")),
      h(
        "div",
        {
          class: "address-scroller",
          tabindex: "0",
          role: "group",
          "aria-labelledby": "addresses-title",
        },
        h("table", null, h("thead", null, h("tr", null, this.#heads)), this.#body),
      ),
      this.#foot,
    );
  }

  draw() {
    const { by, traffic, top } = this.source;
    for (const head of this.#heads) {
      if (head.dataset.by === by) head.setAttribute("aria-sort", "descending");
      else head.removeAttribute("aria-sort");
    }
    redraw(
      this.#body,
      top.map((one) => this.#row(one)),
    );
    const said = [];
    if (traffic && !top.length) said.push(t("Nobody asked for anything in this time."));
    if (traffic?.others.count) {
      const n = traffic.others.count;
      said.push(tn("{n} request of other addresses.", "{n} requests of other addresses.", n));
    }
    if (traffic?.off_by) {
      const n = formatNumber(traffic.off_by);
      said.push(t("A number of requests may be too large by up to {n}.", { n }));
    }
    this.#foot.textContent = said.join(" ");
  }

  /**
   * The way to a rule about an address: of twice what it takes now, to begin with.
   *
   * @param {string} address
   * @param {number | null | undefined} seconds
   */
  #alert(address, seconds) {
    const asked = new URLSearchParams({
      ...{ rule: "traffic", app: this.source.app, team: this.team, address, measure: "p95" },
      begin: seconds ? String(Number((2 * seconds).toPrecision(1))) : "",
    });
    return h(
      "a",
      {
        class: "address-alert",
        href: `/alerts#${asked}`,
        "aria-label": t("A rule about {address}", { address }),
        title: t("A rule about {address}", { address }),
      },
      icon("warning"),
    );
  }

  /** @param {Address} one */
  #row({ method, path, count, errors, seconds, mean, quantiles, most, example }) {
    const log = new URLSearchParams({ q: example, hide: "1" });
    const time = (/** @type {number | null | undefined} */ value) =>
      value === null || value === undefined ? "–" : formatValue("s", value, USUAL);
    const made = path.startsWith("(");
    return h(
      "tr",
      { dataset: { key: `${method} ${path}` } },
      h(
        "th",
        { scope: "row", class: "mono" },
        h("span", { class: "faint" }, `${method} `),
        made
          ? path
          : h(
              "a",
              {
                href: `${appAddress(this.source.app)}?${log}`,
                title: t("Its lines in the log, such as {example}", { example }),
              },
              path,
            ),
      ),
      h("td", null, formatNumber(count)),
      h("td", null, time(seconds)),
      h("td", null, time(mean)),
      h("td", null, time(quantiles["0.95"])),
      h("td", null, time(most)),
      h(
        "td",
        { class: errors ? "bad" : "" },
        errors ? `${formatNumber(errors)} (${share(errors, count)})` : "0",
      ),
      this.team && h("td", null, !made && this.#alert(`${method} ${path}`, quantiles["0.95"])),
    );
  }
}

/**
 * @param {number} part
 * @param {number} whole
 */
function share(part, whole) {
  return `${formatMeasured(Math.round((1000 * part) / Math.max(1, whole)) / 10)} %`;
}
