// From what a deployment was made, in short parts. Pure.

import { t } from "../lib/i18n.js";

/**
 * @param {Record<string, any> | null | undefined} source as the record has it
 * @param {{digest: string | null, commit: string | null} | undefined} release what came of it, so far
 * @returns {string[]}
 */
export function sourceParts(source, release) {
  if (!source) return [];
  switch (source.kind) {
    case "git":
      return [source.git, source.branch, release?.commit?.slice(0, 12)].filter(Boolean);
    case "upload":
      return [t("an uploaded folder")];
    case "built":
      return [t("as it was built for release {n}", { n: source.release })];
    case "kept":
      return [t("the release as it was kept")];
    default:
      return [source.image, shortDigest(release?.digest)].filter(Boolean);
  }
}

/** @param {string | null | undefined} digest */
export function shortDigest(digest) {
  const found = /sha256:([0-9a-f]{12})/.exec(digest ?? "");
  return found ? found[1] : "";
}
