// Letting somebody in: links to watch a terminal, or to type in it as well.

import { call, Problem } from "../lib/api.js";
import { copyText } from "../lib/toast.js";
import { openDialog } from "../lib/dialog.js";
import { h, icon, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { t } from "../lib/i18n.js";
import { redraw } from "../lib/redraw.js";

/** @typedef {import("./terminal_socket.js").TerminalSocket} TerminalSocket */

/**
 * @param {TerminalSocket} socket of the owner
 * @param {() => void} closed
 */
export function openShare(socket, closed) {
  const path = `/api/v1/terminals/${encodeURIComponent(socket.id)}/links`;
  const error = h("p", { class: "error", role: "alert", hidden: true });
  const attempt = async (/** @type {() => Promise<void>} */ run) => {
    error.hidden = true;
    try {
      await run();
    } catch (thrown) {
      if (!(thrown instanceof Problem)) throw thrown;
      setText(error, sentence(thrown));
      error.hidden = false;
    }
  };
  const kinds = [
    {
      mode: "watch",
      name: t("To watch"),
      hint: t("They see what you see, and cannot type."),
    },
    {
      mode: "type",
      name: t("To type as well"),
      hint: t(
        "They can do everything you can do in this terminal. Take the keyboard back at any time.",
      ),
    },
  ];
  const until = h(
    "select",
    { class: "field" },
    lifetimes().map(([minutes, words]) => h("option", { value: minutes }, words)),
  );
  const window = h(
    "select",
    { class: "field" },
    rules().map(([rule, words]) =>
      h("option", { value: rule, selected: rule === socket.sizedBy }, words),
    ),
  );
  window.addEventListener("change", () => socket.sizeBy(/** @type {any} */ (window.value)));
  const done = h("p", { class: "done", role: "status" });
  const guests = h("ul", { class: "term-guests", "aria-label": t("Who is here") });
  const showGuests = () => redraw(guests, guestRows(socket));
  socket.addEventListener("people", showGuests);
  showGuests();
  const dialog = openDialog(
    t("Share this terminal"),
    h("p", { class: "muted" }, t("The links are for people with an account here.")),
    h("label", { class: "term-share-choice" }, h("span", null, t("A link opens it")), until),
    h(
      "div",
      { class: "term-share" },
      kinds.map(({ mode, name, hint }) => {
        const place = h("div", { class: "term-share-link" });
        const make = h("button", { class: "button", type: "button" }, t("Make a link"));
        make.addEventListener("click", () =>
          attempt(async () => {
            const minutes = Number(until.value) || null;
            const { url } = await call("POST", path, { mode, minutes });
            place.replaceChildren(linkRow(new URL(url, location.origin).href, done));
          }),
        );
        place.append(make);
        return h(
          "section",
          { "aria-label": name },
          h("h3", null, name),
          h("p", { class: "hint" }, hint),
          place,
        );
      }),
    ),
    guests,
    h(
      "label",
      { class: "term-share-choice" },
      h("span", null, t("Whose window decides the size")),
      window,
    ),
    h(
      "button",
      {
        class: "button danger",
        type: "button",
        onclick: () =>
          attempt(async () => {
            await call("DELETE", path);
            setText(
              done,
              t("No link opens this terminal any more, and whoever came by one is out."),
            );
          }),
      },
      t("Stop sharing"),
    ),
    done,
    error,
  );
  dialog.addEventListener("close", () => {
    socket.removeEventListener("people", showGuests);
    closed();
  });
}

/** How long a link is good, in minutes. @returns {[string, string][]} */
function lifetimes() {
  return [
    ["", t("until the terminal ends")],
    ["15", t("for 15 minutes")],
    ["60", t("for an hour")],
    ["480", t("for 8 hours")],
  ];
}

/** @returns {[import("./terminal_socket.js").SizedBy, string][]} */
function rules() {
  return [
    ["smallest", t("The smallest")],
    ["owner", t("Mine")],
    ["typing", t("That of whoever types")],
  ];
}

/** Whoever came by a link, each with a way out. @param {TerminalSocket} socket */
function guestRows(socket) {
  return socket.people
    .filter((one) => one.mode !== "own")
    .map((one) =>
      h(
        "li",
        { dataset: { key: one.id } },
        h("span", { class: "cut" }, one.name),
        h("span", { class: "muted" }, one.mode === "type" ? t("may type") : t("watches")),
        h(
          "button",
          {
            class: "button",
            type: "button",
            "aria-label": t("Send {name} out", { name: one.name }),
            onclick: () => socket.sendAway(one.id),
          },
          t("Send out"),
        ),
      ),
    );
}

/**
 * @param {string} address
 * @param {HTMLElement} done says that it was copied
 */
function linkRow(address, done) {
  const field = h("input", {
    class: "field mono",
    type: "text",
    value: address,
    readonly: true,
    "aria-label": t("Link"),
  });
  field.addEventListener("focus", () => field.select());
  const copying = async () => {
    if (await copyText(address)) return setText(done, t("Link copied"));
    field.focus();
    setText(done, t("The browser does not let this page copy"));
  };
  void copying();
  return h(
    "div",
    { class: "command" },
    field,
    h(
      "button",
      {
        class: "tool",
        type: "button",
        "aria-label": t("Copy"),
        title: t("Copy"),
        onclick: copying,
      },
      icon("copy"),
    ),
  );
}
