// One deployment as it happens, and for ever after: its steps, its log, how it ended and why.

import "../frame/frame.js";
import { startAppHeader } from "../apps/app_header.js";
import { Problem } from "../lib/api.js";
import { byId, h, setChildren, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { t } from "../lib/i18n.js";
import { showRelative } from "../lib/relative_time.js";
import { hasEnded } from "../live/deployments.js";
import { live } from "../live/live_socket.js";
import { bind } from "../frame/keys.js";
import { logOfDeployment } from "../logs/log_source.js";
import { LogView } from "../logs/log_view.js";
import {
  cancelDeployment,
  deployAgain,
  deployRelease,
  deploymentAddress,
  getChanges,
  getDeployment,
  getRelease,
  getReleases,
} from "./deployment_api.js";
import { Clock } from "./clock.js";
import { ComparisonCard } from "./comparison.js";
import { drawDifference } from "./difference.js";
import { sourceParts } from "./source.js";
import { Steps } from "./steps.js";
import { shape, turnShape } from "./shape.js";
import { aftermath, duration, share, standing, stateShape, stateWord, took } from "./words.js";

/** @typedef {import("./deployment_api.js").DeploymentDetail} DeploymentDetail */
/** @typedef {import("./deployment_api.js").Release} Release */
/** @typedef {import("../live/deployments.js").Deployment} Deployment */

const TICK = 200; // ms
const SHOWN = 8; // last lines that are shown at once

const root = byId("deployment");
const mayDeploy = root.dataset.mayDeploy === "yes";

class DeploymentPage {
  /** @type {DeploymentDetail} */
  whole;
  /** The release that serves now, null where none does or it is not known. @type {number | null} */
  serving = null;
  /** @type {Release[]} */
  releases = [];

  #clock = new Clock(Number(root.dataset.now));
  #steps = new Steps(byId("deployment-steps"));
  #comparison = new ComparisonCard();
  #shape = shape("waiting");
  #created = h("time");
  #took = h("span");
  #bar = /** @type {HTMLProgressElement} */ (byId("deployment-bar"));
  #busy = false;

  /** @param {DeploymentDetail} whole as it was when the page was opened */
  constructor(whole) {
    this.whole = whole;
  }

  start() {
    byId("deployment-shape").append(this.#shape);
    this.#facts();
    this.#bindButtons();
    this.show();
    setInterval(() => this.#tick(), TICK);
    live.addEventListener("state", () => this.#showFreshness());
    void this.#loadChanges();
    void this.#loadReleases();
  }

  /** @param {Deployment} told */
  take(told) {
    const ended = !hasEnded(this.whole) && hasEnded(told);
    this.whole = { ...this.whole, ...told };
    this.show();
    if (ended) void this.#reload();
  }

  async #reload() {
    try {
      this.whole = await getDeployment(this.whole.id);
      this.show();
    } catch (error) {
      if (!(error instanceof Problem)) throw error; // what is shown is true all the same
    }
    await this.#loadReleases();
  }

  /** What serves, what one can go back to, and what came of the source changes with each end. */
  async #loadReleases() {
    try {
      const { app, release } = this.whole;
      const { releases, serving } = await getReleases(app);
      const its = releases.some((one) => one.number === release)
        ? undefined
        : await getRelease(app, release);
      this.releases = its ? [...releases, its] : releases;
      this.serving = serving;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
    this.#facts();
    this.#showButtons();
    this.#showAfter();
  }

  async #loadChanges() {
    const { app, release, previous } = this.whole;
    const box = byId("deployment-changes");
    try {
      const changes = await getChanges(app, release, previous);
      const heads = {
        before: previous === null ? null : t("Release {n}", { n: previous }),
        after: t("Release {n}", { n: release }),
      };
      setText(byId("deployment-changes-count"), String(changes.length));
      setChildren(box, [drawDifference(changes, heads)]);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setChildren(box, [h("p", { class: "error" }, sentence(error))]);
    }
  }

  // What is shown

  #facts() {
    const { by, created, release, source } = this.whole;
    const its = this.releases.find((one) => one.number === release);
    showRelative(this.#created, created, t("Begun"));
    setChildren(byId("deployment-facts"), [
      h("span", null, t("release {n}", { n: release })),
      ...sourceParts(source, its).map((part) => h("span", { class: "cut", title: part }, part)),
      h("span", null, t("by {who}", { who: by })),
      this.#created,
      this.#took,
    ]);
  }

  show() {
    const { whole } = this;
    root.dataset.state = whole.state;
    turnShape(this.#shape, stateShape(whole.state), stateWord(whole.state));
    setText(byId("deployment-sentence"), standing(whole));
    this.#steps.show(whole, whole.usual, this.#clock.now());
    this.#showAfter();
    this.#showLastLines();
    this.#comparison.take(whole);
    this.#showButtons();
    this.#tick();
  }

  #tick() {
    const now = this.#clock.now();
    const seconds = took(this.whole, now);
    setText(this.#took, seconds === null ? "" : duration(seconds));
    this.#bar.hidden = hasEnded(this.whole);
    if (this.#bar.hidden) return;
    this.#bar.value = share(this.whole, this.whole.usual, now);
    // Without a connection nobody knows how long it still takes.
    if (live.state === "live") this.#steps.tick(this.whole, this.whole.usual, now);
  }

  #showFreshness() {
    const fresh = live.state === "live" || hasEnded(this.whole);
    const box = byId("deployment-stale");
    if (fresh) box.hidden = true;
    else if (box.hidden) {
      const time = h("time");
      showRelative(time, new Date().toISOString());
      box.replaceChildren(t("Not connected: this is how it stood"), " ", time);
      box.hidden = false;
    }
  }

  #showAfter() {
    const { whole, serving } = this;
    const parts = [aftermath(whole)];
    if (whole.state === "serving" && serving !== null && serving !== whole.release) {
      parts.push(t("Release {n} serves now.", { n: serving }));
    }
    setText(byId("deployment-after"), parts.filter(Boolean).join(" "));
  }

  #showLastLines() {
    const { state, last_lines: lines } = this.whole;
    const box = byId("deployment-last");
    box.hidden = state !== "failed" || !lines?.length;
    if (!box.hidden) setText(byId("deployment-last-lines"), lines.slice(-SHOWN).join("\n"));
  }

  // What can be done

  #showButtons() {
    const { state, release, previous, can_cancel: can, cancelled_by: by } = this.whole;
    const running = !hasEnded(this.whole);
    const cancel = button("deployment-cancel");
    cancel.hidden = !mayDeploy || !running || !can;
    cancel.disabled = by !== null;
    setText(byId("deployment-cancel-text"), by ? t("Being cancelled …") : t("Cancel"));
    // Back from here, where it is what serves; to here, where something else does.
    const isIt = state === "serving" && this.serving === release;
    const to = isIt ? previous : state === "serving" && this.serving !== null ? release : null;
    const kept = this.releases.some((one) => one.number === to && one.can_return);
    // The card says why one would want to; there it leads only back from here.
    for (const [id, shown] of /** @type {[string, boolean][]} */ ([
      ["deployment-back", true],
      ["comparison-back", isIt],
    ])) {
      const back = button(id);
      back.hidden = !mayDeploy || !kept || !shown;
      back.dataset.release = String(to);
      if (to !== null) setText(byId(`${id}-text`), t("Back to release {n}", { n: to }));
    }
    const again = button("deployment-again");
    // The folder of one that was not built is gone: it has to be sent again.
    const gone = this.whole.source?.kind === "upload" && !builtIt(this.whole);
    again.hidden = !mayDeploy || gone || (state !== "failed" && state !== "cancelled");
    byId("deployment-edit").hidden = !mayDeploy || state !== "failed";
  }

  #bindButtons() {
    const cancel = () => this.#do(() => cancelDeployment(this.whole.id));
    button("deployment-cancel").addEventListener("click", cancel);
    for (const back of [button("deployment-back"), button("comparison-back")]) {
      back.addEventListener("click", () => {
        const release = Number(back.dataset.release);
        void this.#go(() => deployRelease(this.whole.app, release));
      });
    }
    button("deployment-again").addEventListener("click", () => {
      void this.#go(() => deployAgain(this.whole));
    });
    bind({
      keys: "x",
      label: t("Cancel this deployment"),
      group: t("Deployment"),
      run: () => button("deployment-cancel").click(),
    });
  }

  /** @param {() => Promise<{id: number} | null>} begin */
  #go(begin) {
    return this.#do(async () => {
      const begun = await begin();
      if (begun) location.assign(deploymentAddress(begun.id));
    });
  }

  /** @param {() => Promise<unknown>} work */
  async #do(work) {
    if (this.#busy) return;
    this.#busy = true;
    say("");
    try {
      const answer = await work();
      if (isDeployment(answer)) this.take(answer);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      say(sentence(error));
    } finally {
      this.#busy = false;
    }
  }
}

/**
 * @param {unknown} answer
 * @returns {answer is Deployment}
 */
function isDeployment(answer) {
  return typeof answer === "object" && answer !== null && "steps" in answer;
}

/** @param {Deployment} deployment */
function builtIt({ steps }) {
  return steps.some(({ name, state }) => name === "build" && state === "done");
}

/** @param {string} words what was not done, and why; "" takes it away */
function say(words) {
  const box = byId("deployment-said");
  setText(box, words);
  box.hidden = !words;
}

/** @param {string} id */
function button(id) {
  return /** @type {HTMLButtonElement} */ (byId(id));
}

const id = Number(root.dataset.id);
/** @type {DeploymentPage | null} */
let page = null;
/** What came before the page had asked. @type {Deployment | null} */
let early = null;

const log = new LogView(
  logOfDeployment(id, {
    deployment: ({ deployment }) => (page ? page.take(deployment) : (early = deployment)),
  }),
);
log.start();
startAppHeader();
getDeployment(id).then(
  (whole) => {
    page = new DeploymentPage(whole);
    page.start();
    if (early) page.take(early);
  },
  (error) => {
    if (!(error instanceof Problem)) throw error;
    say(sentence(error));
  },
);
