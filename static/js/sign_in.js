// Signing in, and going on to where one wanted to go.

import { call } from "./api.js";
import { byId } from "./dom.js";
import { onSubmit } from "./form.js";
import { pathWithin } from "./next.js";

const form = /** @type {HTMLFormElement} */ (byId("sign-in"));
const password = /** @type {HTMLInputElement} */ (byId("password"));

onSubmit(form, async ({ username, password: secret }) => {
  try {
    await call("POST", "/api/v1/session", { username, password: secret });
  } catch (error) {
    password.select();
    throw error;
  }
  location.replace(pathWithin(form.dataset.next ?? "", location.origin));
});
