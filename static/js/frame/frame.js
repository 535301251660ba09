// What every page behind the sign-in does: sidebar, connection, notices, menus, keys.

import { call } from "../lib/api.js";
import { startConnectionStatus } from "./connection_status.js";
import { t } from "../lib/i18n.js";
import { deployments } from "../live/deployments.js";
import { inventory } from "../live/inventory.js";
import { bind, showKeys, startKeys } from "./keys.js";
import { nextTheme, otherLanguage, setLanguage, showTheme } from "./appearance.js";
import { goToSignIn, setComesBack } from "../live/sign_in_redirect.js";
import { live } from "../live/live_socket.js";
import { hangMenus } from "../lib/menu.js";
import { startNotices } from "./notices.js";
import { addEntries, entry, openPalette } from "./command_palette.js";
import { startSavedSearches } from "./saved_searches.js";
import { startSidebar } from "./sidebar.js";
import { terminalAddress } from "./addresses.js";
import { may } from "./permissions.js";

async function signOut() {
  // Before it is asked for: the sockets may hear of the end before the answer comes.
  setComesBack(false);
  try {
    await call("DELETE", "/api/v1/session");
  } catch (error) {
    // A login that is over already is what was asked for; anything else must not look like it.
    if (/** @type {import("../lib/api.js").Problem} */ (error).status !== 401) {
      setComesBack(true);
      throw error;
    }
  }
  live.stop();
  goToSignIn();
}

/** @type {Record<string, () => void>} */
const ACTIONS = {
  theme: nextTheme,
  language: () => setLanguage(otherLanguage()),
  keys: showKeys,
  palette: openPalette,
  "sign-out": () => void signOut(),
};

document.addEventListener("click", (event) => {
  const target = /** @type {Element} */ (event.target).closest("[data-action]");
  const action = ACTIONS[/** @type {HTMLElement | null} */ (target)?.dataset.action ?? ""];
  if (!action) return;
  const menu = target?.closest("[popover]");
  if (menu instanceof HTMLElement && action !== nextTheme) menu.hidePopover();
  action();
});

bind({ keys: "mod+k", label: t("Jump to anything"), typing: true, run: openPalette });
bind({ keys: "g a", label: t("Apps"), group: t("Go to"), run: () => location.assign("/") });
bind({
  keys: "g d",
  label: t("Deployments"),
  group: t("Go to"),
  run: () => location.assign("/deployments"),
});
bind({
  keys: "g w",
  label: t("Alerts"),
  group: t("Go to"),
  run: () => location.assign("/alerts"),
});
bind({
  keys: "g e",
  label: t("Terminals"),
  group: t("Go to"),
  run: () => location.assign("/terminals"),
});
bind({
  keys: "g o",
  label: t("All logs"),
  group: t("Go to"),
  run: () => location.assign("/logs"),
});
bind({
  keys: "g f",
  label: t("Search"),
  group: t("Go to"),
  run: () => location.assign("/search"),
});
bind({
  keys: "g s",
  label: t("Settings"),
  group: t("Go to"),
  run: () => location.assign("/settings"),
});

addEntries(() => [
  entry(t("Apps"), t("Page"), "apps", () => location.assign("/")),
  entry(t("Deployments"), t("Page"), "deploy", () => location.assign("/deployments")),
  entry(t("Alerts"), t("Page"), "warning", () => location.assign("/alerts")),
  entry(t("Terminals"), t("Page"), "terminal", () => location.assign("/terminals")),
  entry(t("All logs"), t("Page"), "logs", () => location.assign("/logs")),
  entry(t("Search"), t("Page"), "search", () => location.assign("/search")),
  ...(document.querySelector('.side-menu a[href="/storage"]')
    ? [entry(t("Storage"), t("Page"), "storage", () => location.assign("/storage"))]
    : []),
  entry(t("Settings"), t("Page"), "settings", () => location.assign("/settings")),
  entry(t("Change the theme"), t("Action"), "theme-system", nextTheme),
  entry(t("Change the language"), t("Action"), "language", ACTIONS.language),
  entry(t("All keys"), t("Action"), "keyboard", showKeys),
  entry(t("Sign out"), t("Action"), "leave", ACTIONS["sign-out"]),
]);

addEntries(() =>
  !may("terminal")
    ? []
    : [...inventory.apps.values()].flatMap((app) =>
        app.instances
          .filter((one) => one.state === "running")
          .map((one) =>
            entry(t("Terminal in {name}", { name: one.name }), app.name, "terminal", () =>
              location.assign(terminalAddress(app.name, one.id)),
            ),
          ),
      ),
);

showTheme();
hangMenus();
startKeys();
startSidebar();
startSavedSearches();
startConnectionStatus();
startNotices();
inventory.follow();
deployments.follow();
