// The page of one session: where a shared link leads, and a terminal on a page of its own.

import "../frame/frame.js";
import { byId } from "../lib/dom.js";
import { decodeFragment } from "../lib/fragment.js";
import { bindTerminalKeys } from "./keys.js";
import { mountTerminal } from "./view.js";

const root = byId("terminal");
const name = byId("terminal-name");

const view = mountTerminal(byId("terminal-panels"), {
  session: root.dataset.session ?? "",
  // In the fragment, which no server's log ever sees.
  key: decodeFragment(location.hash),
  opens: root.dataset.opens === "yes",
  focus: true,
  changed: (one) => {
    const app = one.socket.session?.app ?? "";
    name.textContent = app && !one.name.startsWith(app) ? `${app} · ${one.name}` : one.name;
    document.title = `${one.title || one.name} · CloudBang`;
    // A new one in its place has an address of its own.
    const address = `/terminals/${one.id}`;
    if (one.id && location.pathname !== address) history.replaceState(null, "", address);
  },
});

// Another link to the same page.
addEventListener("hashchange", () => location.reload());
bindTerminalKeys(false);
root.addEventListener("focusin", (event) => event.target === root && view.focus());
