// Where to go after signing in.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  addressAfterSignIn,
  safeRedirect,
  signInAddress,
} from "../../../static/js/live/sign_in_redirect.js";

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

test("a fragment stays a fragment on the way to the sign-in and back", () => {
  for (const [search, hash] of [
    ["", "#a%20key&more"],
    ["?q=x", "#L12"],
    ["", "#t=1:02"],
    ["", ""],
  ]) {
    const here = { pathname: "/terminals/1f", search, hash, origin: "https://cloud.example" };
    const signIn = new URL(signInAddress(here), here.origin);
    assert.equal(signIn.hash, hash);
    assert.ok(!signIn.search.includes("key"));
    const next = signIn.searchParams.get("next") ?? "";
    assert.equal(
      addressAfterSignIn(next, { origin: here.origin, hash: signIn.hash }),
      here.pathname + search + hash,
    );
  }
  const there = { origin: "https://cloud.example", hash: "#L12" };
  assert.equal(addressAfterSignIn("/apps/web/logs", there), "/apps/web/logs#L12");
  assert.equal(addressAfterSignIn("/apps/web/logs#L5", there), "/apps/web/logs#L5");
  assert.equal(addressAfterSignIn("//evil.example", there), "/#L12");
});
