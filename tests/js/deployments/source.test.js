// From what a deployment was made, as far as it is known.

import assert from "node:assert/strict";
import test from "node:test";

import { sourceParts } from "../../../static/js/deployments/source.js";

const digest = `nginx@sha256:${"ab12".repeat(16)}`;
const commit = "0123456789abcdef0123";

test("an image is told with its digest, a Git source with its commit, once they are known", () => {
  const image = { kind: "image", image: "nginx:1.27" };
  assert.deepEqual(sourceParts(image, undefined), ["nginx:1.27"]);
  assert.deepEqual(sourceParts(image, { digest, commit: null }), ["nginx:1.27", "ab12ab12ab12"]);
  const git = { kind: "git", git: "https://example.com/a.git", branch: "main" };
  assert.deepEqual(sourceParts(git, { digest: null, commit }), [
    "https://example.com/a.git",
    "main",
    "0123456789ab",
  ]);
});

test("a folder and a release that was kept are called so, and what nobody knows is nothing", () => {
  assert.equal(sourceParts({ kind: "upload", upload: "x" }, undefined).length, 1);
  assert.equal(sourceParts({ kind: "kept", release: 3 }, undefined).length, 1);
  assert.deepEqual(sourceParts(null, undefined), []);
});
