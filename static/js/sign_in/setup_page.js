// The first account. The token comes in the fragment of the address, which no browser sends to
// a server; it leaves the address bar and the history at once.

import { token } from "./setup_token.js";

import "./auth_page.js";
import { call } from "../lib/api.js";
import { byId } from "../lib/dom.js";
import { onSubmit } from "../lib/form.js";

const form = /** @type {HTMLFormElement} */ (byId("setup"));
const field = /** @type {HTMLInputElement} */ (byId("token"));

field.value = token;
askForToken(!field.value);

/** @param {boolean} ask */
function askForToken(ask) {
  byId("token-row").hidden = !ask;
  field.required = ask;
  if (ask) field.focus();
}

onSubmit(form, async ({ token: given, username, password }) => {
  // People paste the whole address where the token is asked for.
  const bare = given.trim().replace(/^.*#/, "");
  try {
    await call("POST", "/api/v1/setup", { token: bare, username, password });
  } catch (error) {
    const { code } = /** @type {import("../lib/api.js").Problem} */ (error);
    if (code === "wrong-setup-token") askForToken(true);
    if (code === "already-set-up") location.replace("/sign-in");
    throw error;
  }
  location.replace("/");
});
