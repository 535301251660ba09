// Signing in, and going on to where one wanted to go.

import "./auth_page.js";
import { call, Problem } from "../lib/api.js";
import { byId } from "../lib/dom.js";
import { onSubmit } from "../lib/form.js";
import { t } from "../lib/i18n.js";
import { addressAfterSignIn } from "../live/sign_in_redirect.js";

const form = /** @type {HTMLFormElement} */ (byId("sign-in"));
const password = /** @type {HTMLInputElement} */ (byId("password"));

onSubmit(form, async ({ username, password: secret }) => {
  try {
    await call("POST", "/api/v1/session", { username, password: secret });
  } catch (error) {
    password.select();
    throw error;
  }
  await seeThatItWasKept();
  location.replace(addressAfterSignIn(form.dataset.next ?? "", location));
});

/**
 * A cookie that is for HTTPS only is not taken by a browser that came without: one would stand here
 * again without a word.
 *
 * @throws {Problem}
 */
async function seeThatItWasKept() {
  if (location.protocol === "https:") return;
  try {
    await call("GET", "/api/v1/me");
  } catch (error) {
    if (/** @type {Problem} */ (error).status !== 401) return;
    const words = t(
      "The browser did not keep the sign-in: its cookie is for HTTPS only. Open CloudBang by its https address.",
    );
    throw new Problem(401, "cookie-not-kept", words);
  }
}
