"""What somebody does before a page's script has come, as on a slow line, is done once it is there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.kept_logs import kept_logs
from tests.terminal_support import Person

pytestmark = pytest.mark.browser

LINES = [(1_760_000_000.0 + n, f"{'ERROR' if n % 5 == 0 else 'INFO'} order {n}") for n in range(50)]


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    with kept_logs(tmp_path_factory.mktemp("early"), {"shop": LINES}) as one:
        yield one


class Held:
    """A page whose script waits until it is let through."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._asked: list[Route] = []
        self._open = False
        page.route(re.compile(r"/static/.*_page[^/]*\.js$"), self._hold)

    def _hold(self, route: Route) -> None:
        if self._open:
            route.continue_()
        else:
            self._asked.append(route)

    def goto(self, url: str) -> Page:
        self.page.goto(url, wait_until="commit")
        expect(self.page.locator("body")).to_be_attached()
        return self.page

    def come(self) -> None:
        self._open = True
        for route in self._asked:
            route.continue_()


@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
def test_what_is_chosen_and_typed_is_searched(
    person: Person, people: Callable[..., BrowserContext], language: str
) -> None:
    """And is not wiped when the page fills its fields as its address says."""
    held = Held(people(person, locale=language).new_page())
    page = held.goto(f"{person.server.url}/search?query=order")
    page.select_option("#search-level", "error")
    page.fill("#search-q", "order")
    page.press("#search-q", "Enter")
    held.come()
    expect(page.locator("#search-status")).to_contain_text("10")
    expect(page).to_have_url(re.compile(r"q=order"))
    expect(page).to_have_url(re.compile(r"level=error"))
    expect(page.locator("#search-level")).to_have_value("error")
    expect(page.locator("#search-q")).to_have_value("order")


def test_what_is_pressed_is_pressed_once(
    person: Person, people: Callable[..., BrowserContext]
) -> None:
    """Also by who presses again since nothing happens; and a menu that is filled as it opens is filled."""
    context = people(person, viewport={"width": 360, "height": 740}, has_touch=True)
    held = Held(context.new_page())
    page = held.goto(f"{person.server.url}/search")
    page.locator("#search-apps").tap()
    page.locator("#side-open").tap()
    page.locator("#side-open").tap()
    expect(page.locator("#search-apps-menu")).to_be_hidden()
    held.come()
    expect(page.locator("#side")).to_be_in_viewport()
    expect(page.locator("#side-open")).to_have_attribute("aria-expanded", "true")


def test_a_menu_that_is_asked_for_is_full(
    person: Person, people: Callable[..., BrowserContext]
) -> None:
    held = Held(people(person).new_page())
    page = held.goto(f"{person.server.url}/search")
    page.locator("#search-apps").click()
    held.come()
    expect(page.locator("#search-apps-menu")).to_contain_text("shop")


def test_who_signs_in_is_signed_in(person: Person, people: Callable[..., BrowserContext]) -> None:
    held = Held(people(None).new_page())
    page = held.goto(f"{person.server.url}/sign-in")
    page.fill("#username", "admin")
    page.fill("#password", person.server.password)
    page.keyboard.press("Enter")
    held.come()
    expect(page.locator("#account")).to_contain_text("admin")
    expect(page).to_have_url(f"{person.server.url}/")
