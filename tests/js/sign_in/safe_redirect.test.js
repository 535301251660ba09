// Where to go after signing in.

import assert from "node:assert/strict";
import { test } from "node:test";

import { pathWithin } from "../../../static/js/sign_in/safe_redirect.js";

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
    assert.equal(pathWithin(bad, here), "/", bad);
  }
  assert.equal(
    pathWithin("/apps/web/logs?level=error#L12", here),
    "/apps/web/logs?level=error#L12",
  );
});
