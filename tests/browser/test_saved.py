"""What a person keeps: words in colour, searches under a name; and an app's log: how large it is, how
long it is kept, a part of it as a file."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser import axe
from tests.browser.kept_logs import Lines, kept_logs
from tests.terminal_support import Person

APPS = ("orders", "web")
LINES = 300
PICTURES = os.environ.get("CLOUDBANG_TEST_PICTURES")


def seconds(number: int, app: str) -> Lines:
    start = int(time.time()) - LINES
    for n in range(LINES):
        text = f"{app} handled order {n} in 12 ms"
        if n % 100 == 50:
            text = f"ERROR card declined {n}: \x1b[31mdb timeout\x1b[0m"
        yield start + n + number / 1000, text


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """A server with two apps that logged a line a second for the last five minutes."""
    logs = {app: seconds(number, app) for number, app in enumerate(APPS)}
    with kept_logs(tmp_path_factory.mktemp("saved"), logs) as one:
        yield one


@pytest.fixture
def page(person: Person, people: Callable[..., BrowserContext]) -> Page:
    return people(person, viewport={"width": 1280, "height": 800}).new_page()


@pytest.fixture
def phone(person: Person, people: Callable[..., BrowserContext]) -> Page:
    options = {"viewport": {"width": 360, "height": 740}, "locale": "zh-CN", "color_scheme": "dark"}
    return people(person, **options).new_page()


def at(page: Page, person: Person, path: str) -> Page:
    page.goto(person.server.url + path)
    expect(page.locator(".row-text, .hit-text").first).to_be_visible()
    return page


def picture(page: Page, artifacts: Path, name: str) -> None:
    if PICTURES:
        page.screenshot(path=artifacts / f"saved-{name}.png")


SLOW = pytest.mark.slow("two browsers go through it, and axe looks in both themes")


@SLOW
def test_words_in_colour(page: Page, phone: Page, person: Person, artifacts: Path) -> None:
    """By key, counted in sight, gone through by n, changed and removed; there on another machine."""
    at(page, person, "/apps/web/logs")
    page.keyboard.press("m")
    expect(page.locator("#log-mark-text")).to_be_focused()
    page.keyboard.type("DECLINED")
    page.keyboard.press("Enter")
    expect(page.locator("#log-mark-menu")).to_be_hidden()
    page.locator("#log-mark").click()
    page.fill("#log-mark-text", r"order \d+")
    page.click("#log-mark-regex")
    page.keyboard.press("Enter")
    chips = page.locator(".mark-chip")
    expect(chips).to_have_count(2)
    marked = page.locator("#log-slice mark.marked[data-hue='2']")
    expect(marked.last).to_have_text(f"order {LINES - 1}")
    seen = page.locator("#log-slice .row").count()
    count = int(chips.nth(1).locator(".mark-count").inner_text())
    assert 0 < count <= seen
    expect(chips.nth(0).locator(".mark-count")).to_have_text("0")
    chips.nth(0).locator(".mark-words").click()
    expect(chips.nth(0).locator(".mark-words")).to_have_attribute("aria-pressed", "true")
    page.locator("#log-scroller").focus()
    page.keyboard.press("n")
    cursor = page.locator(".row-cursor")
    expect(cursor.locator("mark.marked[data-hue='1']")).to_have_text("declined")
    expect(cursor).to_contain_text("card declined 250")
    expect(chips.nth(0).locator(".mark-count")).to_have_text("1")
    page.keyboard.press("N")
    expect(cursor).to_contain_text("card declined 150")
    chips.nth(1).locator(".mark-colour").click()
    expect(page.locator("#log-slice mark.marked[data-hue='3']").first).to_be_visible()
    picture(page, artifacts, "marks-light-en")
    assert axe.found(page, "marks") == []
    at(phone, person, "/search?q=card")
    expect(phone.locator(".hit mark.marked[data-hue='1']").first).to_have_text("declined")
    at(phone, person, "/logs")
    expect(phone.locator(".mark-chip")).to_have_count(2)
    picture(phone, artifacts, "marks-dark-zh")
    phone.locator("#log-more").click()
    phone.locator('[data-presses="log-mark"]').click()
    expect(phone.locator("#log-mark-text")).to_be_visible()
    picture(phone, artifacts, "mark-menu-dark-zh")
    phone.keyboard.press("Escape")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for _ in range(2):
        phone.locator(".mark-remove").first.click()
    expect(phone.locator("#log-marks")).to_be_hidden()
    page.reload()
    expect(page.locator(".row-text").first).to_be_visible()
    assert person.got("/me/marks") == {"marks": []}


def test_what_is_selected_is_marked_by_a_key(page: Page, person: Person) -> None:
    at(page, person, "/apps/orders/logs")
    page.locator("#log-slice .row-text").last.evaluate(
        """row => {
            const text = row.firstChild.nodeType === 3 ? row.firstChild : row.firstChild.firstChild;
            const range = document.createRange();
            range.setStart(text, 0);
            range.setEnd(text, 6);
            getSelection().removeAllRanges();
            getSelection().addRange(range);
        }"""
    )
    page.keyboard.press("m")
    expect(page.locator(".mark-words", has_text="orders")).to_be_visible()
    expect(page.locator("#log-slice mark.marked").last).to_have_text("orders")
    page.get_by_role("button", name="Do not mark orders any more").click()
    expect(page.locator("#log-slice mark.marked")).to_have_count(0)


@SLOW
def test_a_search_is_saved_and_pinned(
    page: Page, phone: Page, person: Person, artifacts: Path
) -> None:
    """From the log of an app, by key; its count stands in the sidebar of every page, the palette finds
    it, another machine has it; it is renamed, taken from the sidebar and deleted."""
    at(page, person, "/apps/web/logs?q=card+declined&hide=1")
    expect(page.locator("#log-slice .row")).to_have_count(3)
    page.locator("#log-scroller").focus()
    page.keyboard.press("s")
    expect(page.locator("#search-name")).to_have_value("web: card declined")
    page.fill("#search-name", "Declined cards")
    page.keyboard.press("Enter")
    expect(page.locator(".saved-searches .item-name")).to_have_text("Declined cards")
    pinned = page.locator("#side-pinned a")
    expect(pinned.locator(".side-count")).to_have_text("3")
    picture(page, artifacts, "searches-light-en")
    assert axe.found(page, "saved searches", "dialog") == []
    page.keyboard.press("Escape")
    page.goto(person.server.url + "/alerts")
    expect(pinned).to_contain_text("Declined cards")
    page.keyboard.press("Control+k")
    page.keyboard.type("decl car")
    expect(page.locator(".palette [aria-selected=true]")).to_contain_text("Declined cards")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/apps/web/logs\?q=card\+declined&hide=1$"))
    expect(page.locator("#log-slice .row")).to_have_count(3)
    expect(pinned).to_have_attribute("aria-current", "page")
    phone.goto(person.server.url + "/search?q=timeout&app=web&app=orders")
    expect(phone.locator("#search-status")).to_have_text("找到 6 条")
    phone.click("#search-save")
    expect(phone.locator("#search-name")).to_have_value("timeout")
    phone.keyboard.press("Enter")
    expect(phone.locator(".saved-searches .item")).to_have_count(2)
    picture(phone, artifacts, "searches-dark-zh")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    phone.keyboard.press("Escape")
    phone.click("#side-open")
    expect(phone.locator("#side-pinned .side-count").last).to_have_text("6")
    picture(phone, artifacts, "sidebar-dark-zh")
    page.keyboard.press("s")
    item = page.locator(".saved-searches .item", has_text="Declined cards")
    page.get_by_role("button", name="Rename Declined cards").click()
    page.keyboard.type("Cards")
    page.keyboard.press("Enter")
    expect(pinned.first).to_contain_text("Cards")
    page.get_by_role("button", name="Take Cards out of the sidebar").click()
    expect(pinned).to_have_count(1)
    item = page.locator(".saved-searches .item", has_text="Cards")
    for _ in range(2):
        item.locator(".danger").click()
    expect(page.locator(".saved-searches .item")).to_have_count(1)
    for one in person.got("/me/searches")["searches"]:
        person.ask("DELETE", f"/me/searches/{one['id']}")


def test_a_search_of_an_app_that_is_gone_says_so(page: Page, person: Person) -> None:
    server = person.server
    person.ask("POST", "/apps/orders/samples", {"samples": []})
    made = person.made(
        "/me/searches", {"name": "Of orders", "view": "log", "apps": ["orders"], "pinned": True}
    )
    assert person.ask("DELETE", "/apps/orders").status_code == 204
    page.goto(server.url)
    pinned = page.locator("#side-pinned .side-nowhere")
    expect(pinned).to_contain_text("Of orders")
    expect(pinned.locator(".side-count")).to_have_text("gone")
    expect(page.locator("#side-pinned a")).to_have_count(0)
    person.ask("DELETE", f"/me/searches/{made['id']}")


def test_how_long_a_log_is_kept(page: Page, phone: Page, person: Person, artifacts: Path) -> None:
    """Its size at the foot; what would go is said before it is saved; a viewer says nothing."""
    at(page, person, "/apps/web/logs")
    foot = page.locator("#log-life")
    expect(foot).to_have_text(re.compile(r"^[\d.]+ kB on the disk$"))
    foot.click()
    expect(page.locator(".log-life-facts")).to_contain_text("30 days")
    expect(page.locator(".log-life-facts")).to_contain_text("as the settings say")
    page.fill("#keep-days", "0.5")
    page.locator(".log-life-form [type=submit]").click()
    expect(page.locator('[data-error-of="days"]')).to_be_visible()
    page.fill("#keep-days", "7")
    expect(page.locator(".log-life-going")).to_have_text("Nothing that is kept now would go.")
    page.locator(".log-life-form [type=submit]").click()
    expect(page.locator(".log-life-facts")).to_contain_text("7 days")
    expect(foot).to_contain_text("kept for 7 days")
    picture(page, artifacts, "life-light-en")
    assert axe.found(page, "log life", "dialog") == []
    page.get_by_role("button", name="Delete its log…").click()
    expect(page.locator("dialog")).to_contain_text(f"{LINES} lines")
    page.get_by_role("button", name="Cancel").click()
    at(phone, person, "/apps/web/logs")
    phone.locator("#log-life").click()
    expect(phone.locator(".log-life-facts")).to_contain_text("7 天")
    picture(phone, artifacts, "life-dark-zh")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_who_only_looks_sees_how_long(
    person: Person, people: Callable[..., BrowserContext]
) -> None:
    with person.account("vera") as vera:
        page = people(vera).new_page()
        at(page, vera, "/apps/web/logs")
        page.locator("#log-life").click()
        expect(page.locator(".log-life-facts")).to_contain_text("300")
        expect(page.locator(".log-life-form")).to_have_count(0)


def test_the_lines_that_are_selected_are_a_file(
    page: Page, person: Person, artifacts: Path
) -> None:
    """As Markdown; and those of a time, as text."""
    at(page, person, "/apps/web/logs")
    page.locator("#log-slice").evaluate(
        """slice => {
            const rows = [...slice.querySelectorAll(".row-text")].slice(-3);
            const range = document.createRange();
            range.setStart(rows[0], 0);
            range.setEnd(rows[2], 1);
            getSelection().removeAllRanges();
            getSelection().addRange(range);
        }"""
    )
    page.click("#log-download")
    expect(page.locator("#log-part-chosen-text")).to_have_text("The 3 lines that are selected")
    picture(page, artifacts, "download-light-en")
    assert axe.found(page, "download", "#log-download-menu") == []
    with page.expect_download() as got:
        page.click("[data-format=markdown]")
    assert got.value.suggested_filename.endswith(".md")
    text = Path(got.value.path()).read_text()
    assert text.startswith("- Log: `web`\n- From: `")
    assert [line[-6:] for line in text.splitlines() if "handled" in line] == [" 12 ms"] * 3
    assert text.endswith("```\n\nLines: 3\n")
    page.click("#log-download")
    page.get_by_label("Those of a time").check()
    expect(page.locator("#log-part-since")).to_be_visible()
    page.fill("#log-part-until", "2020-01-01T00:00:00")
    page.click("[data-format=text]")
    expect(page.locator(".toast:visible")).to_contain_text("It ends before it begins")
    page.fill("#log-part-since", "2019-12-31T00:00:00")
    with page.expect_download() as got:
        page.click("[data-format=text]")
    assert Path(got.value.path()).read_text() == ""
