// What a step tells of how far it is, as rows and a bar: layers of an image, steps of a build,
// instances that come up, requests that are waited for. Pure.

import { formatBytes, t, tn } from "../lib/i18n.js";
import { duration } from "./words.js";

/** @typedef {import("../live/deployments.js").Step} Step */

/**
 * `share`: from 0 to 1, null where it is not known. `state` of a row as of a step.
 *
 * @typedef {{ name: string, words: string, share: number | null, state: Step["state"] }} Row
 * @typedef {{ words: string, share: number | null, rows: Row[] }} Progress
 */

/** @type {Record<string, (told: Record<string, any>, state: Step["state"]) => Progress>} */
const READERS = {
  pull: ofPull,
  build: ofBuild,
  fetch: ofFetch,
};

/**
 * @param {Step} step
 * @returns {Progress | null} null where it has told nothing that is worth showing
 */
export function readProgress({ name, state, progress }) {
  if (!progress) return null;
  const read = READERS[name] ?? ofOthers;
  const found = read(progress, state);
  return found.words || found.rows.length || found.share !== null ? found : null;
}

/**
 * @param {Record<string, any>} told
 * @param {Step["state"]} state
 * @returns {Progress}
 */
function ofPull(told, state) {
  const { layers = [], layers_done: done = 0, layers_all: all = 0, total = 0 } = told;
  const rows = layers.map(
    (/** @type {[string, string, number, number]} */ [id, status, have, size]) => {
      const over = LAYER_DONE.has(status);
      return {
        name: id,
        words: size && !over ? t("{done} of {all}", bytes(have, size)) : layerWord(status),
        share: over ? 1 : size ? have / size : 0,
        state: over ? "done" : state === "running" ? "running" : state,
      };
    },
  );
  const parts = [];
  if (all) parts.push(t("{done} of {all} layers", { done, all }));
  if (total) parts.push(t("{done} of {all}", bytes(told.done ?? 0, total)));
  const far = total ? (told.done ?? 0) / total : all ? done / all : null;
  return { words: parts.join(" · "), share: far, rows };
}

const LAYER_DONE = new Set(["Pull complete", "Already exists"]);

/** @param {string} status the engine's word */
function layerWord(status) {
  /** @type {Record<string, string>} */
  const words = {
    "Pulling fs layer": t("begins"),
    Waiting: t("waits"),
    Downloading: t("is fetched"),
    "Verifying Checksum": t("is checked"),
    "Download complete": t("is here"),
    Extracting: t("is unpacked"),
    "Pull complete": t("done"),
    "Already exists": t("was here"),
  };
  return words[status] ?? status;
}

/**
 * @param {number} done
 * @param {number} all
 */
function bytes(done, all) {
  return { done: formatBytes(done), all: formatBytes(all) };
}

/**
 * What a build does: waits for its turn, fetches the image that it builds upon, or goes through steps,
 * each `[name, state, seconds or null]`.
 *
 * @param {Record<string, any>} told
 * @param {Step["state"]} state
 * @returns {Progress}
 */
function ofBuild(told, state) {
  if (told.doing === "wait") {
    return { words: t("other builds are under way: waits for its turn"), share: null, rows: [] };
  }
  if (told.doing === "pull") {
    const found = ofPull(told, state);
    return { ...found, words: [told.image, found.words].filter(Boolean).join(" · ") };
  }
  const { steps = [], steps_done: done = 0, steps_all: all = steps.length } = told;
  const rows = steps.map((/** @type {[string, string, number | null]} */ [name, how, seconds]) => ({
    name,
    words: how === "cached" ? t("as before") : seconds === null ? "" : duration(seconds),
    share: null,
    state: buildState(how, state),
  }));
  const parts = [];
  if (all) parts.push(t("{done} of {all} build steps", { done, all }));
  if (told.left_out) {
    parts.push(tn("{n} line is left out", "{n} lines are left out", told.left_out));
  }
  return { words: parts.join(" · "), share: all ? done / all : null, rows };
}

/**
 * @param {string} how the builder's word for a step of it
 * @param {Step["state"]} state of the whole: what was under way when it ended is not any more
 * @returns {Step["state"]}
 */
function buildState(how, state) {
  if (how === "failed") return "failed";
  if (how === "cached" || how === "done") return "done";
  return how === "running" && state === "running" ? "running" : "waiting";
}

/**
 * @param {Record<string, any>} told
 * @returns {Progress}
 */
function ofFetch(told) {
  const commit = typeof told.commit === "string" ? told.commit.slice(0, 12) : "";
  const words = [told.branch, commit].filter(Boolean).join(" · ");
  return { words, share: typeof told.share === "number" ? told.share : null, rows: [] };
}

/**
 * What the steps tell that start, prove and switch.
 *
 * @param {Record<string, any>} told
 * @returns {Progress}
 */
function ofOthers(told) {
  const { running, healthy, ended, of: all, in_flight: left, cut, watching } = told;
  const parts = [];
  if (typeof running === "number" && all) {
    parts.push(t("runs: {up} of {all}", { up: running, all }));
  }
  if (typeof healthy === "number" && all) {
    parts.push(t("answers: {up} of {all}", { up: healthy, all }));
  }
  if (typeof ended === "number" && all) {
    parts.push(t("done: {up} of {all}", { up: ended, all }));
  }
  if (typeof left === "number" && left > 0) {
    parts.push(tn("{n} request is not answered yet", "{n} requests are not answered yet", left));
  }
  if (typeof cut === "number") {
    parts.push(
      cut
        ? tn(
            "{n} request took too long and was cut",
            "{n} requests took too long and were cut",
            cut,
          )
        : t("every request was answered"),
    );
  }
  if (typeof watching === "number" && watching > 0) {
    parts.push(t("serves, watched for {n} s", { n: watching }));
  }
  if (typeof told.said === "string" && told.said && healthy !== all) parts.push(told.said);
  return { words: parts.join(" · "), share: null, rows: [] };
}
