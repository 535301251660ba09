// Deleting an app that CloudBang deployed: everything that goes is listed before, and what stays.

import { call, Problem } from "../lib/api.js";
import { openDialog } from "../lib/dialog.js";
import { h, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { formatBytes, formatNumber, t, tn } from "../lib/i18n.js";

/** @typedef {import("../types/api.js").Belongings} Belongings */

/**
 * @param {string} app
 * @param {Belongings} found
 */
export function offerDeletion(app, found) {
  const volumes = box(t("Also its volumes: what is in them is lost for ever"));
  const logs = box(
    tn("Also its log: {n} line, {size}", "Also its log: {n} lines, {size}", found.lines, {
      n: formatNumber(found.lines),
      size: formatBytes(found.bytes),
    }),
  );
  const error = h("p", { class: "error", role: "alert", hidden: true });
  const go = h("button", { class: "button danger", type: "button" }, t("Delete the app"));
  const keep = h("button", { class: "button", type: "button" }, t("Cancel"));
  const dialog = openDialog(
    t("Delete {app}", { app }),
    h("p", null, t("This goes, and cannot be brought back:")),
    list(goes(found)),
    ...(stays(found).length ? [h("p", null, t("This stays:")), list(stays(found))] : []),
    ...(found.volumes.some(({ there }) => there) ? [volumes.label] : []),
    logs.label,
    error,
    h("div", { class: "dialog-choices" }, keep, go),
  );
  keep.addEventListener("click", () => dialog.close());
  go.addEventListener("click", async () => {
    go.disabled = true;
    setText(go, t("Deleting …"));
    try {
      const path = `/api/v1/apps/${encodeURIComponent(app)}`;
      const body = { volumes: volumes.input.checked, logs: logs.input.checked };
      const done = await call("DELETE", path, body);
      if (done?.volumes_left?.length) return told(dialog, done.volumes_left);
      location.assign("/");
    } catch (thrown) {
      if (!(thrown instanceof Problem)) throw thrown;
      setText(error, sentence(thrown));
      error.hidden = false;
      go.disabled = false;
      setText(go, t("Delete the app"));
    }
  });
  keep.focus();
}

/**
 * @param {HTMLDialogElement} dialog
 * @param {string[]} left
 */
function told(dialog, left) {
  const body = /** @type {HTMLElement} */ (dialog.querySelector(".dialog-body"));
  const text = t("The app is gone. These volumes stay, since somebody uses them: {names}", {
    names: left.join(", "),
  });
  const close = h("a", { class: "button", href: "/" }, t("To the apps"));
  body.replaceChildren(
    h("p", { role: "status" }, text),
    h("div", { class: "dialog-choices" }, close),
  );
  close.focus();
}

/** The same in short: what goes, and what stays unless one says otherwise. @param {Belongings} found */
export function belongingsLines(found) {
  const kept = stays(found);
  const stay = kept.length ? [`${t("This stays:")} ${kept.join(" · ")}`] : [];
  return [goes(found).join(" · "), ...stay];
}

/** @param {Belongings} found */
function goes(found) {
  const { services, containers, releases, deployments, images, secrets, route } = found;
  const n = formatNumber;
  return [
    services.length && t("The service {names}", { names: services.join(", ") }),
    containers.length &&
      tn("{n} container", "{n} containers", containers.length, { n: n(containers.length) }),
    tn("{n} release that one could go back to", "{n} releases that one could go back to", releases),
    tn("{n} deployment in its history", "{n} deployments in its history", deployments),
    images.length && t("What keeps its images: {names}", { names: images.join(", ") }),
    secrets.length && t("Its secrets: {names}", { names: secrets.join(", ") }),
    route && t("Its address: {route}", { route }),
  ].flatMap((text) => text || []);
}

/** @param {Belongings} found */
function stays({ volumes, stay }) {
  const there = volumes.filter((one) => one.there).map((one) => one.name);
  return [
    there.length &&
      t("Its volumes, unless you say otherwise: {names}", { names: there.join(", ") }),
    stay.length && t("Containers that CloudBang did not make: {names}", { names: stay.join(", ") }),
  ].flatMap((text) => text || []);
}

/** @param {string[]} texts */
function list(texts) {
  return h(
    "ul",
    { class: "plain-list" },
    texts.map((text) => h("li", null, text)),
  );
}

/** @param {string} words */
function box(words) {
  const input = h("input", { type: "checkbox" });
  return { input, label: h("label", { class: "check" }, input, words) };
}
