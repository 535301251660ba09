"""A log under somebody's hands: links into what is folded, rows that are chosen by keys, what is JSON
behind other words, and a bar of tools that fits a phone."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from tests.browser.kept_logs import Lines, kept_logs
from tests.support import wait_until
from tests.terminal_support import Person

TRACE = 120
"""Lines of a trace, more than a screen."""
AGAIN = 6
"""Times that one line comes again."""


def shop() -> Lines:
    begin = int(time.time()) - 3_600
    texts = [f"order {n} taken" for n in range(200)]
    texts.append("ERROR payment failed")
    texts.append("java.lang.IllegalStateException: no bank")
    texts += [f"\tat shop.pay.Step{n}.run(Step{n}.java:{n})" for n in range(TRACE)]
    texts += [f"order {n} paid" for n in range(100)]
    texts += ["waiting for the bank"] * AGAIN
    texts += [f"order {n} sent" for n in range(100)]
    for at, text in enumerate(texts):
        yield begin + at, text


def mixed() -> Lines:
    begin = int(time.time()) - 600
    its = {"level": "error", "msg": "no stock", "status": 503, "at": {"shelf": "B7"}}
    texts = [
        f"2026-02-01 09:00:00 app {json.dumps(its)}",
        f"web_1  | {json.dumps({**its, 'msg': 'slow', 'level': 'warn', 'status': 200})}",
        *json.dumps(
            {"level": "warn", "message": "low on stock", "left": {"count": 3}}, indent=2
        ).split("\n"),
        "usage: run <id> <file>",
        "the end",
    ]
    for at, text in enumerate(texts):
        yield begin + at, text


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    logs = {"shop": shop(), "mixed": mixed()}
    with kept_logs(tmp_path_factory.mktemp("hands"), logs) as one:
        yield one


@pytest.fixture
def page(person: Person, people: Callable[..., BrowserContext]) -> Page:
    context = people(person, viewport={"width": 1280, "height": 800})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    return context.new_page()


@pytest.fixture
def phone(person: Person, people: Callable[..., BrowserContext]) -> Page:
    options = {"viewport": {"width": 360, "height": 740}, "locale": "zh-CN", "color_scheme": "dark"}
    return people(person, **options).new_page()


def open_at(page: Page, person: Person, address: str) -> None:
    page.goto(f"{person.server.url}/apps/{address}")
    expect(page.locator("#log-slice .row").first).to_be_visible()


Shot = Callable[..., None]


def is_seen(line: Locator, page: Page) -> None:
    """Within the rows' window, and not only drawn."""
    expect(line).to_be_in_viewport()
    inside = """one => {
        const its = one.getBoundingClientRect();
        const box = document.getElementById("log-scroller").getBoundingClientRect();
        return its.top >= box.top && its.bottom <= box.bottom;
    }"""
    wait_until(lambda: line.evaluate(inside), what="the line to be within the rows' window")


def test_a_link_leads_into_a_trace(page: Page, person: Person) -> None:
    """To the very line, however far down it stands; and from the page to another one of it."""
    seq = 203 + TRACE - 10
    open_at(page, person, f"shop/logs#L{seq}")
    line = page.locator(f'.trace-line[data-seq="{seq}"]')
    expect(line).to_have_class(re.compile("row-linked"))
    is_seen(line, page)
    expect(page).to_have_url(re.compile(f"#L{seq}$"))
    page.evaluate("location.hash = '#L210'")
    is_seen(page.locator('.trace-line[data-seq="210"].row-linked'), page)


def test_a_link_leads_to_one_of_those_that_came_again(page: Page, person: Person) -> None:
    first = 203 + TRACE + 100
    seq = first + AGAIN - 2
    open_at(page, person, f"shop/logs#L{seq}")
    row = page.locator(f'.row[data-seq="{seq}"]')
    expect(row).to_have_class(re.compile("row-linked"))
    is_seen(row, page)
    expect(page.locator(f'.row[data-seq="{first}"] .row-again')).to_have_attribute(
        "aria-expanded", "true"
    )


def test_rows_are_chosen_by_keys(page: Page, person: Person, shot: Shot) -> None:
    """From the row the keys are at on, up or down; copied, downloaded; let go by Escape."""
    open_at(page, person, "shop/logs#L195")
    expect(page.locator(".row-linked")).to_be_visible()
    page.keyboard.press("j")
    chosen = page.locator(".row-chosen")
    expect(chosen).to_have_count(0)
    page.keyboard.press("J")
    page.keyboard.press("Shift+ArrowDown")
    expect(chosen).to_have_count(3)
    expect(page.locator("#log-chosen-text")).to_have_text("3 lines are chosen")
    page.keyboard.press("K")
    expect(chosen).to_have_count(2)
    page.keyboard.press("c")
    expect(page.locator("#log-said")).to_have_text("2 lines copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert [line.split(" ", 1)[1] for line in copied.split("\n")] == [
        "order 195 taken",
        "order 196 taken",
    ]
    for _ in range(5):
        page.keyboard.press("J")
    # A trace counts with all of its lines.
    expect(page.locator("#log-chosen-text")).to_have_text(f"{5 + TRACE + 3} lines are chosen")
    shot(page, "rows-chosen")
    page.keyboard.press("d")
    menu = page.locator("#log-download-menu")
    expect(menu.get_by_label(f"The {5 + TRACE + 3} lines that are selected")).to_be_checked()
    with page.expect_download() as begun:
        menu.get_by_role("button", name="As text").click()
    lines = Path(begun.value.path()).read_text().splitlines()
    assert len(lines) == 5 + TRACE + 3
    page.keyboard.press("Escape")
    expect(chosen).to_have_count(0)
    expect(page.locator("#log-chosen")).to_be_hidden()
    page.keyboard.press("J")
    expect(chosen).to_have_count(2)
    page.keyboard.press("j")
    expect(chosen).to_have_count(0)


def test_json_behind_other_words_is_json(page: Page, person: Person, shot: Shot) -> None:
    """In the row, opened, as a filter; and what stands over several lines says what it says."""
    open_at(page, person, "mixed/logs")
    texts = page.locator("#log-slice .row-text")
    expect(texts.nth(0)).to_have_text("2026-02-01 09:00:00 app no stock status=503 at={…}")
    expect(texts.nth(1)).to_have_text("web_1 | slow status=200 at={…}")
    expect(texts.nth(2)).to_have_text("low on stock left={…}")
    texts.nth(0).click()
    detail = page.locator(".detail")
    expect(detail.locator(".tree-key").first).to_have_text("level")
    shot(page, "json-behind-a-prefix")
    detail.get_by_role("button", name="With this at.shelf").click()
    expect(page.locator(".filter-term")).to_have_text(["at.shelf:B7"])
    expect(texts).to_have_count(2)
    page.locator("#log-clear").click()
    expect(texts).to_have_count(5)
    texts.nth(2).click()
    detail = page.locator(".row", has_text="low on stock").locator(".detail")
    shot(page, "json-over-lines")
    detail.get_by_role("button", name="With this count").click()
    expect(page.locator(".filter-term")).to_have_text(["count:3"])
    expect(texts).to_have_text(["low on stock left={…}"])
    page.reload()
    expect(texts).to_have_text(["low on stock left={…}"])


def test_patterns_are_in_the_address(page: Page, person: Person) -> None:
    """Reload and Back keep and undo what was looked at; what looks like a placeholder is none."""
    open_at(page, person, "mixed/logs")
    page.keyboard.press("p")
    expect(page.locator("#patterns-list li").first).to_be_visible()
    usage = page.locator(".pattern-text", has_text="usage")
    expect(usage).to_have_text("usage: run <id> <file>")
    expect(usage.locator(".pattern-hole")).to_have_count(0)
    page.get_by_role("button", name="Today", exact=True).click()
    page.locator("#patterns-find").fill("usage")
    expect(page).to_have_url(re.compile("patterns_find=usage"))
    page.reload()
    expect(page.locator("#patterns-find")).to_have_value("usage")
    expect(page.locator('#log-patterns [data-range="today"]')).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(page.locator(".pattern-text")).to_have_count(1)
    page.locator(".pattern-text").click()
    expect(page.locator("#log-slice .row")).to_have_count(1)
    for field, range_, open_ in (
        ("usage", "today", True),
        ("", "today", True),
        ("", "day", True),
        ("", "", False),
    ):
        page.go_back()
        expect(page.locator("#log-patterns")).to_be_visible(visible=open_)
        if open_:
            expect(page.locator("#patterns-find")).to_have_value(field)
            expect(page.locator(f'#log-patterns [data-range="{range_}"]')).to_have_attribute(
                "aria-pressed", "true"
            )
    expect(page.locator("#log-slice .row")).to_have_count(5)


def test_patterns_of_several_apps(page: Page, person: Person, shot: Shot) -> None:
    """As if they were one log, each with the apps that it is of."""
    page.goto(f"{person.server.url}/logs")
    expect(page.locator("#log-slice .row").first).to_be_visible()
    page.keyboard.press("p")
    paid = page.locator(".pattern", has_text="order <n> paid")
    expect(paid.locator(".pattern-count")).to_have_text("100")
    expect(paid.locator(".pattern-apps")).to_have_text("shop")
    expect(page.locator(".pattern", has_text="usage").locator(".pattern-apps")).to_have_text(
        "mixed"
    )
    shot(page, "patterns-of-several")
    paid.get_by_role("button", name="Show the last one").click()
    expect(page.locator("#log-slice .row", has_text="order 99 paid")).to_be_visible()
    paid.locator(".pattern-text").click()
    expect(page.locator("#log-slice .row").first).to_contain_text("paid")


def test_the_tools_fit_a_phone(phone: Page, person: Person, shot: Shot) -> None:
    """What is used less often is in a menu, and opens from there."""
    open_at(phone, person, "shop/logs")
    tools = phone.locator(".log-tools > button:visible")
    assert tools.count() <= 5
    shot(phone, "phone-tools")
    more = phone.get_by_role("button", name="更多工具")
    more.click()
    expect(phone.locator("#log-more-menu")).to_be_visible()
    shot(phone, "phone-more")
    phone.locator('#log-more-menu [data-presses="log-view"]').click()
    menu = phone.locator("#log-view-menu")
    expect(menu).to_be_visible()
    expect(phone.locator("#log-more-menu")).to_be_hidden()

    def hangs() -> bool:
        box = menu.bounding_box()
        return box is not None and box["y"] > 40 and box["x"] + box["width"] <= 360

    wait_until(hangs, what="it to hang under the bar")
    phone.keyboard.press("Escape")
    expect(more).to_be_focused()
    more.click()
    phone.locator('#log-more-menu [data-presses="log-save"]').click()
    expect(phone.get_by_role("dialog")).to_be_visible()
    phone.keyboard.press("Escape")
    expect(more).to_be_focused()


def test_back_undoes_the_choice_of_instances(page: Page, person: Person) -> None:
    """Of an app's charts, as it does that of a time; and a reload keeps both."""
    page.goto(f"{person.server.url}/apps/shop/metrics?range=5m&instances=each")
    each = page.locator("#metric-each")
    expect(each).to_have_value("each")
    each.select_option("sum")
    assert "instances" not in page.url
    page.locator('#metric-ranges [data-range="1h"]').click()
    page.go_back()
    expect(each).to_have_value("sum")
    page.go_back()
    expect(each).to_have_value("each")
    page.reload()
    expect(each).to_have_value("each")


def test_back_to_the_end_while_the_beginning_is_on_its_way(page: Page, person: Person) -> None:
    """What was asked for before that comes too late, and is not gone to."""
    open_at(page, person, "shop/logs")
    live = page.locator("#log-live")
    expect(live).to_have_attribute("data-state", "live")
    newest = page.locator("#log-slice .row").last.get_attribute("data-seq")
    held: list[Route] = []
    page.route("**/api/v1/apps/shop/lines?*", lambda route: held.append(route))
    page.keyboard.press("Home")
    expect(live).not_to_have_attribute("data-state", "live")
    wait_until(
        lambda: page.wait_for_timeout(20) or len(held) >= 2, 10, "the beginning to be asked for"
    )
    page.keyboard.press("f")
    expect(live).to_have_attribute("data-state", "live")
    with page.expect_response("**/api/v1/apps/shop/lines?*"):
        page.unroute("**/api/v1/apps/shop/lines?*")  # lets go those that are held
    page.wait_for_load_state("networkidle")
    expect(live).to_have_attribute("data-state", "live")
    expect(page.locator(f'#log-slice .row[data-seq="{newest}"]')).to_be_visible()
