// Where to go after signing in.

import assert from "node:assert/strict";
import { test } from "node:test";

import { safeRedirect } from "../../../static/js/live/sign_in_redirect.js";

test("after signing in nobody is sent to another site", () => {
  const here = "https://cloud.example";
  for (const bad of [
    "",
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "javascript:x",
    "/.//evil.example",
    "/..//evil.example",
    "/a/..//evil.example",
    "/%2e//evil.example",
    "/sign-in?next=/",
  ]) {
    assert.equal(safeRedirect(bad, here), "/", bad);
  }
  assert.equal(
    safeRedirect("/apps/web/logs?level=error#L12", here),
    "/apps/web/logs?level=error#L12",
  );
});
