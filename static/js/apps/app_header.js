// The head of an app's pages: its state and since when, where it listens, its instances.

import { byId, h, setChildren } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { inventory } from "../live/inventory.js";
import { bind } from "../frame/keys.js";
import { shortImage, shortPorts } from "./format_container.js";
import { offerRemoval } from "./removal.js";
import { appAddress, mayOpenTerminals, terminalAddress } from "../frame/addresses.js";
import { appState, instanceCount, since, stateIcon, stateSentence } from "../live/app_state.js";
import { showRelative } from "../lib/relative_time.js";

const name = byId("app-name").dataset.app ?? "";
const time = h("time");

/**
 * An app that neither the engine nor the store knows any more, once that is sure.
 *
 * @returns {import("../live/app_state.js").App | null}
 */
function nobody() {
  if (!inventory.known) return null;
  const nothing = { team: "", state: "", stack: null, last_line: null, first: 1, next: 1, rate: 0 };
  return { name, instances: [], kind: "found", put_away: false, ...nothing };
}

function draw() {
  const app = inventory.apps.get(name) ?? nobody();
  if (!app) return;
  setChildren(byId("app-state"), [stateIcon(appState(app))]);
  const when = since(app);
  showRelative(time, when?.time ?? null, when?.up ? t("Started") : t("Stopped"));
  const ports = [...new Set(app.instances.flatMap((one) => one.ports))];
  const facts = [
    h(
      "span",
      null,
      stateSentence(app),
      when && (when.up ? ` · ${t("started")} ` : " · "),
      when && time,
    ),
    app.instances.length > 1 && h("span", { class: "wide" }, instanceCount(app)),
    app.instances.length === 1 &&
      h(
        "span",
        { class: "mono cut wide", title: app.instances[0].image },
        shortImage(app.instances[0].image),
      ),
    ports.length > 0 &&
      h("span", { class: "mono cut wide", title: ports.join("\n") }, shortPorts(ports, 3).text),
  ];
  setChildren(
    byId("app-facts"),
    facts.filter((fact) => fact instanceof Element),
  );
}

inventory.addEventListener("apps", draw);
if (mayOpenTerminals(name)) {
  bind({
    keys: "g t",
    label: t("Terminals of this app"),
    group: t("Go to"),
    run: () => location.assign(terminalAddress(name)),
  });
}
bind({
  keys: "g l",
  label: t("Logs of this app"),
  group: t("Go to"),
  run: () => location.assign(appAddress(name)),
});
offerRemoval(name);
draw();
