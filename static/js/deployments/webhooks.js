// The webhooks of an app: each push to the repository that it is built from deploys it.

import { call, Problem } from "../lib/api.js";
import { byId, h, icon, setChildren, setText } from "../lib/dom.js";
import { onSubmit, sentence } from "../lib/form.js";
import { t } from "../lib/i18n.js";
import { redraw } from "../lib/redraw.js";
import { confirmButton, keyed, listItem, when } from "../lib/list_item.js";
import { copyText } from "../lib/toast.js";
import { deploymentAddress } from "./deployment_api.js";

/** @typedef {import("../types/api.js").Webhook} Webhook */
/** @typedef {import("../types/api.js").WebhookSecret} WebhookSecret */
/** @typedef {Webhook["kind"]} Kind */

/** @type {Record<Kind, string>} */
const NAMES = {
  github: "GitHub",
  gitlab: "GitLab",
  gitea: "Gitea",
  plain: t("Any program"),
};

/** How the host of the code shows the secret, in its own words. @type {Record<Kind, string>} */
const HOW = {
  github: t("Settings, Webhooks: content type application/json, the push event."),
  gitlab: t("Settings, Webhooks: the secret is its secret token, the trigger push events."),
  gitea: t("Settings, Webhooks: content type application/json, the push event."),
  plain: t("POST to the address, with the secret in the header X-CloudBang-Token."),
};

/** @param {string} app */
const ofApp = (app) => `/api/v1/apps/${encodeURIComponent(app)}/webhooks`;

/**
 * Shows them in the page's section, and takes new ones from its form.
 *
 * @param {string} app
 */
export async function showWebhooks(app) {
  const path = ofApp(app);
  const form = /** @type {HTMLFormElement} */ (byId("webhook-form"));
  const show = async () => {
    /** @type {{webhooks: Webhook[]}} */
    const { webhooks } = await call("GET", path);
    redraw(
      byId("webhooks"),
      webhooks.map((one) => webhookItem(path, one, show)),
    );
  };
  onSubmit(form, async ({ kind, branch, paths }) => {
    const asked = { kind, branch: branch.trim(), paths: paths.split(/\s+/).filter(Boolean) };
    showSecret(await call("POST", path, asked));
    form.reset();
    await show();
  });
  await show();
}

/**
 * @param {string} path
 * @param {Webhook} webhook
 * @param {() => Promise<void>} show
 */
function webhookItem(path, webhook, show) {
  const { id, kind, branch, paths, enabled, created } = webhook;
  const its = `${path}/${id}`;
  const name = NAMES[kind];
  const [last] = webhook.deliveries;
  const item = listItem(
    name,
    [
      !enabled && t("switched off"),
      branch || t("the branch that it is built from"),
      paths.length > 0 && paths.join(" "),
      when(t("made"), created),
      last
        ? h("span", null, when(t("called"), last.received), ": ", outcome(last))
        : t("never called"),
    ],
    h(
      "div",
      { class: "item-actions" },
      h(
        "button",
        {
          class: "button small",
          type: "button",
          onclick: () =>
            tried(async () => {
              await call("PATCH", its, { enabled: !enabled });
              await show();
            }),
        },
        enabled ? t("Switch off") : t("Switch on"),
      ),
      confirmButton(t("New secret"), t("New secret for {name}", { name }), () =>
        tried(async () => {
          showSecret(await call("POST", `${its}/secret`));
          await show();
        }),
      ),
      confirmButton(t("Delete"), t("Delete {name}", { name }), () =>
        tried(async () => {
          await call("DELETE", its);
          await show();
        }),
      ),
    ),
  );
  return keyed(item, id);
}

/**
 * What is refused is said above the list, which stays as it is.
 *
 * @param {() => Promise<void>} run
 */
async function tried(run) {
  const error = byId("webhooks-error");
  error.hidden = true;
  try {
    await run();
  } catch (thrown) {
    if (!(thrown instanceof Problem)) throw thrown;
    setText(error, sentence(thrown));
    error.hidden = false;
  }
}

/** @param {Webhook["deliveries"][number]} delivery */
function outcome({ deployment, outcome: word }) {
  if (deployment !== null)
    return h("a", { href: deploymentAddress(deployment) }, t("a deployment"));
  switch (word) {
    case "not-a-push":
      return t("it was no push");
    case "no-branch":
      return t("it was no branch");
    case "other-branch":
      return t("another branch");
    case "other-paths":
      return t("nothing that it is made of has changed");
    default:
      return t("failed ({code})", { code: word.replace(/^error:/, "") });
  }
}

/** @param {WebhookSecret} made */
function showSecret({ kind, path, secret }) {
  setChildren(byId("webhook-made"), [
    h(
      "div",
      { class: "secret" },
      h("p", null, t("Give these to the host of the code. The secret is not shown again.")),
      h("p", { class: "muted" }, HOW[kind]),
      copied(t("Address"), location.origin + path),
      copied(t("Secret"), secret),
    ),
  ]);
}

/**
 * @param {string} name
 * @param {string} text
 */
function copied(name, text) {
  const button = h(
    "button",
    {
      class: "button small",
      type: "button",
      "aria-label": t("Copy: {name}", { name }),
      onclick: async () => {
        const copied = await copyText(text);
        const said = copied ? t("Copied") : t("The browser does not let this page copy");
        setChildren(button, [icon(copied ? "check" : "warning"), h("span", null, said)]);
      },
    },
    icon("copy"),
    h("span", null, t("Copy")),
  );
  return h("div", { class: "item-actions" }, h("span", null, name), h("code", null, text), button);
}
