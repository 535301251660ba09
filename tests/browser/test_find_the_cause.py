"""Three apps log, and one fails because of another: from the start page to the line that says why, in
the log of the app that wrote it, as somebody does who was just called."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from cloudbang.domain.lines import format_time
from tests.browser.kept_logs import kept_logs
from tests.terminal_support import Person

pytestmark = pytest.mark.browser

BEGAN = 1_764_500_000  # in the morning of 30 November 2025
FAILED = BEGAN + 3 * 3600 + 1234
CAUSE = "could not extend file base/16384/2619: No space left on device"
TRACE = """\
ERROR order 7731 was not stored
Traceback (most recent call last):
  File "/app/orders.py", line 88, in store
    cursor.execute(INSERT, order)
psycopg.errors.DiskFull: could not extend file
"""


def logged() -> dict[str, list[tuple[float, str]]]:
    """By app when it wrote which line: calm for hours, then the database has no room, a moment later the
    shop fails of that, and from then on the web server tells everybody 502."""
    apps: dict[str, list[tuple[float, str]]] = {"postgres": [], "shop": [], "web": []}
    for at in range(BEGAN, FAILED, 20):
        apps["postgres"].append((at + 0.1, "LOG:  checkpoint complete: wrote 12 buffers"))
        apps["shop"].append((at + 0.2, f"INFO order {at % 10_000} stored in 12 ms"))
        apps["web"].append((at + 0.3, f'10.0.0.{at % 200} "POST /orders HTTP/1.1" 201 17'))
    for n in range(120):
        at = FAILED + 2 * n
        apps["postgres"].append((at + 0.01, f"ERROR:  {CAUSE}"))
        apps["shop"] += [(at + 0.02, line) for line in TRACE.splitlines()]
        apps["web"].append((at + 0.03, f'10.0.0.{n} "POST /orders HTTP/1.1" 502 157'))
        apps["web"].append((at + 0.04, "[error] 29#29: upstream prematurely closed connection"))
    return apps


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    with kept_logs(tmp_path_factory.mktemp("cause"), logged()) as one:
        yield one


def is_there(page: Page) -> None:
    """The line that says why, in the log of the app that wrote it, with what it wrote before."""
    expect(page).to_have_url(re.compile("/apps/postgres/logs"))
    expect(page.locator(".row-linked, .row-cursor").first).to_contain_text(CAUSE)
    expect(page.locator("#log-slice")).to_contain_text("checkpoint complete")


def test_by_keyboard(person: Person, people: Callable[..., BrowserContext]) -> None:
    """All logs as one, errors only, the first of them: it is another app's than the one that fails."""
    page = people(person).new_page()
    page.goto(person.server.url)
    expect(page.locator("#side-apps")).not_to_be_empty()
    rows = page.locator("#log-slice .row")
    page.keyboard.press("g")
    page.keyboard.press("o")
    expect(rows.last).to_contain_text("upstream prematurely closed")
    page.keyboard.press("F")
    page.keyboard.type("level:error")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.locator("#log-slice")).not_to_contain_text("502 157")
    page.keyboard.press("Home")
    # What was loaded before has the same words; the first of all comes with the answer.
    first = re.compile(re.escape(format_time(round((FAILED + 0.01) * 1e9))[:19]))
    expect(rows.first.locator("time")).to_have_attribute("datetime", first)
    expect(rows.first).to_contain_text(CAUSE)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    link = page.locator(".detail-facts").get_by_role("link", name="postgres")
    expect(link).to_be_visible()
    for _ in range(30):
        page.keyboard.press("Tab")
        if link.evaluate("(link) => link === document.activeElement"):
            break
    page.keyboard.press("Enter")
    is_there(page)


def test_on_a_phone(person: Person, people: Callable[..., BrowserContext]) -> None:
    """The search over all, errors only, the bar at which they begin, and the oldest line there."""
    context = people(person, viewport={"width": 360, "height": 740}, has_touch=True)
    page = context.new_page()
    page.goto(person.server.url)
    page.locator("#side-open").tap()
    page.get_by_role("link", name="Search").tap()
    page.select_option("#search-level", "error")
    status = page.locator("#search-status")
    expect(status).to_contain_text("found")
    page.locator(".time-bar:not([aria-disabled])").first.tap()
    expect(page).to_have_url(re.compile("since="))
    last = page.locator("a.hit-line").last
    expect(last).to_contain_text(CAUSE)
    last.tap()
    is_there(page)
