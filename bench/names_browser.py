"""Opens the page of apps in Chromium and prints after how many seconds something was on the screen.

``python -m bench.names_browser URL SECRET ROUNDS``; see ``bench_names``.
"""

from __future__ import annotations

import json
import sys

from playwright.sync_api import Browser, sync_playwright

from tests.support import BROWSER_ARGS, script

PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def visit(browser: Browser, url: str, secret: str) -> float:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_cookies([{"name": "cloudbang_session", "value": secret, "url": url}])
    page = context.new_page()
    page.goto(f"{url}/apps", wait_until="load")
    while (painted := page.evaluate(PAINTED)) is None:
        page.wait_for_timeout(20)
    context.close()
    return float(painted) / 1000


def main() -> None:
    url, secret, rounds = sys.argv[1:]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=script("browser-up", "whole"), args=list(BROWSER_ARGS)
        )
        visit(browser, url, secret)  # the browser itself has woken up then
        print(json.dumps([visit(browser, url, secret) for _ in range(int(rounds))]))
        browser.close()


if __name__ == "__main__":
    main()
