// What takes room, in words: kinds, who uses a thing, why one stayed. Pure, but for the language.

import { formatBytes, t, tn } from "../lib/i18n.js";

/** @typedef {import("../types/api.js").StorageThing} Thing */
/** @typedef {import("../types/api.js").StorageUse} Use */
/** @typedef {Thing["kind"]} Kind */

/** In the order in which they are shown. @type {Kind[]} */
export const KINDS = ["image", "volume", "network", "cache"];

/**
 * @param {Kind} kind
 * @returns {string}
 */
export function kindWord(kind) {
  switch (kind) {
    case "image":
      return t("Images");
    case "volume":
      return t("Volumes");
    case "network":
      return t("Networks");
    default:
      return t("Build cache");
  }
}

/**
 * One of a kind.
 *
 * @param {Kind} kind
 * @returns {string}
 */
export function oneOf(kind) {
  switch (kind) {
    case "image":
      return t("image");
    case "volume":
      return t("volume");
    case "network":
      return t("network");
    default:
      return t("build cache");
  }
}

/**
 * A name as it can be read: of an image without one the beginning of its id.
 *
 * @param {{kind: Kind, id: string, name: string}} thing
 */
export function nameOf({ kind, id, name }) {
  if (kind === "image" && name === id) {
    return t("without a name, {id}", { id: id.replace("sha256:", "").slice(0, 12) });
  }
  return name || id.slice(0, 12);
}

/**
 * Who uses it, each app once: "web, shop", and how many more.
 *
 * @param {Use[]} uses
 */
export function usersOf(uses) {
  const names = new Set();
  let hidden = 0;
  for (const use of uses) {
    if (use.app || use.name) names.add(use.app || use.name);
    else hidden++;
  }
  const shown = [...names].slice(0, 3);
  const more = names.size - shown.length + hidden;
  if (!shown.length) return more ? tn("{n} other", "{n} others", more) : "";
  return more ? t("{names} and {n} more", { names: shown.join(", "), n: more }) : shown.join(", ");
}

/**
 * One use in full: for who wants to know exactly.
 *
 * @param {Use} use
 */
export function useSentence(use) {
  const facts = { name: use.name, app: use.app };
  if (!use.name) return t("of another team");
  if (use.by === "release") return t("{app}: release {name}, to go back to", facts);
  if (use.by === "service") return t("the service {name}", facts);
  return use.running
    ? t("the container {name}, which runs", facts)
    : t("the container {name}, which does not run", facts);
}

/** @param {number | null} size */
export function sizeWord(size) {
  return size === null ? t("unknown") : formatBytes(size);
}

/**
 * Why one of a plan stayed. What is none of these words is the engine's own.
 *
 * @param {string} why
 */
export function staysBecause(why) {
  switch (why) {
    case "used":
      return t("it is used by now");
    case "kept":
      return t("a release that one can go back to has it by now");
    case "named":
      return t("it was given another name meanwhile");
    case "gone":
      return t("it was gone already");
    default:
      return why;
  }
}

/**
 * The largest first; what is as large by its name.
 *
 * @param {Thing} a
 * @param {Thing} b
 */
export function bySize(a, b) {
  return (b.size ?? 0) + b.shared - (a.size ?? 0) - a.shared || a.name.localeCompare(b.name);
}

/**
 * Whether a thing has all of these words in its names, or in those of who uses it.
 *
 * @param {Thing} thing
 * @param {string} query
 */
export function matches(thing, query) {
  const text = [thing.name, ...thing.names, ...thing.used_by.flatMap((u) => [u.app, u.name])]
    .join("\n")
    .toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
