"""What apps use, as a person sees it: charts, what happened, the log beside them, the list of apps. A
real browser, a real server, real containers."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import docker
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, WebSocket, expect

from cloudbang.domain.names import METRICS_PORT
from tests.support import ServerProcess, wait_until
from tests.terminal_support import Person

pytestmark = [pytest.mark.browser, pytest.mark.engine]

SignIn = Callable[[Any, ServerProcess], None]
Shot = Callable[[Any, str], None]
Contexts = Callable[..., BrowserContext]
BUSY = "metrics-busy"
IDLE = "metrics-idle"
WORK = (
    'n=0; while true; do n=$((n+1)); echo "line $n"; [ $((n % 5)) = 0 ] && echo "ERROR no $n";'
    " i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; done"
)
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def busy(docker_client: docker.DockerClient, image: str) -> Iterator[Any]:
    """A container that works and logs, of so little that its limit is what holds it up on the busiest
    machine; and one without a network that does nothing, though it says that it exposes metrics."""

    def run(name: str, command: list[str], labels: dict[str, str], **limits: Any) -> Any:
        return docker_client.containers.run(
            image,
            command,
            name=name,
            detach=True,
            labels={"cloudbang.test": "metrics", **labels},
            network_mode="none",
            **limits,
        )

    one = run(BUSY, ["sh", "-c", WORK], {}, mem_limit="64m", nano_cpus=100_000_000)
    other = run(IDLE, ["sleep", "100000"], {METRICS_PORT: "9100"})
    yield one
    for each in (one, other):
        each.remove(force=True)


@pytest.fixture
def server(shared_server: ServerProcess, busy: Any) -> ServerProcess:
    """One server for all of these, which has seen the containers for some seconds."""
    if shared_server.process is None:
        shared_server.start()
    wait_until(lambda: len(points(shared_server, BUSY, "cpu", 6)) >= 5, 60, what="five seconds")
    return shared_server


def points(server: ServerProcess, app: str, name: str, seconds: int = 300) -> list[list[float]]:
    """What was measured of an app in the last ones."""
    asked = {"names": name, "since": str(int(time.time()) - seconds)}
    answer = server.client.get(f"/api/v1/apps/{app}/metrics", params=asked)
    series = answer.json()["series"] if answer.status_code == 200 else []  # it is not known yet
    return [p for one in series if not one["labels"] for p in one["points"] if p[2] is not None]


def charts(page: Page, server: ServerProcess, app: str, query: str = "?range=5m") -> None:
    page.goto(f"{server.url}/apps/{app}/metrics{query}")
    expect(value(page, "cpu")).not_to_have_text("–")


def of_span(page: Page, since: float, until: float) -> bool:
    """Whether lines are shown, and all of them are of this time."""
    script = "(all) => all.map((one) => Date.parse(one.dateTime) / 1000)"
    times = page.locator(".log-slice article time").evaluate_all(script)
    return bool(times) and all(since <= time < until for time in times)


def chart(page: Page, name: str) -> Locator:
    return page.locator(f'.metric-card[data-chart="{name}"]')


def value(page: Page, name: str, line: int = 0) -> Locator:
    """What is said of a line of a chart, at the crosshair or now."""
    return chart(page, name).locator(".metric-legend b").nth(line)


@pytest.fixture
def desk(new_context: Contexts, server: ServerProcess, sign_in: SignIn) -> Page:
    """A page as wide as most are, signed in, in which nothing may go wrong."""
    page = new_context(viewport={"width": 1280, "height": 900}).new_page()
    sign_in(page, server)
    return page


def test_charts_move_and_say_what_the_kernel_says(
    desk: Page, server: ServerProcess, busy: Any, shot: Shot
) -> None:
    """Each second, with the limit; memory is the engine's number to a MiB."""
    said: list[str] = []
    desk.on("pageerror", lambda error: said.append(str(error)))
    charts(desk, server, BUSY)
    expect(chart(desk, "cpu").locator(".metric-note")).to_contain_text("of 0.1 cores")
    expect(chart(desk, "memory").locator(".metric-note")).to_contain_text("of 64 MiB")
    before = value(desk, "cpu").text_content()
    expect(value(desk, "cpu")).not_to_have_text(str(before))
    stats = busy.stats(stream=False)["memory_stats"]
    used = stats["usage"] - stats["stats"].get("total_inactive_file", 0)
    number, unit = str(value(desk, "memory").text_content()).split()
    shown = float(number) * {"KiB": 1024, "MiB": MIB}[unit]
    shot(desk, "metrics-live")
    assert (abs(shown - used) < MIB, said) == (True, [])


def test_what_is_not_measured_is_said_and_is_no_line(desk: Page, server: ServerProcess) -> None:
    """No network: a sentence where the line would be. No limit: that, too."""
    charts(desk, server, IDLE)
    expect(chart(desk, "network").locator(".metric-empty")).to_have_text("It has no network")
    expect(chart(desk, "memory").locator(".metric-note")).to_have_text("No limit is set")


def test_charts_out_of_sight_are_not_there(desk: Page, server: ServerProcess) -> None:
    """A telephone has room for some forty canvases: what is far above or below is destroyed."""
    charts(desk, server, BUSY)
    first = chart(desk, "cpu").locator("canvas")
    expect(first).to_have_count(1)
    desk.set_viewport_size({"width": 1280, "height": 360})
    desk.locator("#main").evaluate("(main) => main.scrollTo(0, main.scrollHeight)")
    expect(chart(desk, "log-errors").locator("canvas")).to_have_count(1)
    expect(first).to_have_count(0)
    desk.locator("#main").evaluate("(main) => main.scrollTo(0, 0)")
    expect(first).to_have_count(1)


def test_one_crosshair_over_all_charts(desk: Page, server: ServerProcess) -> None:
    """Below a hand on one chart, also as time goes on; the others show that moment, and its values."""
    sockets: list[WebSocket] = []
    desk.on("websocket", lambda socket: sockets.append(socket))
    charts(desk, server, BUSY)
    chart(desk, "cpu").locator(".u-over").hover(position={"x": 120, "y": 50})
    # Of both at one moment, after what came was drawn.
    places = """() => new Promise((then) => requestAnimationFrame(() => setTimeout(() => then(
        ['cpu', 'memory'].map((name) => {
            const cross = document.querySelector(`[data-chart="${name}"] .u-cursor-x`);
            const { left } = cross.parentElement.getBoundingClientRect();
            return cross.getBoundingClientRect().right - left;
        })))))"""
    for _ in range(4):
        cpu, memory = desk.evaluate(places)
        assert (abs(cpu - 120) < 2, abs(memory - cpu) < 2) == (True, True), (cpu, memory)
        with sockets[0].expect_event("framereceived", lambda frame: '"samples"' in str(frame)):
            pass
    charts(desk, server, BUSY, "?range=1h")
    chart(desk, "cpu").locator(".u-over").hover(position={"x": 120, "y": 50})
    expect(value(desk, "memory")).to_have_text("–")  # most of an hour ago it was not there


def test_the_crosshair_by_keyboard_is_read_out(desk: Page, server: ServerProcess) -> None:
    """Arrows move it; what it says is said to a screen reader; the same numbers are a table."""
    charts(desk, server, BUSY)
    chart(desk, "cpu").locator(".metric-plot").focus()
    desk.keyboard.press("ArrowLeft")
    status = desk.locator("#metric-board > [role=status]")
    expect(status).to_contain_text(re.compile(r"in use: [\d.]+ cores, limit: 0\.1 cores"))
    first = str(status.text_content())
    desk.keyboard.press("ArrowLeft")
    expect(status).not_to_have_text(first)
    desk.keyboard.press("Escape")
    numbers = chart(desk, "cpu").locator(".metric-numbers")
    numbers.locator("summary").click()
    expect(numbers.locator("thead th")).to_have_text(["Time", "in use (cores)", "limit (cores)"])
    assert numbers.locator("tbody tr").count() >= 5


def test_a_span_is_marked_and_a_moment_leads_to_the_log(
    new_context: Contexts, server: ServerProcess, sign_in: SignIn, shot: Shot
) -> None:
    """With the log beside the charts: marking zooms both and is in the address, the log has lines of
    that time alone; a click shows those of that second; the way back leads to where one was."""
    page = new_context(viewport={"width": 1640, "height": 900}).new_page()
    sign_in(page, server)
    charts(page, server, BUSY)
    expect(page.locator("#log")).to_be_visible()
    expect(page.locator(".log-slice")).to_contain_text("line ")
    over = chart(page, "cpu").locator(".u-over")
    box: Any = over.bounding_box()
    right, y = box["x"] + box["width"], box["y"] + 40
    page.mouse.move(right - 2, y)
    page.mouse.down()
    page.mouse.move(right - 12, y, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"since=.*until="))
    query = parse_qs(urlsplit(page.url).query)
    since, until = (datetime.fromisoformat(query[n][0]).timestamp() for n in ("since", "until"))
    assert 5 <= until - since <= 12
    expect(chart(page, "cpu")).not_to_have_attribute("data-waits", "yes")
    note, path = page.locator("#log-span"), f"/api/v1/apps/{BUSY}/lines"
    expect(note).to_contain_text("Only lines of")
    wait_until(lambda: of_span(page, since, until), 10, what="lines of the span alone")
    edge = query["until"][0].replace("+", "%2B")
    wait_until(lambda: server.get(f"{path}?limit=1&since={edge}")["lines"], 10, what="the end")
    [[newest, *_]] = server.get(f"{path}?limit=1&until={edge}")["lines"]
    page.locator("#log-scroller").press("End")
    last = page.locator(".log-slice article").last
    for later in (0, 10):
        wait_until(lambda n=newest + later: server.get(f"{path}?limit=1")["next"] > n, 10)
        expect(last).to_have_attribute("data-seq", str(newest))
    assert of_span(page, since, until)
    shot(page, "metrics-marked")
    over.click(position={"x": box["width"] / 2, "y": 40})
    moment = (since + until) / 2

    def is_there() -> bool:
        time = page.locator(".row-cursor time").first.get_attribute("datetime") or ""
        return (
            abs(datetime.fromisoformat(re.sub(r"\d{3}Z$", "Z", time)).timestamp() - moment) <= 1.5
        )

    expect(page.locator(".row-cursor time")).to_be_visible()
    wait_until(is_there, 10, what="the log at that moment")
    seq = page.locator(".row-cursor").first.get_attribute("data-seq")
    expect(page).to_have_url(re.compile(rf"since=.*until=.*#L{seq}$"))
    assert of_span(page, since, until)
    page.reload()  # the same span, at the same line
    expect(page.locator(".row-cursor time")).to_be_visible()
    wait_until(is_there, 10, what="the log at that moment again")
    wait_until(lambda: of_span(page, since, until), 10, what="lines of the span alone, again")
    note.get_by_role("button", name="Show the whole log").click()
    expect(note).to_be_hidden()
    page.locator("#log-scroller").press("Home")
    wait_until(lambda: not of_span(page, since, until), 10, what="lines before the span")
    page.go_back()
    expect(page).to_have_url(re.compile(r"range=5m"))
    expect(page.locator('[data-range="5m"]')).to_have_attribute("aria-pressed", "true")
    expect(note).to_be_hidden()
    expect(page.locator("#log-live")).to_have_attribute("data-state", "live")


def test_an_address_of_a_moment_opens_the_log_there(desk: Page, server: ServerProcess) -> None:
    """Where there is no room for the log, a click offers the way to it."""
    desk.set_viewport_size({"width": 900, "height": 800})
    charts(desk, server, BUSY)
    over = chart(desk, "cpu").locator(".u-over")
    width = (over.bounding_box() or {"width": 0})["width"]
    over.click(position={"x": width - 6, "y": 40})
    link = desk.locator("#metric-picked-log")
    expect(link).to_be_visible()
    link.click()
    expect(desk).to_have_url(re.compile(rf"/apps/{BUSY}/logs"))
    expect(desk.locator(".log-slice .row-text").first).to_be_visible()
    expect(desk).to_have_url(re.compile(r"#L\d+$"))


LABELS = "(marks) => marks.map((one) => one.ariaLabel)"


def test_what_happened_is_marked_with_its_words(
    desk: Page, server: ServerProcess, docker_client: docker.DockerClient
) -> None:
    """A restart: a marker with what it was, and the way to the log."""
    charts(desk, server, IDLE)
    marks = desk.locator(".metric-mark")
    docker_client.containers.get(IDLE).restart(timeout=0)
    expect(marks.first).to_be_visible()
    marks.last.hover()
    tip = desk.locator(".metric-tip")
    expect(tip).to_contain_text("started up")
    marks.last.click()
    way = tip.get_by_role("button", name="Show the log there").first
    expect(way).to_be_visible()
    way.focus()
    before = marks.evaluate_all(LABELS)
    docker_client.containers.get(IDLE).restart(timeout=0)
    # What else happens is marked as well, and takes nothing from who reads these words.
    wait_until(lambda: marks.evaluate_all(LABELS) != before, what="another marker")
    expect(way).to_be_focused()
    expect(tip).to_contain_text("started up")
    desk.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    expect(desk.locator(".metric-mark:focus")).to_have_count(1)


def test_ones_own_metric_gets_a_chart_unasked(desk: Page, server: ServerProcess) -> None:
    """Posted while somebody looks: its chart appears, with its unit."""
    charts(desk, server, BUSY)
    sample = {"name": "orders", "value": 12.5, "unit": "1/s", "labels": {"shop": "north"}}

    with Person(server) as admin:

        def posted() -> bool:
            answer = admin.ask("POST", f"/apps/{BUSY}/samples", {"samples": [sample]})
            assert answer.json() == {"taken": 1, "refused": []}
            return chart(desk, "own:orders").count() == 1

        wait_until(posted, 15, what="the chart")
    chart(desk, "own:orders").scroll_into_view_if_needed()
    expect(chart(desk, "own:orders")).to_contain_text("shop=north")
    expect(value(desk, "own:orders")).to_have_text("12.5/s")


def test_the_list_of_apps_says_what_they_use_and_is_put_in_order(
    desk: Page, server: ServerProcess, shot: Shot
) -> None:
    """Live numbers and the last minutes; by CPU the busy one is first; the machine above them."""
    desk.goto(server.url)
    row = desk.locator(f'.app-row[data-app="{BUSY}"]')
    expect(row.locator(".measured.cpu")).to_contain_text(re.compile(r"0\.[0-3]\d*"))
    expect(row.locator(".measured.memory")).to_contain_text(re.compile(r"\d (KiB|MiB)"))
    expect(row.locator(".measured.cpu path")).to_have_attribute("d", re.compile("^M"))
    strip = desk.locator("#node-strip")
    expect(strip).to_contain_text(re.compile(r"CPU\s*[\d.]+\s*of \d+ cores"))
    expect(strip).to_contain_text(re.compile(r"Disk\s*[\d.,]+ [GT]iB\s*of"))
    desk.get_by_role("button", name="CPU").click()
    expect(desk).to_have_url(re.compile("sort=cpu"))
    expect(desk.locator(".app-row[data-app]").first).to_have_attribute("data-app", BUSY)
    heads = desk.locator('[role="columnheader"][aria-sort="descending"]')
    expect(heads).to_have_text(["CPU"])
    shot(desk, "apps-measured")


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_charts_fit_a_phone_and_have_names(
    new_context: Contexts, server: ServerProcess, sign_in: SignIn, shot: Shot, locale: str
) -> None:
    """At 360 px nothing scrolls sideways; whatever can be pressed has a name, in both languages."""
    page = new_context(
        viewport={"width": 360, "height": 740}, locale=locale, color_scheme="dark"
    ).new_page()
    sign_in(page, server)
    charts(page, server, BUSY)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, a[href], input:not([hidden]), select, [tabindex='0']")]
            .filter((e) => e.checkVisibility())
            .filter((e) => !(e.getAttribute("aria-label") || e.getAttribute("aria-labelledby")
                || e.textContent.trim() || e.labels?.length))
            .map((e) => e.outerHTML)"""
    )
    assert nameless == []
    expect(page.locator("#metrics-machine")).to_have_text(
        "机器" if locale == "zh-CN" else "Machine"
    )
    shot(page, f"metrics-phone-{locale[:2]}")
    page.goto(f"{server.url}/apps/{IDLE}/metrics?range=5m")
    expect(page.locator("#metric-trouble")).to_have_text(
        f"{IDLE}：自有指标只在它自己的地址上读取，而它没有自己的地址"
        if locale == "zh-CN"
        else f"{IDLE}: what it exposes is asked for at an address of its own, and it has none"
    )
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.slow("half a minute of it has to be measured")
def test_who_holds_an_app_up_is_said_above_its_charts(desk: Page, server: ServerProcess) -> None:
    """It is held back by its own limit, and blames nobody. Last: most of the half minute has passed."""
    path, its_own = f"/api/v1/apps/{BUSY}/advice", {("limit", None)}
    wait_until(lambda: {(a["cause"], a["by"]) for a in server.get(path)["busy"]} == its_own, 60)
    charts(desk, server, BUSY)
    expect(desk.locator("#metric-advice")).to_contain_text("Its own limit is why")
    assert server.get(f"/api/v1/apps/{IDLE}/advice") == {"busy": [], "limits": []}
