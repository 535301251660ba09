"""Opens a log page in Chromium and prints when its first line was on the screen.

``python -m bench.pages_browser URL APP SECRET ROUNDS``; see ``bench_pages``.
"""

from __future__ import annotations

import json
import sys

from playwright.sync_api import Browser, Page, sync_playwright

from tests.support import BROWSER_ARGS, script

# The browser itself says when it has shown the text of a row. A page is told so over the console, and
# nothing is asked of it meanwhile: that would take its time.
WATCH = """
new MutationObserver((changes) => {
  for (const { addedNodes } of changes) {
    for (const node of addedNodes) {
      if (!(node instanceof Element)) continue;
      for (const one of node.querySelectorAll(".row-text")) one.setAttribute("elementtiming", "line");
    }
  }
}).observe(document, { childList: true, subtree: true });
new PerformanceObserver((shown, observer) => {
  observer.disconnect();
  console.debug(`first line ${shown.getEntries()[0].renderTime}`);
}).observe({ type: "element", buffered: true });
"""
SAID = "first line "
LIMIT = 60_000  # ms


def first_line(page: Page, url: str) -> float:
    """Seconds from the beginning of the navigation until a line was on the screen."""
    with page.expect_console_message(
        lambda message: message.text.startswith(SAID), timeout=LIMIT
    ) as said:
        page.goto(url, wait_until="commit", timeout=LIMIT)
    return float(said.value.text.removeprefix(SAID)) / 1000


def visit(browser: Browser, url: str, app: str, secret: str) -> dict[str, float]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_cookies([{"name": "cloudbang_session", "value": secret, "url": url}])
    context.add_init_script(WATCH)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    received = [0.0]
    tools = context.new_cdp_session(page)
    tools.send("Network.enable")
    tools.on("Network.loadingFinished", lambda one: received.append(one["encodedDataLength"]))
    tools.on(
        "Network.webSocketFrameReceived",
        lambda one: received.append(len(one["response"]["payloadData"])),
    )
    address = f"{url}/apps/{app}/logs"
    first = first_line(page, address)
    page.wait_for_selector('#connection[data-state="live"]', timeout=LIMIT)
    page.wait_for_load_state("networkidle")
    requests, kilobytes = len(asked), sum(received) / 1000
    page.goto("about:blank")
    again = first_line(page, address)
    context.close()
    return {"first": first, "again": again, "requests": requests, "kilobytes": kilobytes}


def main() -> None:
    url, app, secret, rounds = sys.argv[1:]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=script("browser-up", "whole"), args=list(BROWSER_ARGS)
        )
        visit(browser, url, app, secret)  # the browser itself has woken up then
        print(json.dumps([visit(browser, url, app, secret) for _ in range(int(rounds))]))
        browser.close()


if __name__ == "__main__":
    main()
