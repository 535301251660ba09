// What a deployment and its steps are called and how they stand, in the reader's words. Pure.

import { formatDuration, t, toDate } from "../lib/i18n.js";
import { currentStep, hasEnded } from "../live/deployments.js";

/** @typedef {import("../live/deployments.js").Deployment} Deployment */
/** @typedef {import("../live/deployments.js").Step} Step */

/** @param {Deployment["state"]} state */
export function stateWord(state) {
  switch (state) {
    case "queued":
      return t("Waiting");
    case "running":
      return t("Under way");
    case "serving":
      return t("Went well");
    case "failed":
      return t("Went wrong");
    case "cancelled":
      return t("Cancelled");
  }
}

/** The shape that goes with a state, as those of apps are called. @param {string} state */
export function stateShape(state) {
  /** @type {Record<string, string>} */
  const shapes = {
    queued: "created",
    waiting: "created",
    running: "starting",
    serving: "running",
    done: "done",
    failed: "failed",
    cancelled: "gone",
  };
  return shapes[state] ?? "exited";
}

/** What a step is for. @param {string} name */
export function stepWord(name) {
  switch (name) {
    case "fetch":
      return t("Fetch the source");
    case "build":
      return t("Build the image");
    case "pull":
      return t("Get the image");
    case "release_command":
      return t("Run the release command");
    case "start":
      return t("Start the new release");
    case "health":
      return t("Prove that it answers");
    case "switch":
      return t("Lead requests to it");
    case "drain":
      return t("Let old requests finish");
    case "stop":
      return t("Stop the old release");
    default:
      return name;
  }
}

/** What a step does while it is under way. @param {string} name */
export function doingWord(name) {
  switch (name) {
    case "fetch":
      return t("fetching the source");
    case "build":
      return t("building the image");
    case "pull":
      return t("getting the image");
    case "release_command":
      return t("running the release command");
    case "start":
      return t("starting the new release");
    case "health":
      return t("waiting for it to answer");
    case "switch":
      return t("leading requests to it");
    case "drain":
      return t("letting old requests finish");
    case "stop":
      return t("stopping the old release");
    default:
      return name;
  }
}

/** @param {Step["state"]} state */
export function stepStateWord(state) {
  switch (state) {
    case "waiting":
      return t("not begun");
    case "running":
      return t("under way");
    case "done":
      return t("done");
    case "failed":
      return t("failed");
    case "cancelled":
      return t("cancelled");
  }
}

/**
 * How it stands, in one sentence.
 *
 * @param {Deployment} deployment
 */
export function standing(deployment) {
  const { state, steps, release, cancelled_by: by, app } = deployment;
  if (state === "queued") return t("Waits until the deployment before it has ended.");
  if (state === "running") {
    if (by) return t("{by} cancelled it: what it began is being undone.", { by });
    const step = currentStep(deployment);
    if (isServing(deployment)) return t("Release {n} serves and is being watched.", { n: release });
    const at = step ? steps.indexOf(step) + 1 : steps.length;
    const doing = step ? doingWord(step.name) : "";
    return t("Step {at} of {all}: {doing}.", { at, all: steps.length, doing });
  }
  if (state === "serving") return t("Release {n} went into service.", { n: release });
  if (state === "cancelled") {
    return by ? t("Cancelled by {by}.", { by }) : (deployment.sentence ?? t("Cancelled."));
  }
  const why = deployment.sentence ?? "";
  return why ? why.charAt(0).toUpperCase() + why.slice(1) : t("{app} was not deployed.", { app });
}

/** Whether requests reach the new release already, while it is still watched. @param {Deployment} d */
export function isServing({ state, steps }) {
  return state === "running" && steps.some(({ progress }) => progress?.serving === true);
}

/**
 * What serves after one that failed or was cancelled; "" for others.
 *
 * @param {Deployment} deployment
 */
export function aftermath({ state, previous, steps, stop_first: first, settled }) {
  if (state !== "failed" && state !== "cancelled") return "";
  if (previous === null) return t("Nothing served before, so nothing serves now.");
  const stopped = first && steps.some((step) => step.name === "stop" && step.started);
  if (!settled) {
    return stopped
      ? t("Release {n} is being started again.", { n: previous })
      : t("Release {n} goes on serving; what was begun is being removed.", { n: previous });
  }
  return stopped
    ? t("Release {n} was started again and serves.", { n: previous })
    : t("Release {n} goes on serving.", { n: previous });
}

/**
 * Seconds that something took, or takes so far; null while it has not begun.
 *
 * @param {{started?: string | null, created?: string, finished: string | null}} one
 * @param {number} now ms since 1970, by the server's clock
 * @returns {number | null}
 */
export function took(one, now) {
  const begun = one.started ?? one.created;
  if (!begun) return null;
  const end = one.finished ? toDate(one.finished).getTime() : now;
  return Math.max(0, (end - toDate(begun).getTime()) / 1000);
}

/**
 * How long, to the tenth of a second where it is short: steps of a deployment mostly are.
 *
 * @param {number} seconds
 */
export function duration(seconds) {
  if (seconds < 0.05) return t("{n} s", { n: 0 });
  if (seconds < 10) return t("{n} s", { n: Math.round(seconds * 10) / 10 });
  return formatDuration(Math.round(seconds));
}

/**
 * How far it is, from 0 to 1: by the usual durations of its steps where they are known.
 *
 * @param {Deployment} deployment
 * @param {Record<string, number>} usual seconds by step
 * @param {number} now
 */
export function share(deployment, usual, now) {
  if (hasEnded(deployment)) return 1;
  const weights = deployment.steps.map(({ name }) => Math.max(0.3, usual[name] ?? 2));
  const all = weights.reduce((sum, one) => sum + one, 0);
  const done = deployment.steps.reduce((sum, step, n) => {
    if (step.state === "done") return sum + weights[n];
    if (step.state !== "running") return sum;
    // What takes longer than usual comes closer and closer, and never arrives.
    const part = (took(step, now) ?? 0) / weights[n];
    return sum + weights[n] * Math.min(0.95, 1 - Math.exp(-part));
  }, 0);
  return all ? done / all : 0;
}
