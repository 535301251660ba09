// The connection in the bar on top: live, behind, or lost and when it is tried again. A page that
// does not say so looks fresh when it is not.

import { byId, h, setAttribute, setText } from "../lib/dom.js";
import { formatShort, t, tn } from "../lib/i18n.js";
import { silentSeconds } from "../live/reconnecting_socket.js";
import { live } from "../live/live_socket.js";

const button = byId("connection");
const text = byId("connection-text");
const shape = /** @type {Element} */ (button.querySelector("use"));
const BEHIND = 100; // lines; less than that is a batch under way, not a page that is behind

/** @returns {{state: string, words: string, title: string}} */
function describe() {
  if (live.state === "live") {
    if (live.silentSince !== null) {
      return {
        state: "silent",
        words: t("No answer for {n} s", { n: silentSeconds(live.silentSince) }),
        title: t(
          "The server, or the network on the way to it, does not answer: what is shown may be of a moment ago. Click to ask again.",
        ),
      };
    }
    if (live.behind > BEHIND) {
      const words = tn("Behind by {n} line", "Behind by {n} lines", live.behind, {
        n: formatShort(live.behind),
      });
      return {
        state: "behind",
        words,
        title: t("Lines have come that are not shown yet: the page catches up."),
      };
    }
    return { state: "live", words: t("Live"), title: t("Connected: changes show as they happen.") };
  }
  if (live.state === "connecting") {
    return { state: "connecting", words: t("Connecting"), title: t("Connecting to the server.") };
  }
  if (live.state === "waiting") {
    const seconds = Math.max(1, Math.ceil(((live.retryAt ?? 0) - Date.now()) / 1000));
    return {
      state: "waiting",
      words: t("Reconnecting in {n} s", { n: seconds }),
      title: live.blocked
        ? t(
            "The server answers, but its WebSocket does not: a proxy in between may not pass it on. Click to try now.",
          )
        : t(
            "The connection is lost. Nothing is missed: it goes on where it was. Click to try now.",
          ),
    };
  }
  return { state: "stopped", words: t("Not connected"), title: t("Not connected") };
}

/** What a screen reader is told: that it is lost and that it is back, not each second of waiting. */
const said = h("span", { class: "quiet", role: "status" });
let lost = false;

/** @param {string} state */
function say(state) {
  if (state === "waiting" && !lost) setText(said, t("The connection is lost."));
  if (state === "live" && lost) setText(said, t("Connected again."));
  if (state === "waiting" || state === "live") lost = state === "waiting";
}

function draw() {
  const { state, words, title } = describe();
  say(state);
  setAttribute(button, "data-state", state);
  setAttribute(shape, "href", `#icon-state-${state === "live" ? "running" : "waiting"}`);
  setText(text, words);
  setAttribute(button, "title", title);
}

export function startConnectionStatus() {
  button.after(said);
  live.addEventListener("state", draw);
  button.addEventListener("click", () => live.retry());
  // A handshake is over in milliseconds: saying so each time a page opens would only flicker.
  setInterval(() => (live.state === "waiting" || live.silentSince !== null) && draw(), 1000);
  setTimeout(draw, 300);
}
