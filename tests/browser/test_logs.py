"""The log page in a real browser, against a real server and real containers."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support import ServerProcess, Stopwatch, patient, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.engine]

SignIn = Callable[[Any, ServerProcess], None]
Shot = Callable[[Any, str], None]
Contexts = Callable[..., BrowserContext]
Containers = Callable[..., Any]
Open = Callable[..., Page]


@pytest.fixture
def open_log(page: Page, server: ServerProcess, sign_in: SignIn) -> Open:
    """``open_log("app", at="?q=x#L12")``: the log page of an app, once the server knows the app."""
    sign_in(page, server)

    def go(app: str, at: str = "", lines: int = 1) -> Page:
        wait_until(lambda: stored(server, app) >= lines, 30, f"{lines} lines of {app}", every=0.2)
        page.goto(f"{server.url}/apps/{app}/logs{at}")
        return page

    return go


def stored(server: ServerProcess, app: str) -> int:
    answer = server.client.get(f"/api/v1/apps/{app}/lines", params={"limit": 1})
    return int(answer.json()["next"]) - 1 if answer.status_code == 200 else 0


def texts(page: Page) -> list[str]:
    return page.locator(".row .row-text").all_inner_texts()


def seqs(page: Page) -> list[int]:
    """Of the rows that exist now, top to bottom."""
    found = page.evaluate("[...document.querySelectorAll('.row')].map(row => +row.dataset.seq)")
    return [int(seq) for seq in found if seq == int(seq)]


def at_end(page: Page) -> bool:
    return bool(
        page.evaluate(
            "(s => s.scrollTop + s.clientHeight >= s.scrollHeight - 4)"
            "(document.getElementById('log-scroller'))"
        )
    )


def seen(page: Page, seq: int) -> float | None:
    """Where on the screen the row with this seq is, in px."""
    top = page.evaluate(
        "seq => document.querySelector(`.row[data-seq='${seq}']`)?.getBoundingClientRect().top", seq
    )
    return None if top is None else float(top)


def row(page: Page, text: str) -> Any:
    return page.locator(".row", has_text=text).first


def numbers(count: int, then: str = "sleep 1000000") -> str:
    return f"seq {count} | sed 's/^/number /'; {then}"


COUNTING = "i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.1; done"


# --- live and history --------------------------------------------------------------------------


def test_it_opens_with_the_last_lines_and_follows(open_log: Open, container: Containers) -> None:
    """The newest lines are there within a second of the page, at the end, and more come."""
    container(COUNTING, name="logs-live")
    page = open_log("logs-live", lines=20)
    page.reload(wait_until="commit")
    watch = Stopwatch()
    expect(page.locator(".row").first).to_be_visible()
    assert watch.seconds < 3.0
    expect(page.locator("#log-live")).to_have_attribute("data-state", "live")
    before = max(seqs(page))
    page.wait_for_function(
        "before => [...document.querySelectorAll('.row')].some(r => +r.dataset.seq > before + 5)",
        arg=before,
    )
    assert at_end(page)


def test_the_first_lines_come_with_the_page(open_log: Open, container: Containers) -> None:
    """They are seen, with what a container wrote as text, before the socket has said a word; and
    beside them the apps that were there on the page before."""
    container(f"echo '<b>early</b></script>'; {numbers(30)}", name="logs-first")
    page = open_log("logs-first", lines=31)
    link = page.locator("#side-apps a", has_text="logs-first")
    expect(link).to_be_visible()
    page.route_web_socket("**/websocket", lambda _: None)  # opens, and nobody is at its other end
    page.reload()
    expect(link).to_be_visible()
    expect(row(page, "<b>early</b></script>")).to_be_attached()
    assert len(seqs(page)) > 10
    assert at_end(page)


def test_the_socket_goes_on_where_the_page_ends(open_log: Open, container: Containers) -> None:
    """Lines that came with the page and those after it: every one once, in order."""
    container(COUNTING, name="logs-seam")
    page = open_log("logs-seam", lines=20)
    subscribed: list[str] = []
    page.on(
        "websocket",
        lambda socket: socket.on("framesent", lambda text: subscribed.append(str(text))),
    )
    page.reload()
    before = max(seqs(page))
    page.wait_for_function(
        "before => [...document.querySelectorAll('.row')].some(r => +r.dataset.seq > before + 10)",
        arg=before,
    )
    found = seqs(page)
    assert found == list(range(found[0], found[0] + len(found)))
    assert [text for text in subscribed if '"log/logs-seam"' in text and '"after":' in text]


def test_a_log_that_gets_more_room_goes_on_following(open_log: Open, container: Containers) -> None:
    """What the browser scrolls by itself is not the reader's wish to stay."""
    container(numbers(500), name="logs-room")
    page = open_log("logs-room", lines=500)
    page.set_viewport_size({"width": 900, "height": 500})
    expect(row(page, "number 500")).to_be_in_viewport()
    for height in (514, 700, 640, 800):
        page.set_viewport_size({"width": 900, "height": height})
        expect(row(page, "number 500")).to_be_in_viewport()
        expect(page.locator("#log-live")).to_have_attribute("data-state", "live")


def turn_wheel(page: Page, y: int) -> None:
    """Turn the wheel and wait until the log has come to rest: a browser that is busy carries out
    many turns at once, and moves past rows that were never shown."""
    page.mouse.wheel(0, y)
    page.evaluate(
        """() => new Promise((rests) => {
            const scroller = document.getElementById("log-scroller");
            const began = performance.now();
            let last = NaN, still = 0;
            const look = () => {
                still = scroller.scrollTop === last ? still + 1 : 0;
                last = scroller.scrollTop;
                if (still >= 3 || performance.now() - began > 2000) rests();
                else requestAnimationFrame(look);
            };
            look();
        })"""
    )


def test_history_and_live_have_no_seam(open_log: Open, container: Containers) -> None:
    """Scrolling from the live end to the first line meets every line once, in order."""
    name = f"logs-seam-{uuid.uuid4().hex[:6]}"  # the engine tells of all that had the same
    container(numbers(1500, COUNTING), name=name)
    page = open_log(name, lines=1505)
    expect(page.locator(".row").first).to_be_visible()
    page.mouse.move(700, 450)
    met: dict[int, str] = {}

    def look() -> bool:
        rows = page.evaluate(
            "[...document.querySelectorAll('.row')]"
            ".map(r => [+r.dataset.seq, r.querySelector('.row-text')?.textContent])"
        )
        numbered = [(seq, text) for seq, text in rows if text is not None]
        here = [seq for seq, _ in numbered]
        assert here == list(range(here[0], here[0] + len(here)))
        met.update(numbered)
        turn_wheel(page, -600)
        return 1 in met

    wait_until(look, 40, "the first line")
    last = max(met)
    assert sorted(met) == list(range(1, last + 1))
    assert last > 1500
    assert all(met[n] == f"number {n}" for n in range(1, 1501))
    turn_wheel(page, -3000)
    expect(page.locator("#log-said")).to_contain_text("first line that is kept")
    page.keyboard.press("f")
    page.wait_for_function(
        "last => [...document.querySelectorAll('.row')].some(r => +r.dataset.seq > last)", arg=last
    )
    assert at_end(page)


def more_come(page: Page, lines: int) -> None:
    """Wait until the button counts so many more new lines than now."""

    def counted() -> int:
        found = re.search(r"\d+", re.sub(r"[^\d ]", "", page.locator("#log-new").inner_text()))
        return int(found[0]) if found else 0

    before = counted()
    wait_until(lambda: counted() >= before + lines, 20, f"{lines} more lines than {before}")


def test_pausing_never_loses_the_readers_place(open_log: Open, container: Containers) -> None:
    """While paused the row one looks at stays where it is; what comes is counted on a button."""
    container(numbers(500, COUNTING), name="logs-pause")
    page = open_log("logs-pause", lines=520)
    expect(page.locator(".row").first).to_be_visible()
    page.mouse.move(700, 450)
    turn_wheel(page, -900)
    expect(page.locator("#log-live")).to_have_attribute("data-state", "paused")
    looked_at = seqs(page)[15]
    place = seen(page, looked_at)
    expect(page.locator("#log-new")).to_contain_text(re.compile(r"\d+ new lines"))
    more_come(page, 15)
    assert seen(page, looked_at) == place
    assert re.search(rf"#L{'[0-9]+'}$", page.url)
    page.locator("#log-new").click()
    wait_until(lambda: at_end(page), 5, "the end")
    expect(page.locator("#log-live")).to_have_attribute("data-state", "live")
    expect(page.locator("#log-new")).to_be_hidden()


def test_a_restarted_server_goes_on_exactly_where_it_was(
    open_log: Open, server: ServerProcess, container: Containers, shot: Shot
) -> None:
    """The page says that the server is away, comes back by itself, and has every line once."""
    counting = container(COUNTING, name="logs-restart")
    page = open_log("logs-restart", lines=10)
    expect(page.locator(".row").first).to_be_visible()
    server.kill()
    expect(page.locator("#log-live")).to_have_attribute(
        "data-state", re.compile("waiting|connecting")
    )
    expect(page.locator("#log-live-text")).to_contain_text("goes on after line")
    shot(page, "log-reconnecting")
    before = max(seqs(page))
    missed = int(counting.logs(tail=1).split()[1]) + 10
    wait_until(lambda: int(counting.logs(tail=1).split()[1]) > missed, 15, "lines to be missed")
    server.start()
    expect(page.locator("#log-live")).to_have_attribute(
        "data-state", "live", timeout=patient(30) * 1000
    )
    page.wait_for_function(
        "before => [...document.querySelectorAll('.row')].some(r => +r.dataset.seq > before + 15)",
        arg=before,
    )
    ticks = [int(text.split()[1]) for text in texts(page) if text.startswith("tick")]
    assert ticks == list(range(ticks[0], ticks[0] + len(ticks)))


def test_a_container_made_anew_continues_the_log(open_log: Open, container: Containers) -> None:
    """History crosses restarts and re-creations; what happened stands between the lines."""
    app = f"logs.again-{uuid.uuid4().hex[:8]}"  # the engine tells of earlier runs' containers too
    first = container("echo from the first; sleep 1000000", labels={"cloudbang.app": app})
    page = open_log(app)
    expect(row(page, "from the first")).to_be_visible()
    first.kill()
    expect(page.locator(".row-marker", has_text="died, exit code 137 (SIGKILL)")).to_be_visible()
    container("echo from the second; sleep 1000000", labels={"cloudbang.app": app})
    expect(row(page, "from the second")).to_be_visible()
    expect(page.locator(".row-marker", has_text="started").last).to_be_visible()
    expect(page.locator("#log-instance")).to_be_visible()
    page.reload()
    expect(page.locator(".row-marker", has_text="died, exit code 137 (SIGKILL)")).to_be_visible()
    words = page.locator(".row").all_inner_texts()
    order = [
        i
        for i, word in enumerate(words)
        if re.search("from the first|died, exit|from the second", word)
    ]
    assert order == sorted(order)
    assert len(order) == 3, words


def test_a_flood_leaves_the_page_usable(open_log: Open, container: Containers, shot: Shot) -> None:
    """With a container that writes as fast as it can: few rows exist, pausing holds, the tail is near."""
    # No two are the same: those would be one row.
    words = "seq 1000000000 | sed 's/^/a line of a flood, with some words in it, /'"
    flood = container(words, name="logs-flood")
    page = open_log("logs-flood", lines=2000)
    expect(page.locator(".row").first).to_be_visible()
    wait_until(lambda: max(seqs(page), default=0) > 50_000, 30, "a flood")
    assert len(seqs(page)) < 120
    page.keyboard.press("Space")
    expect(page.locator("#log-follow")).to_have_attribute("aria-pressed", "false")
    turn_wheel(page, 0)
    looked_at = seqs(page)[12]
    place = seen(page, looked_at)
    more_come(page, 1000)
    assert seen(page, looked_at) == place
    shot(page, "log-flood")
    flood.kill()
    page.keyboard.press("End")
    wait_until(lambda: at_end(page), 10, "the end")
    expect(page.locator(".row-marker", has_text="died")).to_be_visible(timeout=patient(20) * 1000)


# --- finding -----------------------------------------------------------------------------------


def test_a_link_to_a_line_opens_there(open_log: Open, container: Containers) -> None:
    """#L… and ?line=… show that line, marked, without following; End goes back to the tail."""
    container(numbers(3000), name="logs-link")
    page = open_log("logs-link", "#L1234", lines=3000)
    linked = page.locator(".row-linked")
    expect(linked).to_contain_text("number 1234")
    expect(linked).to_be_in_viewport()
    expect(page.locator("#log-live")).to_have_attribute("data-state", "paused")
    page.goto("about:blank")
    open_log("logs-link", "?line=77")
    expect(page.locator(".row-linked")).to_contain_text("number 77")
    expect(page).to_have_url(re.compile("#L77$"))
    page.keyboard.press("End")
    expect(row(page, "number 3000")).to_be_visible()
    expect(page).not_to_have_url(re.compile("#L"))


def test_scrolling_from_a_linked_line_to_the_live_end_has_no_seam(
    open_log: Open, container: Containers
) -> None:
    """From the middle of history down to the tail, every line comes once and then it follows."""
    container(numbers(2000, COUNTING), name="logs-down")
    page = open_log("logs-down", "#L1000", lines=2005)
    expect(page.locator(".row-linked")).to_be_visible()
    page.mouse.move(700, 450)
    met = set(seqs(page))

    def look() -> bool:
        turn_wheel(page, 600)
        here = seqs(page)
        assert here == list(range(here[0], here[0] + len(here)))
        met.update(here)
        return page.locator("#log-live").get_attribute("data-state") == "live"

    wait_until(look, 40, "the live end")
    assert sorted(met) == list(range(min(met), max(met) + 1))
    assert min(met) <= 1000
    assert max(met) > 2000


def test_jumping_to_a_time(open_log: Open, server: ServerProcess, container: Containers) -> None:
    """A time typed in shows the first line from then on."""
    container("echo early; sleep 2; echo late; sleep 1000000", name="logs-jump")
    page = open_log("logs-jump", lines=2)
    late = server.lines("logs-jump")[1]
    expect(row(page, "late")).to_be_visible()
    page.keyboard.press("t")
    page.locator("#log-jump-text").fill(late[1][:23] + "Z")
    page.keyboard.press("Enter")
    expect(page.locator(".row-linked")).to_contain_text("late")


def test_finding_marks_counts_and_goes_from_match_to_match(
    open_log: Open, container: Containers
) -> None:
    """Marked in place with a count; n and N walk them, also those that are not loaded yet."""
    container(numbers(3000), name="logs-find")
    page = open_log("logs-find", lines=3000)
    page.keyboard.press("Control+f")
    page.keyboard.type("number 29")
    count = page.locator("#log-count")
    expect(count).to_have_text("111 found")  # in all of the log, of which 200 lines are loaded
    expect(page.locator(".row mark").first).to_have_text("number 29")
    page.keyboard.press("Enter")
    expect(page.locator(".row-cursor")).to_contain_text("number 29")
    expect(count).to_have_text(re.compile(r"^\d+ of 111$"))
    page.locator("#log-find").fill("Number 29")
    expect(count).to_contain_text("111")
    page.locator("#log-case").click()
    expect(count).to_have_text("0 found")
    page.locator("#log-case").click()
    page.locator("#log-find").fill("number 17")
    expect(page).to_have_url(re.compile("q=number"))
    page.keyboard.press("Enter")
    expect(page.locator(".row-cursor")).to_contain_text("number 1799")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator("#log-count")).to_have_text("")


def test_a_screen_reader_is_told_of_a_search_once(open_log: Open, container: Containers) -> None:
    """While matches come, what is said stays; the row with the focus has a name and its number."""
    container(COUNTING, name="logs-said")
    page = open_log("logs-said", lines=5)
    page.fill("#log-find", "tick")
    count, said = page.locator("#log-count"), page.locator("#log-count-said")
    expect(said).to_have_text(re.compile(r"\d+ found"))
    page.evaluate(
        """() => {
            window.told = 0;
            new MutationObserver((all) => (window.told += all.length)).observe(
                document.getElementById('log-count-said'), { childList: true, characterData: true });
        }"""
    )
    before = str(count.text_content())
    for _ in range(3):
        expect(count).not_to_have_text(before)
        before = str(count.text_content())
    assert page.evaluate("window.told") == 0
    page.locator("#log-previous").click()
    expect(said).to_have_text(re.compile(r"\d+ of \d+"))
    page.keyboard.press("Escape")
    page.locator("#log-scroller").focus()
    page.keyboard.press("k")
    row = page.locator("article:focus")
    expect(row).to_have_accessible_name(re.compile(r"^\d\d:\d\d:\d\d tick \d+$"))
    expect(row).to_have_attribute("aria-expanded", "false")
    assert row.get_attribute("aria-posinset") == row.get_attribute("data-seq")


def test_hiding_shows_only_what_matches_in_all_of_history(
    open_log: Open, server: ServerProcess, container: Containers
) -> None:
    """With hiding, lines far back are found by the server and live ones are matched as they come."""
    one = container(
        "seq 5000 | sed 's/^/number /'; while [ ! -e /go ]; do sleep 0.1; done; echo number 777 again; sleep 1000000",
        name="logs-hide",
    )
    page = open_log("logs-hide", "?q=777%24%7C777+again&regex=1&hide=1", lines=5000)
    expect(page.locator(".row-text")).to_have_text(
        [f"number {n}777" if n else "number 777" for n in range(5)]
    )
    one.exec_run("touch /go")
    expect(row(page, "number 777 again")).to_be_visible()
    expect(page.locator("#log-count")).to_have_text("6 found")
    row(page, "number 2777").click()
    page.get_by_role("button", name="Show around it").click()
    expect(row(page, "number 2776")).to_be_in_viewport()
    expect(row(page, "number 2777")).to_be_in_viewport()
    page.keyboard.press("f")
    expect(row(page, "number 4999")).to_be_visible()
    expect(row(page, "number 777 again").locator("mark")).to_have_text("777 again")
    page.locator("#log-find").fill("(")
    expect(page.locator("#log-count")).to_have_text("not a pattern")
    page.locator("#log-find").fill("(?=number)")
    expect(page.locator(".toast")).to_contain_text("no lookahead and no lookbehind here: (?=")
    page.locator("#log-hide").click()
    page.locator("#log-download").click()
    page.locator("#log-download-menu [data-format=text]").click()
    expect(page.locator(".toast")).to_contain_text("no lookahead")
    expect(row(page, "number 4999")).to_be_visible()
    page.locator("#log-find").fill("nothing of the kind")
    expect(page.locator("#log-empty-title")).to_have_text("No line passes the filter")
    expect(page.locator(".row").first).to_be_visible()  # when the container started
    page.locator("#log-empty-clear").click()
    expect(row(page, "number 4999")).to_be_visible()


def test_an_expression_in_a_link_cannot_freeze_the_page(
    open_log: Open, container: Containers
) -> None:
    """What would keep a backtracking engine busy for ever is looked for like anything else, in
    what is stored and in what comes."""
    one = container(
        "seq 300 | sed 's/.*/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!/'; echo aaa;"
        "while [ ! -e /go ]; do sleep 0.1; done; echo aaaa; sleep 1000000",
        name="logs-evil",
    )
    page = open_log("logs-evil", "?q=%5E(a%2B)%2B%24&regex=1&hide=1", lines=301)
    expect(page.locator(".row-text")).to_have_text(["aaa"])
    one.exec_run("touch /go")
    expect(page.locator(".row-text")).to_have_text(["aaa", "aaaa"])
    page.locator("#log-hide").click()
    expect(page.locator(".row-text mark")).to_have_text(["aaa", "aaaa"])


def test_filters_by_level_and_stream(open_log: Open, container: Containers) -> None:
    """Levels are recognised, shown as colour and word, and can be chosen; so can streams."""
    container(
        "for i in $(seq 100); do echo INFO fine $i; done; echo ERROR bad; echo WARN hm >&2; sleep 1000000",
        name="logs-levels",
    )
    page = open_log("logs-levels", lines=102)
    error = row(page, "ERROR bad")
    expect(error).to_have_attribute("data-level", "error")
    expect(error.locator(".row-level")).to_have_text("error")
    page.locator("#log-levels").click()
    page.locator("#log-levels-menu").get_by_text("error", exact=True).click()
    expect(page.locator(".row-text")).to_have_text(["ERROR bad"])
    expect(page).to_have_url(re.compile("level=error"))
    page.locator("#log-levels-menu").get_by_text("warn", exact=True).click()
    expect(page.locator(".row-text")).to_have_count(2)
    page.keyboard.press("Escape")
    page.locator("#log-clear").click()
    page.locator("#log-stream").select_option("stderr")
    expect(page.locator(".row-text")).to_have_text(["WARN hm"])
    page.reload()
    expect(page.locator(".row-text")).to_have_text(["WARN hm"])
    expect(page.locator("#log-stream")).to_have_value("stderr")


def test_downloading_what_is_filtered(open_log: Open, container: Containers) -> None:
    """The file holds the lines that pass the filter, as text or as JSON lines."""
    container(
        "for i in $(seq 50); do echo INFO $i; done; echo ERROR bad; sleep 1000000", name="logs-file"
    )
    page = open_log("logs-file", "?level=error", lines=51)
    for kind, of in (
        ("As text", lambda line: line.partition(" ERROR ")[2]),
        ("As JSON lines", lambda line: json.loads(line)["text"].removeprefix("ERROR ")),
    ):
        page.locator("#log-download").click()
        with page.expect_download() as download:
            page.get_by_text(kind).click()
        content = Path(download.value.path()).read_text("utf-8")
        assert content.count("\n") == 1
        assert of(content.rstrip("\n")) == "bad"


# --- what lines look like ----------------------------------------------------------------------

JAVA = (
    "printf 'ERROR c.e.Foo - failed\\njava.lang.Error: boom\\n\\tat a.B.c(D.java:1)\\n"
    "Caused by: java.io.IOException: why\\n\\tat a.B.d(D.java:2)\\nINFO after\\n'; "
)


def test_a_stack_trace_is_one_entry(open_log: Open, container: Containers) -> None:
    """Folded it shows its first line and its cause; opened, every line."""
    container(JAVA + "sleep 1000000", name="logs-trace")
    page = open_log("logs-trace", lines=6)
    trace = row(page, "failed")
    expect(trace).to_contain_text("+4 lines")
    expect(trace).to_contain_text("Caused by: java.io.IOException: why")
    expect(row(page, "INFO after")).to_be_visible()
    expect(page.locator(".row-text")).to_have_count(2)
    trace.locator(".row-text").click()
    expect(trace.locator(".trace-line")).to_have_count(4)
    trace.locator(".row-time").click()
    expect(trace.locator(".trace-line")).to_have_count(0)


def test_a_filter_shows_failures_whole(open_log: Open, container: Containers) -> None:
    """What failed is there with why and where, as without a filter: from the store with many lines
    after it, found by a word that only a frame has, and grown while one looks."""
    go = "while [ ! -e /tmp/go ]; do sleep 0.1; done; "
    late = "printf 'ERROR late\\n'; sleep 0.3; printf '\\tat a.B.late(D.java:9)\\nINFO end\\n'; "
    one = container(
        f"{JAVA} for i in $(seq 800); do echo INFO fine $i; done; {go}{late} sleep 1000000",
        name="logs-whole",
    )
    page = open_log("logs-whole", "?level=error", lines=806)
    expect(page.locator(".row-text")).to_have_count(1)
    expect(row(page, "failed")).to_contain_text("+4 lines")
    expect(row(page, "failed")).to_contain_text("Caused by: java.io.IOException: why")
    one.exec_run(["touch", "/tmp/go"])
    expect(row(page, "ERROR late")).to_contain_text("+1 line")
    expect(page.locator(".row-text")).to_have_count(2)
    page.goto(page.url.split("?")[0] + "?q=D.java%3A2&hide=1")
    expect(page.locator(".row-text")).to_have_count(1)
    expect(row(page, "failed")).to_contain_text("+4 lines")


def test_json_is_readable_and_opens_as_a_tree(open_log: Open, container: Containers) -> None:
    """Message first, fields folded behind it; opened, a tree whose fields can be copied."""
    line = '{"level":"warn","msg":"slow order","order":{"id":8812,"items":[1,2]},"user":"李雷"}'
    container(f"echo '{line}'; sleep 1000000", name="logs-json")
    page = open_log("logs-json")
    one = row(page, "slow order")
    expect(one).to_have_attribute("data-level", "warning")
    expect(one.locator(".row-text")).to_have_text("slow order order={…} user=李雷")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    one.locator(".row-text").click()
    expect(one.locator(".tree")).to_contain_text("8812")
    one.get_by_role("button", name="Copy user").click()
    copied = "navigator.clipboard.readText()"
    wait_until(lambda: page.evaluate(copied) == "李雷", what="it in the clipboard")
    one.get_by_role("button", name="Copy", exact=True).first.click()
    wait_until(lambda: page.evaluate(copied) == line, what="the line in the clipboard")
    one.get_by_role("button", name="Copy link").click()
    linked = "/apps/logs-json/logs#L1"
    wait_until(lambda: page.evaluate(copied).endswith(linked), what="the link in the clipboard")


ODD = r"""
printf '<img src=x onerror=alert(1)><script>alert(2)</script>\n'
printf '\033[31mred\033[0m \033[38;2;1;2;3mdark\033[0m \033[2Jgone\n'
printf '\033]8;;https://example.com/docs\033\\docs\033]8;;\033\\ \033]8;;javascript:alert(3)\033\\evil\033]8;;\033\\\n'
printf 'see https://example.com/a?b=1.\n'
printf 'nul\001bel\007 turned \342\200\256round\n'
printf 'bad \377\376 utf-8\n'
printf '10%%\r50%%\r100%% done\n'
printf '中文 🎉 مرحبا\n'
sleep 1000000
"""


def test_odd_lines_are_text(open_log: Open, container: Containers, shot: Shot) -> None:
    """HTML, escape sequences, control and direction characters: shown, coloured, never obeyed."""
    container(ODD, name="logs-odd")
    page = open_log("logs-odd", lines=8)
    page.on("dialog", lambda dialog: pytest.fail(f"a line ran: {dialog.message}"))
    expect(row(page, "<img src=x onerror=alert(1)><script>alert(2)</script>")).to_be_visible()
    assert page.locator(".row img, .row script").count() == 0
    expect(page.locator(".a-fg-1")).to_have_text("red")
    expect(row(page, "dark gone")).to_be_visible()
    links = page.locator(".row-text a")
    assert [one.get_attribute("href") for one in links.all()] == [
        "https://example.com/docs",
        "https://example.com/a?b=1",
    ]
    assert all("noopener" in (one.get_attribute("rel") or "") for one in links.all())
    expect(row(page, "evil")).to_be_visible()
    assert page.locator(".row .odd").all_inner_texts() == ["SOH", "BEL", "RLO"]
    expect(row(page, "bad �� utf-8")).to_be_visible()
    expect(page.locator(".row-text").nth(6)).to_have_text("100% done")
    shot(page, "log-odd")


def test_a_line_of_a_megabyte_does_not_hold_the_page(open_log: Open, container: Containers) -> None:
    """Its first part is shown; all of it when asked for."""
    container(
        "head -c 1000000 /dev/zero | tr '\\0' x; echo; echo after; sleep 1000000", name="logs-huge"
    )
    page = open_log("logs-huge", lines=2)
    huge = page.locator(".row").filter(has_text="xxxx")
    expect(huge).to_contain_text("1,000,000 characters")
    assert len(huge.locator(".row-text").inner_text()) == 2000
    huge.locator(".row-text").click()
    assert len(huge.locator(".detail-text .detail-block").first.inner_text()) == 10240
    huge.get_by_role("button", name="Show all").click()
    assert page.evaluate("document.querySelector('.detail-text').textContent.length") == 1_000_000


def test_settings_of_the_view_are_kept(open_log: Open, container: Containers) -> None:
    """Times off and wrapping on hold for the next visit too."""
    container(f"echo {'word ' * 200}; sleep 1000000", name="logs-view")
    page = open_log("logs-view")
    one = page.locator(".row").filter(has_text="word")
    before = one.bounding_box()
    assert before
    page.keyboard.press(".")
    page.get_by_label("Wrap long lines").check()
    page.get_by_label("Times", exact=True).uncheck()
    expect(one.locator(".row-time")).to_have_count(0)
    after = one.bounding_box()
    assert after
    assert after["height"] > before["height"] * 3
    page.reload()
    expect(one.locator(".row-text")).to_be_visible()
    expect(one.locator(".row-time")).to_have_count(0)


def test_a_log_that_cannot_be_read_says_so(
    page: Page, server: ServerProcess, sign_in: SignIn, container: Containers
) -> None:
    """A container without a readable log driver is named, with the reason."""
    container("echo unseen; sleep 1000000", name="logs-none", log_config={"Type": "none"})
    sign_in(page, server)
    wait_until(
        lambda: server.client.get("/api/v1/apps/logs-none").status_code == 200, what="the app"
    )
    page.goto(f"{server.url}/apps/logs-none/logs")
    expect(page.locator("#log-unreadable")).to_contain_text("logs-none")
    expect(page.locator("#log-unreadable")).to_contain_text("none")


def test_by_keyboard_alone(open_log: Open, container: Containers) -> None:
    """j and k move a visible focus, Enter opens, e goes to errors, Escape closes."""
    container("echo one; echo ERROR two; echo three; sleep 1000000", name="logs-keys")
    page = open_log("logs-keys", lines=3)
    expect(row(page, "three")).to_be_visible()
    page.keyboard.press("e")
    expect(page.locator(".row:focus")).to_contain_text("ERROR two")
    page.keyboard.press("j")
    expect(page.locator(".row:focus")).to_contain_text("three")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.locator(".row:focus")).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".row:focus .detail-facts")).to_contain_text("stdout")
    page.keyboard.press("Escape")
    expect(page.locator(".detail")).to_have_count(0)
    page.keyboard.press("f")
    page.keyboard.press(".")
    wrap = page.get_by_label("Wrap long lines")
    expect(wrap).to_be_focused()
    page.keyboard.press("Space")
    expect(wrap).to_be_checked()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Times", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Times", exact=True)).not_to_be_checked()
    expect(page.locator("#log-live")).to_have_attribute("data-state", "live")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Next error")


def test_home_goes_to_the_first_line_that_is_kept(open_log: Open, container: Containers) -> None:
    """From the end of a long log, in one press; End goes back and follows. What is looked for in
    the store can be stopped."""
    container(numbers(20_000), name="logs-home")
    page = open_log("logs-home", lines=20_000)
    expect(row(page, "number 20000")).to_be_visible()
    page.keyboard.press("Home")
    expect(page.locator(".row[data-seq='1']")).to_be_in_viewport()
    expect(page.locator("#log-live")).to_have_attribute("data-state", "paused")
    page.keyboard.press("End")
    expect(row(page, "number 20000")).to_be_in_viewport()
    page.route("**/lines?*level=error*", lambda _: None)  # the store takes its time
    page.keyboard.press("e")
    expect(page.locator("#log-top-text")).to_have_text("Looking for an error …")
    page.locator("#log-top-stop").click()
    expect(page.locator("#log-top")).to_be_hidden()
    page.unroute("**/lines?*level=error*")
    page.keyboard.press("e")
    expect(page.locator(".toast")).to_have_text("No more errors")


def test_an_app_without_containers_says_so(open_log: Open, container: Containers) -> None:
    """After the last container is removed its lines stay, under its name, and the page says why."""
    one = container("echo last words; sleep 1000000", name="logs-gone")
    page = open_log("logs-gone")
    expect(row(page, "last words")).to_be_visible()
    expect(page.locator("#log-gone")).to_be_hidden()
    one.remove(force=True)
    expect(page.locator("#log-gone")).to_contain_text("No container of this app is left")
    expect(page.locator("#app-facts")).to_contain_text("Only logs kept")
    expect(page.locator(".row-marker", has_text="removed").last).to_contain_text("logs-gone")


SAMPLE = (
    JAVA
    + ODD.replace("sleep 1000000", "")
    + (
        'echo \'{"level":"info","msg":"order placed","order":{"id":8812}}\'; '
        "for i in $(seq 40); do echo INFO request $i took ${i}ms path=/api/items; done; "
        "echo WARN disk nearly full; echo DEBUG pool idle; sleep 1000000"
    )
)


@pytest.fixture
def sample(container: Containers) -> str:
    app = f"logs.sample-{uuid.uuid4().hex[:8]}"
    container(SAMPLE, labels={"cloudbang.app": app})
    return app


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 360])
def test_both_languages_both_themes_wide_and_narrow(
    open_log: Open,
    sample: str,
    server: ServerProcess,
    shot: Shot,
    language: str,
    theme: str,
    width: int,
) -> None:
    """Nothing is wider than the window, everything pressable has a name, words are translated."""
    page = open_log(sample, lines=50)
    page.set_viewport_size({"width": width, "height": 900 if width > 400 else 740})
    page.context.add_cookies(
        [
            {"name": "lang", "value": language, "url": server.url},
            {"name": "theme", "value": theme, "url": server.url},
        ]
    )
    page.reload()
    expect(row(page, "disk nearly full")).to_be_visible()
    live = {"en": "Live", "zh": "实时"}[language]
    expect(page.locator("#log-live-text")).to_have_text(live)
    page.keyboard.press("e")
    page.keyboard.press("Enter")
    expect(page.locator(".detail")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    nameless = page.evaluate(
        "[...document.querySelectorAll('#log button, #log select, #log input')]"
        ".filter(e => e.checkVisibility() && !(e.getAttribute('aria-label') || e.textContent.trim()"
        " || e.labels?.length)).map(e => e.outerHTML)"
    )
    assert nameless == []
    shot(page, f"log-{language}-{theme}-{width}")


BAR = (
    "until [ -e /ended ]; do i=$((i+1));"
    ' printf "\\rframe %06d of many ........................................" $i; usleep 1000; done;'
    ' printf "\\rFINISHED\\n"; sleep 1000000'
)


def test_a_line_that_is_not_ended_is_seen_as_it_is_now(
    open_log: Open, container: Containers, shot: Shot
) -> None:
    """Below the last row, in place; a row when it has ended, and nothing below it any more."""
    one = container(f"echo begins; {BAR}", name="logs-bar")
    page = open_log("logs-bar")
    now = page.locator("#log-partial .row-text")
    expect(now).to_contain_text(re.compile(r"^frame \d{6} of many"))
    first = now.inner_text()
    expect(now).not_to_have_text(first)
    shot(page, "logs-not-ended")
    page.locator("#log-follow").click()
    expect(page.locator("#log-partial")).to_be_hidden()
    page.locator("#log-follow").click()
    one.exec_run("touch /ended")
    expect(row(page, "FINISHED")).to_be_visible()
    expect(page.locator("#log-partial")).to_be_hidden()
