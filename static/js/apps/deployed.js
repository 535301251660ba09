// What of an app that was deployed is so now: the release that serves, and where it answers.

import { call } from "../lib/api.js";
import { h, icon } from "../lib/dom.js";
import { t } from "../lib/i18n.js";

/** @typedef {import("../types/api.js").Address} Address */
/** @typedef {import("../types/api.js").Deployed} Deployed */

/**
 * @param {string} app
 * @returns {Promise<Deployed>}
 */
export function getDeployed(app) {
  return call("GET", `/api/v1/apps/${encodeURIComponent(app)}/deployed`);
}

/**
 * The addresses that can be opened from where the page is, the best first: `<app>.localhost` leads
 * elsewhere for whoever is not at the machine, and a port is at the name by which they reached it. Pure.
 *
 * @param {Address[]} addresses
 * @param {string} host that the page was loaded from, without its port
 * @returns {string[]}
 */
export function reachable(addresses, host) {
  const here = ["localhost", "127.0.0.1", "[::1]"].includes(host) || host.endsWith(".localhost");
  const rank = { domain: 0, local: 1, port: 2 };
  return addresses
    .filter(({ kind }) => kind !== "local" || here)
    .sort((a, b) => rank[a.kind] - rank[b.kind])
    .map(({ url, kind }) => {
      if (kind !== "port") return url;
      const its = new URL(url);
      its.hostname = host;
      return its.href;
    });
}

/**
 * Links to where an app answers: each opens beside this page.
 *
 * @param {Address[]} addresses
 */
export function addressLinks(addresses) {
  return reachable(addresses, location.hostname).map((url) =>
    h(
      "a",
      {
        class: "app-address mono",
        href: url,
        target: "_blank",
        rel: "noopener noreferrer",
        title: t("Open {url}", { url }),
      },
      icon("link"),
      h("span", { class: "cut" }, shortAddress(url)),
    ),
  );
}

/** @param {string} url */
export function shortAddress(url) {
  return url.replace(/^https?:\/\//, "").replace(/\/$/, "");
}
