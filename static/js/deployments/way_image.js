// From an image: its name, the credentials of its registry, and a `docker run` line that fills the form.

import { call, Problem } from "../lib/api.js";
import { h, setChildren } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { t } from "../lib/i18n.js";
import { CredentialsBox } from "./credentials.js";
import { textField } from "./form_fields.js";
import { leftList } from "./left.js";
import { kindOf, nameOfImage, registryOf } from "./names.js";

/** @typedef {import("./new_app.js").Draft} Draft */

/**
 * @param {Draft} draft
 * @returns {import("./new_app.js").Way}
 */
export function imageWay(draft) {
  const { model, name, team } = draft;
  const image = textField(model, ["image"], {
    label: t("Image"),
    placeholder: "nginx:1.27",
    hint: t(
      "With its registry where that is not Docker's. A whole “docker run” line can be pasted here: it fills the form.",
    ),
    mono: true,
  });
  const input = /** @type {HTMLInputElement} */ (image.element.querySelector("input"));
  const left = h("div", { class: "spec-left", role: "status", hidden: true });
  const credentials = new CredentialsBox("registry", t("Its registry asks for a password"), team);
  const registry = () => registryOf(input.value) || "docker.io";
  const explain = () =>
    credentials.explain(
      t("Kept encrypted, for every image of {registry}.", { registry: registry() }),
    );
  explain();

  input.addEventListener("paste", (event) => {
    // A field of one line would run the lines together.
    const text = event.clipboardData?.getData("text") ?? "";
    if (kindOf(text) === "image") return;
    event.preventDefault();
    void take(text);
  });
  input.addEventListener("change", () => {
    if (kindOf(input.value) !== "image") void take(input.value);
  });
  input.addEventListener("input", () => {
    if (kindOf(input.value) !== "image") return;
    name.suggest(nameOfImage(input.value));
    explain();
  });

  /** @param {string} text */
  const take = async (text) => {
    const kind = kindOf(text);
    if (kind !== "run") return draft.hand(kind, text);
    image.showError("");
    try {
      const found = await call("POST", "/api/v1/drafts/run_line", { line: text });
      // What it is first, as one would write it.
      const { image: wanted, ...rest } = found.spec;
      model.replace({ image: wanted, ...rest });
      input.value = found.spec.image ?? "";
      name.suggest(found.name || nameOfImage(input.value), Boolean(found.name));
      explain();
      showLeft(found.left);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      input.value = text.replace(/\s+/g, " ").trim();
      image.showError(sentence(error));
    }
  };

  /** @param {{key: string, why: string}[]} found */
  const showLeft = (found) => {
    const ports = portsOf(model);
    left.hidden = !found.length && !ports;
    setChildren(left, [
      h("p", null, t("The line filled the form.")),
      ...(found.length ? [h("p", null, t("Not taken over:")), leftList(found)] : []),
      ...(ports ? [gatewayOffer(model, ports, left)] : []),
    ]);
  };

  return {
    kind: "image",
    label: t("Image"),
    element: h("div", { class: "new-way" }, image.element, left, credentials.element),
    enter: () => {
      model.set(["build"], undefined);
      image.update();
      input.focus();
    },
    leave: () => model.set(["image"], undefined),
    take,
    fields: [image],
    isReady: () => Boolean(model.get("image")),
    before: () => credentials.keep(registry()),
    folder: () => null,
  };
}

/**
 * The one port that the form has as one of the machine, where the gateway could pass it on.
 *
 * @param {import("./spec_model.js").SpecModel} model
 */
function portsOf(model) {
  const ports = model.get("ports");
  const one = Array.isArray(ports) && ports.length === 1 ? ports[0] : null;
  return one && (one.protocol ?? "tcp") === "tcp" && !model.get("route") ? one : null;
}

/**
 * @param {import("./spec_model.js").SpecModel} model
 * @param {{published: number, target: number}} port
 * @param {HTMLElement} box
 */
function gatewayOffer(model, port, box) {
  const offer = h(
    "div",
    { class: "new-offer" },
    h(
      "p",
      null,
      t(
        "Port {n} of this machine will be open on all its addresses. A web page is better behind the gateway: no request is lost when it is replaced.",
        { n: String(port.published) },
      ),
    ),
    h(
      "button",
      {
        class: "button small",
        type: "button",
        onclick: () => {
          model.set(["ports"], undefined);
          model.set(["port"], port.target);
          model.set(["route"], {});
          offer.remove();
          if (box.children.length === 1) box.hidden = true;
        },
      },
      t("Put it behind the gateway"),
    ),
  );
  return offer;
}
