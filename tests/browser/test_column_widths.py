"""Columns of a width of one's own: by mouse, by keyboard, kept, and none of it on a phone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from cloudbang.domain.lines import format_time
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.terminals import TerminalRecord, TerminalStore
from tests.browser.kept_logs import Lines, kept_logs
from tests.support import wait_until
from tests.terminal_support import Person

LONG = "warehouse-of-the-north-checkout-partners"
HELD = "x" * 60


def lines() -> Lines:
    begin = int(time.time()) - 600
    for n in range(20):
        yield begin + 30 * n, json.dumps({"level": "info", "msg": f"n {n}", "http.id": HELD})


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    logs = {LONG: lines(), "web": lines()}
    with kept_logs(tmp_path_factory.mktemp("widths"), logs, terminals) as one:
        yield one


def terminals(path: Path) -> None:
    """One that has ended is in the list of those there were."""
    database = Database(path)
    database.open()
    now = format_time(time.time_ns())
    store = TerminalStore(database)
    store.opened(
        TerminalRecord(
            *("0123456789abcdef", "exec", "default", LONG, "f" * 64, LONG, "web:1"),
            *(("sh", "-c", HELD), "", "", None, "ann", "", "127.0.0.1", "", 80, 24, now),
        )
    )
    store.ended("0123456789abcdef", "exited", 0)
    database.close()


@pytest.fixture
def page(person: Person, people: Callable[..., BrowserContext]) -> Page:
    page = people(person).new_page()
    page.set_viewport_size({"width": 1280, "height": 700})
    return page


def width(locator: Locator) -> float:
    box = locator.bounding_box()
    assert box
    return box["width"]


def is_wide(locator: Locator, pixels: float, within: float) -> None:
    """It comes to be: what is dragged is drawn in the next frame."""
    wait_until(lambda: abs(width(locator) - pixels) <= within, what=f"a width of {pixels:g}")


def drag(page: Page, handle: Locator, by: int) -> None:
    box = handle.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by, y, steps=4)
    page.mouse.up()


CUT = "e => [...e.querySelectorAll('.cut')].some((p) => p.scrollWidth > p.clientWidth + 1)"
NO_WIDER = "document.documentElement.scrollWidth <= innerWidth"


def test_columns_of_the_apps(page: Page, person: Person, shot: Callable[..., None]) -> None:
    """A handle drags, arrows step, Enter and a double click fit, Delete forgets; it is kept."""
    page.goto(person.server.url)
    head = page.locator(".list-head > .name")
    name = page.locator(".app-row .cell.name", has_text=LONG[-12:]).first
    handle = page.get_by_role("separator", name="Width of the column App")
    more = page.locator(".apps-more button")  # they have no containers
    more.click()
    expect(name).to_be_visible()
    before = width(head)
    drag(page, handle, -100)
    is_wide(head, before - 100, 2)
    is_wide(name, width(head), 1)
    assert name.locator(".app-link").evaluate(CUT)
    page.keyboard.press("ArrowRight")
    is_wide(head, before - 84, 2)
    expect(handle).to_have_attribute("aria-valuenow", str(round(before - 84)))
    handle.dblclick()
    assert not name.locator(".app-link").evaluate(CUT)
    fitted = width(head)
    page.reload()
    more.click()
    expect(name).to_be_visible()
    is_wide(head, fitted, 1)
    shot(page, "column-widths")
    # However much is asked for, the page gets no wider.
    drag(page, handle, 900)
    assert page.evaluate(NO_WIDER)
    handle.focus()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    is_wide(head, fitted, 2)
    page.keyboard.press("Delete")
    is_wide(head, before, 1)
    page.keyboard.press("Shift+ArrowLeft")
    page.set_viewport_size({"width": 360, "height": 700})
    expect(handle).to_have_count(0)
    wait_until(lambda: width(name) > 250)
    assert page.evaluate(NO_WIDER)


def test_columns_of_terminals_there_were(page: Page, person: Person) -> None:
    """The same; where they do not fit the table scrolls, and the page does not. None where it is cards."""
    page.goto(f"{person.server.url}/terminals")
    cell = page.locator(".terminals-past td.what")
    expect(cell).to_contain_text(HELD)
    expect(page.get_by_text("The Docker Engine does not answer")).to_be_visible()
    before = width(cell)
    handle = page.get_by_role("separator", name="Width of the column Command")
    drag(page, handle, 40)
    is_wide(cell, before + 40, 2)
    handle.dblclick()
    assert not cell.evaluate(CUT)
    assert page.evaluate(NO_WIDER)
    fitted = width(cell)
    page.reload()
    expect(cell).to_contain_text(HELD)
    is_wide(cell, fitted, 1)
    handle.focus()
    page.keyboard.press("Delete")
    is_wide(cell, before, 1)
    page.set_viewport_size({"width": 360, "height": 700})
    expect(handle).to_have_count(0)
    assert page.evaluate(NO_WIDER)


def test_columns_of_fields_in_a_log(page: Page, person: Person) -> None:
    """The same of a field, whatever is in its name; its head still takes it away."""
    page.goto(f"{person.server.url}/apps/web/logs?column=http.id")
    cell = page.locator("#log-slice .row-column").first
    expect(cell).to_have_text(HELD)
    # What is said above it moves it.
    expect(page.get_by_text("The Docker Engine does not answer")).to_be_visible()
    before = width(cell)
    handle = page.get_by_role("separator", name="Width of the column http.id")
    drag(page, handle, 60)
    is_wide(cell, before + 60, 2)
    handle.dblclick()
    wait_until(lambda: width(cell) > 2 * before)
    assert cell.evaluate("e => e.scrollWidth <= e.clientWidth")
    fitted = width(cell)
    page.reload()
    expect(cell).to_have_text(HELD)
    is_wide(cell, fitted, 1)
    page.get_by_role("button", name="Take the column http.id away").click()
    expect(page.locator("#log-heads")).to_be_hidden()
