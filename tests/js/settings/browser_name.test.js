// Browsers by their names.

import assert from "node:assert/strict";
import { test } from "node:test";

import { browserName } from "../../../static/js/settings/browser_name.js";

test("a session is called by its browser and system", () => {
  assert.equal(
    browserName(
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0 Safari/537.36",
    ),
    "Chrome, Linux",
  );
  assert.equal(browserName("python-httpx/0.28"), "python-httpx/0.28");
});
