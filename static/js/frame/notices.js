// Notices: what is wrong now, with what, in the reader's words. Each stays until that one is well.

import { byId, h, icon } from "../lib/dom.js";
import { t, tn } from "../lib/i18n.js";
import { live } from "../live/live_socket.js";
import { redraw } from "../lib/redraw.js";
import { showRelative } from "../lib/relative_time.js";
import { recall, remember } from "../lib/storage.js";
import { appAddress } from "./addresses.js";

/** @typedef {import("../types/api.js").Notice} Notice */

/** Codes of the notices that hold now. @type {Set<string>} */
export const noticed = new Set();

/**
 * What we can say better than the server's English sentence, by code; the facts (paths, reasons)
 * stay in the message below it.
 *
 * @param {Notice} notice
 */
function sentence(notice) {
  switch (notice.code) {
    case "storage-full":
      return t(
        "The data disk is full: collecting is paused. Nothing is lost as long as the engine keeps the lines; free some space and it goes on by itself.",
      );
    case "storage-failed":
      return t("The data disk cannot be written: collecting is paused and tried again.");
    case "storage-app-failed":
      return t(
        "Its folder takes no lines: they wait and are tried again. Other apps are not concerned.",
      );
    case "storage-sync-failed":
      return t("The disk does not confirm that its lines are safe; it is tried again.");
    case "puts-dropped":
      return t("Lines that programs put were dropped: there was no room for them.");
    case "puts-too-many-apps":
      return t("A program puts lines on too many new names: what is too much is dropped.");
    case "bus-stopped":
      return t(
        "The bus stopped and was started again: programs on it may have missed something; pages go on from the store.",
      );
    case "bus-admission-failed":
      return t("Who connects to the bus could not be looked at, and was refused.");
    case "proxy-untrusted":
      return t(
        "A proxy in front of this server is not trusted: everybody who comes through it counts as one address. Put its address into server.trusted_proxies.",
      );
    case "proxy-host":
      return t(
        "A proxy in front of this server changes the Host: pages are taken for another site's and can change nothing. Let it hand on $http_host, or set server.public_url.",
      );
    case "engine-unreachable":
      return t(
        "The Docker Engine does not answer: what you see is the last known. It goes on by itself once the engine is back.",
      );
    case "gateway-failed":
      return t(
        "The gateway is not as it should be: apps may not be reached from outside. It is tried again.",
      );
    case "metrics-not-kept":
      return t("What is measured cannot be kept: it is tried again, and shown live meanwhile.");
    case "metrics-not-rolled-up":
      return t("What was measured cannot be put together for longer times: it is tried again.");
    case "metrics-damaged":
      return t("Some of what was measured is damaged and left out; the rest is shown.");
    case "metrics-begun-anew":
      return t("What had been measured could not be read: it was set aside and begun anew.");
    case "metrics-shrunk":
      return t("Measurements take all the room that they may: the finest are kept for less long.");
    case "alerts-undelivered":
      return t("A receiver does not take alerts: they are kept and tried again for a day.");
    case "token-ends":
      return t(
        "Your API token {name} ends soon. Give it a new secret before its programs are refused.",
        { name: notice.token ?? "" },
      );
    case "token-refused":
      return t("Your API token {name} has ended, and {address} still asks with it.", {
        name: notice.token ?? "",
        address: notice.address ?? "",
      });
    case "sign-of-life-failed":
      return t("The sign of life is not taken: whoever waits for it may think that this is gone.");
    default:
      return t(notice.message); // what is refused, for one: the doctor says it in the same words
  }
}

/** @param {Notice} notice */
function draw(notice) {
  const text = sentence(notice);
  const time = h("time");
  showRelative(time, notice.since ?? notice.ends_at ?? null);
  const { code, app, container, path, setting, token, address } = notice;
  const key = JSON.stringify([code, app, container, path, setting, token, address]);
  return h(
    "div",
    { class: "notice", dataset: { severity: notice.severity, code, key } },
    icon("warning"),
    h(
      "p",
      null,
      notice.app && [h("a", { href: appAddress(notice.app) }, notice.app), " · "],
      text,
      notice.token && [" ", h("a", { href: "/settings#tokens-title" }, t("API tokens"))],
      text !== t(notice.message) &&
        notice.message &&
        !notice.token &&
        h("span", { class: "notice-fact mono" }, notice.message),
      notice.more &&
        h("span", { class: "notice-fact" }, tn("and {n} more", "and {n} more", notice.more)),
    ),
    time,
    notice.code === "token-ends" && letItEnd(notice),
  );
}

const LET_END = "tokens-let-end"; // those whose end is known and wanted: their names and ends

/** @param {Notice} notice */
const ending = (notice) => `${notice.token} ${notice.ends_at}`;

/** @returns {string[]} */
function letEnd() {
  try {
    const kept = JSON.parse(recall(LET_END) ?? "[]");
    return Array.isArray(kept) ? kept.map(String) : [];
  } catch {
    return [];
  }
}

/** @param {Notice} notice */
function letItEnd(notice) {
  const onclick = () => {
    remember(LET_END, JSON.stringify([...letEnd(), ending(notice)].slice(-50)));
    dispatchEvent(new Event("let-end"));
  };
  return h("button", { class: "button small", type: "button", onclick }, t("Let it end"));
}

/** What no server can tell the page, for it would come over the socket that does not open. */
function blocked() {
  return h(
    "div",
    { class: "notice", dataset: { severity: "error", code: "socket-blocked" } },
    icon("warning"),
    h(
      "p",
      null,
      t(
        "The server answers, but its WebSocket does not: a proxy in between does not pass it on. It has to speak HTTP/1.1 and hand on the headers Upgrade and Connection.",
      ),
    ),
  );
}

export function startNotices() {
  const box = byId("notices");
  /** @type {Notice[]} */
  let told = [];
  let stuck = false;
  const show = () => {
    const known = letEnd();
    const shown = told.filter((one) => one.code !== "token-ends" || !known.includes(ending(one)));
    redraw(box, [...(stuck ? [blocked()] : []), ...shown.map(draw)]);
  };
  addEventListener("let-end", show);
  live.subscribe(
    "status",
    {},
    {
      status: (/** @type {{notices: Notice[]}} */ { notices }) => {
        told = notices;
        noticed.clear();
        for (const notice of notices) noticed.add(notice.code);
        show();
        dispatchEvent(new Event("notices"));
      },
    },
  );
  live.addEventListener("state", () => {
    if (live.blocked === stuck) return;
    stuck = live.blocked;
    show();
  });
}
