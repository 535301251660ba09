"""How often over time, above the lines of a log; and coming back to where one was in it."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zmq
from playwright.sync_api import BrowserContext, Page, Route, expect

from cloudbang.domain.deploy.failure import Failure
from cloudbang.domain.lines import format_time
from tests.browser.kept_logs import Lines, kept_logs, said_until_heard
from tests.browser.seeded_deployments import NEW, REPLACING, Past, steps
from tests.support import wait_until
from tests.terminal_support import Person

BEGIN = (int(time.time()) - 36_000) // 300 * 300
MINUTES = 590
BARS = ".time-bar:not([aria-disabled])"


def minutes(app: str) -> Lines:
    for minute in range(MINUTES):
        text = f"{app} handled {minute}"
        if minute % 100 == 50:
            text = f"ERROR {app} card declined {minute}"
        elif minute % 50 == 20:
            text = f"WARN {app} slow {minute}"
        yield BEGIN + 60 * minute, text


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """A server with three apps that logged a line a minute for ten hours."""
    logs = {app: minutes(app) for app in ("mail", "shop", "till", "web")}
    with kept_logs(tmp_path_factory.mktemp("over_time"), logs, deployed) as one:
        yield one


def deployed(path: Path) -> None:
    """One app of them was deployed in its 20th and 60th bar, and failed to be in its 61st."""
    past = Past(path)
    ago = [time.time() - BEGIN - 300 * bar - 100 for bar in (20, 60, 61)]
    first = past.deployment("till", {}, ago[0], steps(NEW, ago[0]), state="serving")
    second = past.deployment(
        "till", {}, ago[1], steps(REPLACING, ago[1]), previous=first, state="serving"
    )
    past.deployment(
        "till",
        {},
        ago[2],
        steps(REPLACING, ago[2], "failed", 2),
        previous=second,
        state="failed",
        failure=Failure("exited", "", 1, 2.5),
    )
    past.app("till", second)
    past.close()


@pytest.fixture
def page(person: Person, people: Callable[..., BrowserContext]) -> Page:
    page = people(person).new_page()
    page.goto(f"{person.server.url}/apps/web/logs")
    expect(page.locator(".row").last).to_contain_text(f"web handled {MINUTES - 1}")
    return page


def put(page: Page, person: Person, app: str, texts: list[str]) -> None:
    """Another program logs, as soon as the hub knows it."""
    out = zmq.Context.instance().socket(zmq.PUB)
    out.connect(person.server.bus_sub)

    now = time.time_ns()  # of all of them: a bar may end at any moment

    def send(texts: list[str]) -> None:
        lines = [{"time": format_time(now + n), "text": text} for n, text in enumerate(texts)]
        out.send_multipart([b"put/log/%b/" % app.encode(), b'{"v":1}', json.dumps(lines).encode()])

    hello = page.locator("#log-slice .row", has_text="hello declined")
    said_until_heard(page, lambda n: send(["hello declined"]), hello.count)
    send(texts)
    out.close(500)


def seen(page: Page) -> str:
    """The text of the row at the top of what is in sight."""
    return page.evaluate(
        """() => {
          const { top } = document.querySelector("#log-scroller").getBoundingClientRect();
          const rows = [...document.querySelectorAll(".row")];
          return rows.find((row) => row.getBoundingClientRect().bottom > top + 10).textContent;
        }"""
    )


def test_a_bar_leads_there_and_a_stretch_is_a_filter(page: Page) -> None:
    """By mouse and by keys; Back undoes each, and comes back to the line at which one was."""
    expect(page.locator("#log-timeline")).to_be_hidden()
    page.keyboard.press("h")
    bars = page.locator(f"#log-timeline-bars {BARS}")
    expect(bars).to_have_count(MINUTES // 5)
    expect(bars.nth(10)).to_have_attribute(
        "aria-label", re.compile("5 entries, 1 error$", re.MULTILINE)
    )
    expect(bars.nth(4)).to_have_attribute("aria-label", re.compile("5 entries, 1 warning"))
    bars.nth(10).click()
    expect(page.locator(".row-linked, .row[aria-current]").first).to_contain_text(
        re.compile("web handled (49|50|5[1-4])|declined 50")
    )
    assert "#L" in page.url or page.wait_for_url("**#L*") is None
    page.go_back()
    expect(page.locator("#log-follow")).to_have_attribute("aria-pressed", "true")
    first, second = bars.nth(20).bounding_box(), bars.nth(23).bounding_box()
    assert first
    assert second
    page.mouse.move(first["x"] + 1, first["y"] + 20)
    page.mouse.down()
    page.mouse.move(second["x"] + 1, second["y"] + 20, steps=4)
    expect(page.locator("#log-timeline-marked")).to_contain_text("20 entries")
    page.mouse.up()
    expect(page.locator("#log-span-text")).to_contain_text("Only lines of")
    expect(page.locator("#log-loaded")).to_have_text("20 lines, all loaded")
    assert "since=" in page.url
    expect(bars).to_have_count(20)  # finer now
    page.go_back()
    expect(page.locator("#log-span")).to_be_hidden()
    expect(bars).to_have_count(MINUTES // 5)
    expect(page.locator("#log-follow")).to_have_attribute("aria-pressed", "true")
    bars.last.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowLeft")
    expect(page.locator("#log-timeline-marked")).to_contain_text("10 entries")
    page.keyboard.press("Enter")
    expect(page.locator("#log-loaded")).to_have_text("10 lines, all loaded")
    page.reload()
    expect(page.locator("#log-loaded")).to_have_text("10 lines, all loaded")
    expect(bars).to_have_count(10)


def test_a_filter_is_counted_and_what_comes_stands_at_its_end(page: Page, person: Person) -> None:
    page.goto(f"{person.server.url}/apps/shop/logs")
    expect(page.locator(".row").last).to_contain_text("shop")
    page.keyboard.press("h")
    bars = page.locator(f"#log-timeline-bars {BARS}")
    expect(bars).to_have_count(MINUTES // 5)
    page.fill("#log-find", "declined")
    expect(bars).to_have_count(6)
    put(page, person, "shop", ["ERROR shop declined again", "fine", "ERROR shop declined thrice"])
    expect(page.locator(".row").last).to_contain_text("thrice")
    expect(bars).to_have_count(7)
    expect(bars.last).to_have_attribute("aria-label", re.compile("entries, 2 errors"))
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("h")
    expect(page.locator("#log-timeline")).to_be_hidden()


def test_one_count_is_the_number_and_the_bars(page: Page, person: Person) -> None:
    """Of what is looked for, all over the log or in a stretch of it."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.keyboard.press("h")
    expect(page.locator("#log-timeline-bars .time-bar").first).to_be_visible()
    asked.clear()
    page.fill("#log-find", "card declined")
    expect(page.locator(f"#log-timeline-bars {BARS}")).to_have_count(6)
    expect(page.locator("#log-count")).to_have_text("6 found")
    counted = [url for url in asked if "/timeline?" in url or "/search?" in url]
    assert len(counted) == 1, counted
    # From the field into the rows with what is looked for; without it nothing is left of it.
    page.keyboard.press("Enter")
    expect(page.locator("#log-count")).to_have_text("6 of 6")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".row-cursor")).to_be_focused()
    page.keyboard.press("N")
    expect(page.locator("#log-count")).to_have_text("5 of 6")
    page.locator("#log-find").press("Escape")
    expect(page.locator("#log-as-term")).to_be_hidden()
    # Without the bars it is the same number, and of a stretch its own.
    page.locator("#log-over-time").click()
    first, last = (format_time(round((BEGIN + 60 * minute) * 1e9)) for minute in (0, 199))
    page.goto(f"{person.server.url}/apps/web/logs?q=card+declined&since={first}&until={last}")
    expect(page.locator("#log-span")).to_be_visible()
    expect(page.locator("#log-count")).to_have_text("2 found")


def test_it_shows_what_is_on_the_screen(
    person: Person, people: Callable[..., BrowserContext]
) -> None:
    """At the end of the log that goes on with it; in words as well, and of each bar."""
    page = people(person, timezone_id="Asia/Shanghai").new_page()
    page.goto(f"{person.server.url}/apps/web/logs")
    expect(page.locator(".row").last).to_contain_text(f"web handled {MINUTES - 1}")
    page.keyboard.press("h")
    bars = page.locator(f"#log-timeline-bars {BARS}")
    sight, seen = page.locator(".time-sight"), page.locator("#log-timeline-seen")
    expect(seen).to_have_text(re.compile("^In sight: .* to now$"))
    expect(sight).to_have_class(re.compile("time-sight-live"))
    expect(page.locator("#log-timeline-to")).to_have_text("now")
    whole = page.locator("#log-timeline-bars").bounding_box()
    assert whole

    def lies(edge: str, at: float) -> bool:
        """Whether what is in sight begins or ends there; it is drawn anew in a frame's time."""
        it = sight.bounding_box()
        return it is not None and abs(it["x"] + (it["width"] if edge == "end" else 0) - at) <= 2

    wait_until(lambda: lies("end", whole["x"] + whole["width"]), what="it to be at the end")
    bars.last.hover()
    expect(bars.last).to_have_attribute("aria-label", re.compile("In sight"))
    page.keyboard.press("Home")
    expect(page.locator(".row").first).to_contain_text("web handled 0")
    expect(seen).not_to_have_text(re.compile("now"))
    expect(sight).not_to_have_class(re.compile("time-sight-live"))
    wait_until(lambda: lies("start", whole["x"]), what="it to be at the beginning")
    it = sight.bounding_box()
    assert it
    assert 0 < it["width"] < whole["width"] / 5
    expect(page.locator("#log-timeline-to")).not_to_have_text("now")
    page.locator("#log-scroller").evaluate("it => it.scrollTop += 4000")
    page.wait_for_function(
        "x => document.querySelector('.time-sight').getBoundingClientRect().x > x + 20",
        arg=it["x"],
    )
    # Whoever reads times in UTC has them so here as well.
    before = page.locator("#log-timeline-from").text_content()
    page.keyboard.press(".")
    page.locator("#log-view-menu input[name=utc]").check()
    page.keyboard.press("Escape")
    expect(page.locator("#log-timeline-from")).not_to_have_text(before or "")


def test_deployments_stand_above_the_bars(page: Page, person: Person) -> None:
    """How each ended, and who came there by it sees its lines."""
    page.goto(f"{person.server.url}/apps/till/logs")
    expect(page.locator(".row").last).to_contain_text("till handled")
    page.keyboard.press("h")
    bars = page.locator("#log-timeline-bars .time-bar")
    expect(bars.locator(".time-bar-mark")).to_have_text(["✓", "✓", "✕"])
    expect(bars.nth(20)).to_have_attribute(
        "aria-label",
        re.compile(r"deploys release 1 .*release 1 serves \(deployment 1\)", re.DOTALL),
    )
    expect(bars.nth(61).locator(".time-bar-mark")).to_have_attribute("data-tone", "error")
    expect(bars.nth(61)).to_have_attribute("aria-label", re.compile("deployment 3 failed"))
    bars.nth(61).click()
    expect(page.locator(".row-marker", has_text="deployment 3 failed")).to_be_visible()
    # Nothing of what is looked for was logged in its time: it leads there all the same.
    page.fill("#log-find", "card declined")
    expect(page.locator("#log-count")).to_contain_text("6")
    bars.nth(20).click()
    expect(page.locator(".row", has_text="till handled 10").first).to_be_visible()


def test_of_several_apps_on_a_phone(person: Person, people: Callable[..., BrowserContext]) -> None:
    """It is in the menu of tools there, and in Chinese."""
    context = people(person, viewport={"width": 360, "height": 740}, locale="zh-CN")
    page = context.new_page()
    page.goto(f"{person.server.url}/logs?app=mail&app=web")
    page.click("#log-more")
    page.locator("[data-presses=log-over-time]").click()
    bars = page.locator(f"#log-timeline-bars {BARS}")
    expect(bars.nth(10)).to_have_attribute("aria-label", re.compile("10 条、2 个错误"))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # What is looked for takes no row of its own from the log.
    page.fill("#log-find", "card declined")
    expect(page.locator("#log-count")).to_have_text("12")
    expect(page.locator("#log-count-said")).to_contain_text("12 ")
    find, pause = (page.locator(one).bounding_box() for one in (".log-find", "#log-follow"))
    assert find
    assert pause
    assert find["y"] < pause["y"] + pause["height"], "in one row"
    page.locator("#log-find").press("Escape")
    expect(bars.nth(10)).to_have_attribute("aria-label", re.compile("10 条"))
    picture(page, "over-time-phone")
    bars.nth(30).click()
    expect(page.locator(".row").first).to_be_visible()


def test_back_restores_the_line_as_well_as_the_filter(page: Page) -> None:
    page.keyboard.press("Home")
    expect(page.locator(".row").first).to_contain_text("web handled 0")
    page.locator("#log-scroller").evaluate("it => it.scrollTop = 2000")
    page.wait_for_function("!document.querySelector('.row')?.textContent.includes('handled 0 ')")
    page.wait_for_url("**#L*")
    before = seen(page)
    page.click("#log-levels")
    page.locator("#log-levels-menu input[value=error]").check()
    page.keyboard.press("Escape")
    expect(page.locator("#log-clear")).to_be_visible()
    page.keyboard.press("End")
    page.go_back()
    expect(page.locator("#log-clear")).to_be_hidden()
    page.wait_for_function(
        "text => { const { top } = document.querySelector('#log-scroller').getBoundingClientRect();"
        "const rows = [...document.querySelectorAll('.row')];"
        "return rows.find((row) => row.getBoundingClientRect().bottom > top + 10)"
        "?.textContent === text }",
        arg=before,
    )


def test_who_goes_to_the_end_is_not_taken_to_a_moment(page: Page, person: Person) -> None:
    held: list[Route] = []
    page.route("**/seq?time=*", lambda route: held.append(route))
    page.goto(f"{person.server.url}/apps/web/logs?x#t=2026-01-01T00:00:00Z")
    expect(page.locator("#log-live")).to_have_attribute("data-state", re.compile("live|paused"))
    wait_until(lambda: page.wait_for_timeout(20) or held, 10, "the moment to be asked for")
    page.keyboard.press("End")
    expect(page.locator("#log-follow")).to_have_attribute("aria-pressed", "true")
    for one in held:
        one.continue_()
    page.unroute("**/seq?time=*")
    page.keyboard.press("h")
    expect(page.locator(f"#log-timeline-bars {BARS}").first).to_be_visible()
    expect(page.locator("#log-follow")).to_have_attribute("aria-pressed", "true")
    picture(page, "over-time")


def picture(page: Page, name: str) -> None:
    if folder := os.environ.get("CLOUDBANG_TEST_PICTURES_IN"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"))
