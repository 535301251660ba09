// Taking a container over as an app: what it would be written like, and what of it would be lost.

import { call, Problem } from "../lib/api.js";
import { openDialog } from "../lib/dialog.js";
import { h, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { t } from "../lib/i18n.js";

/** @typedef {import("../types/api.js").TakeOver} TakeOver */

/**
 * @param {string} container
 */
export async function offerTakeOver(container) {
  const path = `/api/v1/containers/${container}/take_over`;
  /** @type {TakeOver} */
  const found = await call("GET", path);
  const error = h("p", { class: "error", role: "alert", hidden: true });
  const go = h("button", { class: "button main", type: "button" }, t("Take it over"));
  openDialog(
    t("Take {name} over as an app", { name: found.name }),
    h(
      "p",
      null,
      t(
        "A release is written from what runs and started beside it. When it serves, the container is stopped, and kept until you remove it.",
      ),
    ),
    ...(found.because.length ? [h("p", null, gap(found.because))] : []),
    h("pre", { class: "dialog-code mono", tabindex: "0" }, JSON.stringify(found.spec, null, 2)),
    ...(found.left.length
      ? [h("p", null, t("This is not carried over:")), notCarried(found.left)]
      : []),
    error,
    h("div", { class: "dialog-choices" }, go),
  );
  go.addEventListener("click", async () => {
    go.disabled = true;
    try {
      const { id } = await call("POST", path, {});
      location.assign(`/deployments/${id}`);
    } catch (thrown) {
      if (!(thrown instanceof Problem)) throw thrown;
      setText(error, sentence(thrown));
      error.hidden = false;
      go.disabled = false;
    }
  });
}

/** @param {string[]} because */
function gap(because) {
  return t("Both cannot run at once, because of {names}: the container is stopped first.", {
    names: because.join(", "),
  });
}

/** @param {TakeOver["left"]} left */
function notCarried(left) {
  return h(
    "ul",
    { class: "plain-list" },
    left.map(({ option, why }) =>
      h("li", null, h("code", null, option), h("span", { class: "muted" }, ` ${why}`)),
    ),
  );
}
