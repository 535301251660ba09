// Signing in, and going on to where one wanted to go.

import "./auth_page.js";
import { call } from "../lib/api.js";
import { byId } from "../lib/dom.js";
import { onSubmit } from "../lib/form.js";
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
  location.replace(addressAfterSignIn(form.dataset.next ?? "", location));
});
