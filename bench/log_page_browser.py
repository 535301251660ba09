"""Looks at the page of a log in Chromium and prints its frames that took longer than 50 ms.

``python -m bench.log_page_browser URL SECRET SECONDS``; see ``bench_log_page``.
"""

from __future__ import annotations

import json
import sys

from playwright.sync_api import sync_playwright

from tests.support import BROWSER_ARGS, script

# As the browser itself counts them (Long Animation Frames): nothing of ours takes part.
WATCH = """window.long = [];
new PerformanceObserver(list => {
    for (const one of list.getEntries())
        long.push([one.duration, Math.max(0, ...one.scripts.map(script => script.duration))]);
}).observe({ type: "long-animation-frame" });"""


def main() -> None:
    url, secret, seconds = sys.argv[1:]
    origin = "/".join(url.split("/")[:3])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=script("browser-up", "whole"), args=list(BROWSER_ARGS)
        )
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        context.add_cookies([{"name": "cloudbang_session", "value": secret, "url": origin}])
        page = context.new_page()
        page.goto(url)
        page.locator(".row").nth(20).wait_for()
        page.wait_for_timeout(2000)  # what is made once is made
        newest = "document.querySelector('.log-slice .row:last-child').textContent"
        before = page.evaluate(newest)
        page.evaluate(WATCH)
        page.wait_for_timeout(float(seconds) * 1000)
        print(json.dumps({"long": page.evaluate("long"), "moved": page.evaluate(newest) != before}))
        browser.close()


if __name__ == "__main__":
    main()
