// The configuration of an app: what is configured now, each release there was, what differs between
// any two; and the form that changes it.

import "../frame/frame.js";
import { startAppHeader } from "../apps/app_header.js";
import { bind } from "../frame/keys.js";
import { choose, goTo, onStep } from "../lib/address.js";
import { Problem } from "../lib/api.js";
import { byId, h, setChildren, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { t } from "../lib/i18n.js";
import { written } from "../lib/written_value.js";
import { redraw } from "../lib/redraw.js";
import { showRelative } from "../lib/relative_time.js";
import { deployments } from "../live/deployments.js";
import { chooseReleases } from "./compared.js";
import {
  deployRelease,
  deploymentAddress,
  findDeployments,
  getChanges,
  getReleases,
} from "./deployment_api.js";
import { drawDifference } from "./difference.js";
import { shortDigest } from "./source.js";
import { showWebhooks } from "./webhooks.js";

/** @typedef {import("./deployment_api.js").Release} Release */
/** @typedef {import("./edit_form.js").EditForm} EditForm */

const PAGE = 50; // releases that are shown at first, and more with each click
const MOST = 200; // of one answer

const root = byId("configuration");
const app = root.dataset.app ?? "";
const mayDeploy = root.dataset.mayDeploy === "yes";
const said = byId("configuration-said");

class Configuration {
  /** The newest first. @type {Release[]} */
  releases = [];
  /** @type {number | null} */
  serving = null;
  /** What somebody chose to compare. @type {import("./compared.js").Pair} */
  #wanted = readAddress();
  /** What is compared. @type {import("./compared.js").Pair} */
  chosen = this.#wanted;
  #asked = 0;
  /** With what the next older ones begin; null where there are none. @type {number | null} */
  #next = null;
  #more = h(
    "button",
    { class: "button small", type: "button", onclick: () => void this.#loadOlder() },
    t("Show older releases"),
  );

  async load() {
    try {
      // What is shown already stays shown, however much that is.
      const had = this.releases.length;
      this.releases = [];
      this.#next = null;
      const [[last]] = await Promise.all([
        findDeployments({ app, state: "serving", limit: 1 }),
        this.#take(Math.max(had, PAGE)),
      ]);
      const before = last?.release === this.serving ? last.previous : null;
      const { from, to } = this.#wanted;
      const needed = [from, to, this.serving, before].filter((one) => one !== null);
      while (this.#next !== null && needed.some((one) => Number(one) < Number(this.#next))) {
        await this.#take(MOST);
      }
      const numbers = this.releases.map((one) => one.number);
      this.chosen = chooseReleases(numbers, this.serving, before, this.#wanted);
      this.draw();
      say(null);
    } catch (error) {
      say(error);
    }
  }

  async #loadOlder() {
    try {
      await this.#take(PAGE);
      this.draw();
      say(null);
    } catch (error) {
      say(error);
    }
  }

  /** @param {number} count of the next older ones, at most */
  async #take(count) {
    const found = await getReleases(app, { before: this.#next, limit: Math.min(count, MOST) });
    this.releases = [...this.releases, ...found.releases];
    this.serving = found.serving;
    this.#next = found.next;
  }

  /** What is configured: what serves, else what was tried last. */
  get current() {
    return this.releases.find((one) => one.number === this.serving) ?? this.releases[0];
  }

  draw() {
    const { current } = this;
    const now = byId("configuration-now");
    if (!current) setText(now, t("It was not deployed here."));
    else if (current.number === this.serving)
      setText(now, t("Release {n} serves.", { n: current.number }));
    else setText(now, t("Release {n}; none serves.", { n: current.number }));
    byId("configuration-edit").hidden = !mayDeploy || !current || form !== null;
    const fields = byId("configuration-fields");
    fields.removeAttribute("aria-busy");
    redraw(fields, current ? drawFields(current) : []);
    redraw(
      byId("configuration-releases"),
      this.releases.map((one) => this.#row(one)),
    );
    setChildren(byId("configuration-older"), this.#next === null ? [] : [this.#more]);
    void this.#compare();
  }

  /** @param {Release} release */
  #row(release) {
    const {
      number,
      created,
      spec,
      digest,
      image: id,
      commit,
      can_return: kept,
      image_is: where,
    } = release;
    const time = h("time");
    showRelative(time, created);
    const image = spec.image ?? spec.build?.git ?? t("built from an uploaded folder");
    const exact = commit ? commit.slice(0, 12) : shortDigest(digest ?? id);
    const isIt = number === this.serving;
    const back = h(
      "button",
      { class: "button small", type: "button", onclick: () => void this.#back(number) },
      this.serving !== null && number < this.serving
        ? t("Back to release {n}", { n: number })
        : t("Deploy release {n}", { n: number }),
    );
    const offered = mayDeploy && kept && !isIt;
    return h(
      "tr",
      { dataset: { release: number, key: number } },
      h("td", null, this.#radio("from", number)),
      h("td", null, this.#radio("to", number)),
      h("td", null, t("Release {n}", { n: number }), " ", isIt && badge("ok", t("serves"))),
      h("td", null, time),
      h(
        "td",
        { class: "releases-image mono", title: digest ?? id },
        `${image} `,
        h("span", { class: "faint" }, exact),
      ),
      h("td", { class: "releases-actions" }, offered && back, !isIt && way(kept, where)),
    );
  }

  /**
   * @param {"from" | "to"} side
   * @param {number} number
   */
  #radio(side, number) {
    const label =
      side === "from"
        ? t("Compare from release {n}", { n: number })
        : t("Compare to release {n}", { n: number });
    const wanted = () => {
      this.#wanted = { ...this.#wanted, [side]: number };
      this.chosen = { ...this.chosen, [side]: number };
      choose({ [side]: String(number) });
      void this.#compare();
    };
    return h("input", {
      type: "radio",
      name: `release-${side}`,
      value: String(number),
      checked: this.chosen[side] === number,
      "aria-label": label,
      onchange: wanted,
    });
  }

  /** The reader went a step back or on. */
  step() {
    const wanted = readAddress();
    if (wanted.from === this.#wanted.from && wanted.to === this.#wanted.to) return;
    this.#wanted = wanted;
    void this.load();
  }

  async #compare() {
    const { from, to } = this.chosen;
    const box = byId("configuration-difference");
    if (from === null || to === null || from === to) {
      const words =
        this.releases.length < 2 ? t("There is one release only.") : t("It is the same release.");
      return setChildren(box, this.releases.length ? [h("p", { class: "muted" }, words)] : []);
    }
    const asked = ++this.#asked;
    try {
      const changes = await getChanges(app, to, from);
      if (asked !== this.#asked) return;
      const heads = { before: t("Release {n}", { n: from }), after: t("Release {n}", { n: to }) };
      redraw(box, [drawDifference(changes, heads)]);
    } catch (error) {
      say(error);
    }
  }

  /** @param {number} number */
  async #back(number) {
    try {
      const begun = await deployRelease(app, number);
      if (begun) location.assign(deploymentAddress(begun.id));
    } catch (error) {
      say(error);
    }
  }
}

/**
 * @param {string} kind
 * @param {string} words
 */
function badge(kind, words) {
  return h("span", { class: `badge ${kind}` }, words);
}

/**
 * What is to be known of a way back before it is gone.
 *
 * @param {boolean} kept
 * @param {Release["image_is"]} where
 */
function way(kept, where) {
  if (where === "pulled") {
    return h("span", { class: "faint" }, t("its image was removed, and is pulled again"));
  }
  if (where === "gone") {
    return h("span", { class: "faint" }, t("its image was removed, and no registry has it"));
  }
  return !kept && h("span", { class: "faint" }, t("no longer kept"));
}

/** @param {Release} release */
function drawFields({ spec }) {
  return Object.entries(spec).flatMap(([field, value]) => {
    const text =
      field === "secrets"
        ? Object.keys(spec.secrets ?? {})
            .map((name) => `${name}: ${t("a secret value")}`)
            .join("\n")
        : written(field, value);
    return [h("dt", { class: "mono" }, field), h("dd", { class: "mono" }, text)];
  });
}

/** @returns {import("./compared.js").Pair} */
function readAddress() {
  const params = new URLSearchParams(location.search);
  const number = (/** @type {string} */ name) => Number(params.get(name)) || null;
  return { from: number("from"), to: number("to") };
}

/** @param {unknown} error */
function say(error) {
  if (error && !(error instanceof Problem)) throw error;
  said.hidden = !error;
  if (error instanceof Problem) setText(said, sentence(error));
}

/** @type {EditForm | null} */
let form = null;

/** Opens the form with what serves; it is only loaded when somebody asks for it. */
async function edit() {
  const box = byId("configuration-form");
  const current = page.current;
  if (!current || !mayDeploy) return;
  if (!form) {
    const { EditForm: Form } = await import("./edit_form.js");
    form = new Form(app, current.spec, close);
    setChildren(box, [form.element]);
  }
  show(true);
  box.querySelector("input")?.focus();
}

function close() {
  form = null;
  byId("configuration-form").replaceChildren();
  show(false);
  goTo(location.pathname + location.search);
  byId("configuration-edit").focus();
}

/** @param {boolean} editing */
function show(editing) {
  byId("configuration-form").hidden = !editing;
  byId("configuration-fields").hidden = editing;
  byId("configuration-edit").hidden = editing || !mayDeploy;
}

const page = new Configuration();
byId("configuration-edit").addEventListener("click", () => {
  goTo("#edit");
  void edit();
});
onStep(() => {
  page.step();
  // What was written there is there again when the reader comes back to it.
  if (location.hash === "#edit") void edit();
  else show(false);
});
void page.load().then(() => {
  if (location.hash === "#edit") void edit();
});
bind({
  keys: "mod+enter",
  label: t("Deploy what was changed"),
  group: t("Configuration"),
  typing: true,
  run: () => void form?.deploy(),
});
startAppHeader();
deployments.follow();
if (mayDeploy) void showWebhooks(app).catch(say);

let known = "";
deployments.addEventListener("change", () => {
  // A deployment that ended may have changed what serves.
  const its = [...deployments.all.values()].filter((one) => one.app === app);
  const now = its.map(({ id, state }) => `${id} ${state}`).join();
  if (known && now !== known) void page.load();
  known = now || " ";
});
