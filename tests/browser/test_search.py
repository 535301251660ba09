"""All logs: the page that searches them, and the one that shows several as one."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator

import pytest
import zmq
from playwright.sync_api import BrowserContext, Page, expect

from cloudbang.domain.lines import format_time
from tests.browser.kept_logs import Lines, kept_logs, said_until_heard
from tests.terminal_support import Person

START = 1_760_000_000
APPS = ("mail", "orders", "web")


def minutes(number: int, app: str) -> Lines:
    for minute in range(600):
        text = f"{app} handled {minute}"
        if minute % 100 == 50 + number:
            text = f"ERROR card declined {minute} 库存不足"
        yield START + 60 * minute + number / 1000, text


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """A server with three apps that logged a line a minute for ten hours, and an account."""
    logs = {app: minutes(number, app) for number, app in enumerate(APPS)}
    with kept_logs(tmp_path_factory.mktemp("search"), logs) as one:
        yield one


@pytest.fixture
def page(person: Person, people: Callable[..., BrowserContext]) -> Page:
    page = people(person).new_page()
    page.goto(person.server.url)
    return page


def test_from_a_word_to_the_line_in_its_apps_log(page: Page) -> None:
    """By keyboard: newest first, with what is around it, and Back undoes each step."""
    expect(page.locator("#side-apps")).not_to_be_empty()
    page.keyboard.press("g")
    page.keyboard.press("f")
    expect(page.locator("#search-q")).to_be_focused()
    page.keyboard.type("CARD declined")
    page.keyboard.press("Enter")
    expect(page.locator("#search-status")).to_have_text("18 entries found")
    hits = page.locator("a.hit-line")
    expect(hits).to_have_count(18)
    expect(hits.first).to_contain_text("web")
    expect(hits.first.locator("mark")).to_have_text("card declined")
    expect(page.locator(".hit").first).to_contain_text("web handled 551")
    bars = page.locator(".time-bar:not([aria-disabled])")
    expect(bars).to_have_count(6)
    bars.last.click()
    expect(page.locator("#search-status")).to_have_text("3 entries found")
    assert "since=" in page.url
    page.go_back()
    expect(page.locator("#search-status")).to_have_text("18 entries found")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/apps/orders/logs\?q=CARD\+declined#L552$"))
    expect(page.locator(".row-linked")).to_contain_text("card declined 551")


def test_a_span_of_the_histogram_is_a_time(page: Page, person: Person) -> None:
    """Marked by dragging, and by keys; Back undoes it."""
    page.goto(f"{person.server.url}/search?q=declined")
    status = page.locator("#search-status")
    expect(status).to_have_text("18 entries found")
    bars = page.locator(".time-bar:not([aria-disabled])")
    expect(bars).to_have_count(6)
    first, second = bars.nth(4).bounding_box(), bars.nth(5).bounding_box()
    assert first
    assert second
    page.mouse.move(first["x"] - 2, first["y"] + 10)
    page.mouse.down()
    page.mouse.move(second["x"] + 1, second["y"] + 10, steps=4)
    expect(page.locator("#search-marked")).to_contain_text("6 lines")
    page.mouse.up()
    expect(status).to_have_text("6 entries found")
    assert "since=" in page.url
    page.go_back()
    expect(status).to_have_text("18 entries found")
    bars.first.focus()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("#search-marked")).to_contain_text("9 lines")
    page.keyboard.press("Shift+ArrowLeft")
    expect(page.locator("#search-marked")).to_contain_text("6 lines")
    page.keyboard.press("Escape")
    expect(page.locator("#search-marked")).to_have_text("")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    expect(status).to_have_text("6 entries found")


def test_apps_levels_and_a_time_are_chosen_and_in_the_address(page: Page, person: Person) -> None:
    page.goto(f"{person.server.url}/search?q=库存不足")
    expect(page.locator("#search-status")).to_have_text("18 entries found")
    expect(page.locator("#search-seen")).to_contain_text("In sight:")
    expect(page.locator(".time-sight")).to_be_visible()
    before = page.locator("#search-seen").text_content()
    page.locator(".hit").last.scroll_into_view_if_needed()
    expect(page.locator("#search-seen")).not_to_have_text(before or "")
    expect(page.locator(".time-sight")).to_be_in_viewport()
    # What the keys are at is not covered by it.
    page.locator(".hit-line").last.focus()
    for _ in range(6):
        page.keyboard.press("k")
    assert page.evaluate(
        "document.activeElement.getBoundingClientRect().top >="
        " document.querySelector('.time-bars-axis').getBoundingClientRect().bottom"
    )
    page.click("#search-apps")
    page.get_by_label("mail").check()
    expect(page.locator("#search-status")).to_have_text("6 entries found")
    assert "app=mail" in page.url
    page.keyboard.press("Escape")
    page.select_option("#search-level", "error")
    expect(page.locator("#search-status")).to_have_text("6 entries found")
    page.select_option("#search-time", "60")
    expect(page.locator("#search-empty")).to_have_text("Nothing was found.")
    expect(page.locator("#search-seen")).to_be_empty()
    page.reload()
    expect(page.locator("#search-apps")).to_have_text("mail")
    expect(page.locator("#search-level")).to_have_value("error")
    expect(page.locator("#search-time")).to_have_value("60")


def test_what_cannot_be_searched_is_said_in_the_page(page: Page, person: Person) -> None:
    """An expression that is none."""
    page.goto(f"{person.server.url}/search?q=(&regex=1")
    expect(page.locator("#search-error")).to_contain_text("RE2")


def test_the_page_fits_a_phone(person: Person, people: Callable[..., BrowserContext]) -> None:
    context = people(person, viewport={"width": 360, "height": 740}, locale="zh-CN")
    page = context.new_page()
    page.goto(f"{person.server.url}/search?q=declined")
    expect(page.locator("#search-status")).to_have_text("找到 18 条")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator(".hit-line").first.click()
    expect(page).to_have_url(re.compile("/apps/web/logs"))


@pytest.fixture
def program(person: Person) -> Iterator[zmq.Socket[bytes]]:
    """What another program puts lines on the bus with."""
    out = zmq.Context.instance().socket(zmq.PUB)
    out.connect(person.server.bus_sub)
    yield out
    out.close(0)


def test_logs_of_several_apps_are_one(page: Page, person: Person) -> None:
    """Back to the first line without a seam, by time, each with its app; a filter; a row leads to its
    app's log."""
    page.goto(f"{person.server.url}/logs")
    rows = page.locator("#log-slice .row")
    expect(rows.last).to_contain_text("web handled 599")
    expect(rows.last.locator(".row-who")).to_have_text("web")
    page.locator("#log-scroller").focus()
    page.keyboard.press("Home")
    expect(rows.first).to_contain_text("mail handled 0")
    expect(rows.nth(1)).to_contain_text("orders handled 0")
    page.fill("#log-find", "card declined")
    page.click("#log-hide")
    page.keyboard.press("Escape")
    expect(rows).to_have_count(18)
    names = [rows.nth(n).locator(".row-who").inner_text() for n in range(3)]
    assert names == ["mail", "orders", "web"]
    page.click("#log-download")
    with page.expect_download() as loading:
        page.click("[data-format=text]")
    saved = loading.value.path().read_text().splitlines()
    assert len(saved) == 18
    assert "card declined 50" in saved[0]
    rows.nth(1).click()
    page.locator(".detail-facts").get_by_role("link", name="orders").click()
    expect(page).to_have_url(re.compile("/apps/orders/logs"))
    expect(page.locator(".row-linked")).to_contain_text("card declined 51")
    page.goto(f"{person.server.url}/logs?app=mail&app=web#T2025-10-09T09:33:20Z")
    expect(page.locator("#logs-apps")).to_have_text("2 apps")
    expect(page.locator(".row-linked, .row-cursor").first).to_contain_text("mail handled 40")


def test_what_several_apps_write_comes_live_by_time(
    page: Page, person: Person, program: zmq.Socket[bytes]
) -> None:
    heard: list[str] = []
    page.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda text: heard.append(str(text))),
    )
    page.goto(f"{person.server.url}/logs?app=mail&app=web")
    rows = page.locator("#log-slice .row")
    expect(rows.last).to_contain_text("web handled 599")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    begun = time.time()

    def put(app: str, text: str, at: float = 0) -> None:
        when = format_time(int((begun + at) * 1_000_000_000))
        body = json.dumps({"text": text, "time": when}).encode()
        program.send_multipart([b"put/log/%b/" % app.encode(), b'{"v":1}', body])

    said_until_heard(page, lambda n: put("web", f"hello {n}"), rows.filter(has_text="hello").count)
    for n in range(20):
        put("mail" if n % 2 else "web", f"both {n}", 60 + n)
    both = rows.filter(has_text="both")
    expect(both).to_have_count(20)

    def numbers() -> list[int]:
        return [int(one.split("both ")[1]) for one in both.all_inner_texts()]

    assert sorted(numbers()) == list(range(20))  # each once, whichever came late

    def both_at_once(n: int) -> None:
        """What is due of both at one moment comes as one message."""
        put("mail", f"pair {n} of mail", 90 + n)
        put("web", f"pair {n} of web", 90 + n)

    pairs = said_until_heard(
        page, both_at_once, lambda: any('"op":"batch"' in text for text in heard)
    )
    expect(rows.filter(has_text=f"pair {pairs - 1} of")).to_have_count(2 if pairs else 0)
    page.reload()
    expect(both).to_have_count(20)
    assert numbers() == list(range(20))


def test_a_failure_is_found_whole(page: Page, person: Person, program: zmq.Socket[bytes]) -> None:
    """By a line of its trace: in the search and in the log of several apps, with all of its lines."""
    trace = [
        "ERROR refused",
        "java.lang.StockException: gone",
        "\tat com.shop.Pay.take(Pay.java:40)",
        "Caused by: java.net.ConnectException: nobody listens",
    ]
    when = time.time()
    page.goto(f"{person.server.url}/logs?app=mail&app=web")
    rows = page.locator("#log-slice .row")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")

    def fail(number: int) -> None:
        """Each another, or they would be one row that counts."""
        told = [f"{trace[0]} {number}", *trace[1:]]
        lines = [{"text": text, "time": format_time(int((when + number) * 1e9))} for text in told]
        body = json.dumps(lines).encode()
        program.send_multipart([b"put/log/web/", b'{"v":1}', body])

    said_until_heard(page, fail, rows.filter(has_text="refused").count)
    page.reload()
    page.fill("#log-find", "Pay.java")
    page.click("#log-hide")
    expect(rows.last).to_contain_text("refused")
    expect(rows.last).to_contain_text("+3 lines")
    page.goto(f"{person.server.url}/search?q=Pay.java&app=web")
    hit = page.locator(".hit").first
    expect(hit.locator(".hit-first")).to_contain_text("refused")
    expect(hit.locator(".hit-within mark")).to_have_text("Pay.java")
    expect(hit.locator(".row-cause")).to_have_count(0)  # what was found stands below it
    hit.locator("summary").click()
    expect(hit.locator(".hit-of-entry")).to_have_count(4)
    hit.locator("a.hit-line").click()
    expect(page.locator(".trace-line.row-linked")).to_contain_text("Pay.java")
    page.go_back()
    page.goto(f"{person.server.url}/search?q=refused&app=web")  # found in its first line
    expect(hit.locator(".row-cause")).to_have_text(
        " ⤷ Caused by: java.net.ConnectException: nobody listens"
    )


def test_who_comes_back_is_at_the_same_line(page: Page, person: Person) -> None:
    page.goto(f"{person.server.url}/search?q=handled&app=web")
    hits = page.locator("a.hit-line")
    expect(page.locator("#search-status")).to_contain_text("entries found")
    page.locator("#search-more").click()
    expect(hits.nth(150)).to_be_attached()
    text = hits.nth(150).text_content()
    hits.nth(150).click()
    expect(page).to_have_url(re.compile("/apps/web/logs"))
    page.go_back()
    expect(page.locator("a.hit-line:focus")).to_have_text(text or "")
    expect(page.locator("a.hit-line:focus")).to_be_in_viewport()
