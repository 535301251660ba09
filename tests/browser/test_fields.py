"""The filter of a log by terms and fields: chips, values that are clicked, columns, times, and Back."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.kept_logs import Lines, kept_logs
from tests.terminal_support import Person

COUNT = 240


def minutes(app: str) -> Lines:
    begin = int(time.time()) - 60 * COUNT
    for n in range(COUNT):
        status, place = (503, "/pay") if n % 40 == 7 else (200, ("/pay", "/healthz")[n % 2])
        if app == "shop":
            level = "error" if status == 503 else "info"
            its = {"level": level, "msg": f"request {n}", "status": status, "http": {"path": place}}
            yield begin + 60 * n, json.dumps(its)
        else:
            asked = f"GET {place}?n={n} HTTP/1.1"
            yield (
                begin + 60 * n,
                f'10.0.0.{n % 5} - - [01/Feb/2026:09:00:00 +0000] "{asked}" {status} {n}',
            )


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """A server with two apps that logged a line a minute for the last four hours."""
    logs = {app: minutes(app) for app in ("shop", "web")}
    with kept_logs(tmp_path_factory.mktemp("fields"), logs) as one:
        yield one


@pytest.fixture
def page(person: Person, people: Callable[..., BrowserContext]) -> Page:
    page = people(person).new_page()
    page.goto(f"{person.server.url}/apps/shop/logs")
    expect(page.locator("#log-slice .row").first).to_be_visible()
    return page


def rows(page: Page) -> object:
    return expect(page.locator("#log-slice .row:not(.row-event)"))


def asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_terms_are_chips_and_back_undoes_them(page: Page) -> None:
    """By keyboard alone: typed, switched off and on, changed, taken away."""
    page.keyboard.press("F")
    field, chips = page.locator("#log-terms-field"), page.locator(".filter-term")
    page.keyboard.type("status:>=500 -http.path:/cart")
    page.keyboard.press("Enter")
    expect(chips).to_have_text(["status:>=500", "-http.path:/cart"])
    expect(page.locator("#log-slice .row")).to_have_count(COUNT // 40)
    assert asked(page)["query"] == ["status:>=500 -http.path:/cart"]
    page.keyboard.type("status:5oo..")
    page.keyboard.press("Enter")
    expect(page.locator("#log-terms-error")).to_be_hidden()
    expect(chips).to_have_count(3)
    page.keyboard.press("Backspace")
    page.keyboard.press("Delete")
    expect(chips).to_have_count(2)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    expect(chips.nth(0)).to_have_class("filter-term term-off")
    assert asked(page) == {"query": ["-http.path:/cart"], "off": ["0.status:>=500"]}
    expect(page.locator("#log-slice .row").nth(20)).to_be_visible()
    page.go_back()
    expect(chips.nth(0)).to_have_class("filter-term")
    expect(page.locator("#log-slice .row")).to_have_count(COUNT // 40)
    page.go_forward()
    expect(chips.nth(0)).to_have_class("filter-term term-off")
    page.reload()
    expect(chips).to_have_text(["status:>=500", "-http.path:/cart"])
    page.locator(".term-text").first.focus()
    page.keyboard.press("Enter")
    expect(field).to_have_value("status:>=500")
    page.keyboard.type("status:x >")
    page.keyboard.press("Enter")
    expect(chips).to_have_text(["status:x", ">", "-http.path:/cart"])
    page.locator("#log-clear").click()
    expect(chips).to_have_count(0)


def test_what_is_wrong_is_said_and_marked(page: Page) -> None:
    page.keyboard.press("F")
    field = page.locator("#log-terms-field")
    field.fill("refused status:>=5oo")
    field.press("Enter")
    expect(page.locator("#log-terms-error")).to_contain_text("at character 18: 5oo is no number")
    expect(field).to_have_attribute("aria-invalid", "true")
    chosen = field.evaluate("f => f.value.slice(f.selectionStart, f.selectionEnd)")
    assert chosen == "5oo"
    expect(page.locator(".filter-term")).to_have_count(0)


def test_a_value_of_a_row_and_of_the_panel_becomes_a_term(page: Page) -> None:
    page.locator("#log-slice .row-text", has_text="request 239").click()
    page.get_by_role("button", name="Without this http.path").click()
    expect(page.locator(".filter-term")).to_have_text(["-http.path:/healthz"])
    expect(page.locator("#log-slice .row", has_text="request 239")).to_have_count(0)
    page.keyboard.press("Escape")
    page.locator("#log-fields").click()
    panel = page.locator("#log-fields-menu")
    panel.locator("summary", has_text="status").click()
    panel.get_by_role("button", name="Only status:503").click()
    expect(page.locator(".filter-term")).to_have_text(["-http.path:/healthz", "status:503"])
    expect(page.locator("#log-slice .row")).to_have_count(COUNT // 40)
    panel.get_by_role("checkbox", name="A column for status").check()
    expect(page.locator("#log-heads .columns-name")).to_have_text(["status"])
    expect(page.locator("#log-slice .row-column").first).to_have_text("503")
    assert asked(page)["column"] == ["status"]
    # Kept for this app, and gone with a step back.
    page.goto(page.url.partition("?")[0])
    expect(page.locator("#log-slice .row-column").first).to_be_visible()
    expect(page).to_have_url(re.compile("column=status"))
    page.get_by_role("button", name="Take the column status away").click()
    expect(page.locator("#log-heads")).to_be_hidden()
    page.go_back()
    expect(page.locator("#log-heads .columns-name")).to_have_text(["status"])


def test_what_is_found_becomes_a_filter(page: Page) -> None:
    find = page.locator("#log-find")
    find.fill("request 7")
    find.press("Control+Enter")
    expect(page.locator(".filter-term")).to_have_text(['"request 7"'])
    expect(find).to_have_value("")
    expect(page.locator("#log-slice .row mark").first).to_have_text("request 7")


def test_a_time_is_a_filter(page: Page) -> None:
    page.locator("#log-jump").click()
    page.get_by_role("button", name="Last hour").click()
    expect(page.locator("#log-span-text")).to_have_text("Only lines of Last hour")
    expect(page.locator("#log-loaded")).to_contain_text("all loaded")
    assert asked(page)["last"] == ["60"]
    page.go_back()
    expect(page.locator("#log-span")).to_be_hidden()
    page.go_forward()
    expect(page.locator("#log-span")).to_be_visible()
    page.locator("#log-span-all").click()
    expect(page.locator("#log-span")).to_be_hidden()
    assert "last" not in asked(page)


def test_several_apps_are_filtered_by_fields(page: Page, person: Person) -> None:
    """Of JSON and of access logs at once."""
    page.goto(f"{person.server.url}/logs?query=status%3A%3E%3D500")
    expect(page.locator(".filter-term")).to_have_text(["status:>=500"])
    expect(page.locator("#log-slice .row")).to_have_count(2 * (COUNT // 40))


def test_the_search_over_all_asks_for_fields(page: Page, person: Person) -> None:
    page.goto(f"{person.server.url}/search")
    field = page.locator("#search-terms-field")
    field.fill("status:>=500 method:GET")
    field.press("Enter")
    expect(page.locator("#search-status")).to_have_text("6 entries found")
    expect(page.locator("#search-hits a.hit-line")).to_have_count(6)
    page.get_by_role("button", name="Switch method:GET off").click()
    expect(page.locator("#search-status")).to_have_text("12 entries found")
    page.go_back()
    expect(page.locator("#search-status")).to_have_text("6 entries found")
    page.locator("#search-hits a.hit-line").first.click()
    expect(page.locator(".filter-term.term-off")).to_have_text(["status:>=500", "method:GET"])


def test_the_search_has_fields_and_columns(page: Page, person: Person) -> None:
    """Of the lines that were found; columns are in the address and go with a step back."""
    page.goto(f"{person.server.url}/search?query=status%3A%3E%3D500")
    expect(page.locator("#search-status")).to_have_text("12 entries found")
    page.keyboard.press("Escape")
    page.keyboard.press("v")
    panel = page.locator("#search-fields-menu")
    expect(panel.locator("#search-fields-about")).to_contain_text("In 12 lines")
    panel.get_by_role("checkbox", name="A column for status").check()
    cells = page.locator(".hit-columns .row-column")
    expect(cells).to_have_text(["503"] * 12)
    assert asked(page)["column"] == ["status"]
    panel.locator("summary", has_text="method").click()
    panel.get_by_role("button", name="Only method:GET").click()
    expect(page.locator("#search-status")).to_have_text("6 entries found")
    expect(cells).to_have_count(6)
    page.go_back()
    expect(page.locator("#search-status")).to_have_text("12 entries found")
    page.go_back()
    expect(cells).to_have_count(0)
    page.go_forward()
    expect(cells).to_have_count(12)
    page.reload()
    expect(page.locator("#search-heads .columns-name")).to_have_text(["status"])
    page.get_by_role("button", name="Take the column status away").click()
    expect(cells).to_have_count(0)
