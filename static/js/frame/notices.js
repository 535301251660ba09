// Notices: what is wrong with the platform now, in the reader's words. They stay until it is not.

import { byId, h, icon, setChildren } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { live } from "../live/live_socket.js";
import { showRelative } from "../lib/relative_time.js";

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
    case "engine-unreachable":
      return t(
        "The Docker Engine does not answer: what you see is the last known. It goes on by itself once the engine is back.",
      );
    default:
      return notice.message;
  }
}

/** @param {Notice} notice */
function draw(notice) {
  const text = sentence(notice);
  const time = h("time");
  showRelative(time, notice.since ?? null);
  return h(
    "div",
    { class: "notice", dataset: { severity: notice.severity, code: notice.code } },
    icon("warning"),
    h(
      "p",
      null,
      text,
      text !== notice.message &&
        notice.message &&
        h("span", { class: "notice-fact mono" }, notice.message),
    ),
    time,
  );
}

export function startNotices() {
  const box = byId("notices");
  live.subscribe(
    "status",
    {},
    {
      status: (/** @type {{notices: Notice[]}} */ { notices }) => {
        noticed.clear();
        for (const notice of notices) noticed.add(notice.code);
        setChildren(box, notices.map(draw));
        dispatchEvent(new Event("notices"));
      },
    },
  );
}
