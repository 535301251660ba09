"""A terminal that stays, in a real browser: reloads, lost networks, stopped servers, other people."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.terminal_page import LOST, Shell, Watch, Wire, open_terminal, read
from tests.support import ServerProcess, wait_until
from tests.terminal_support import Person, known

pytestmark = [pytest.mark.browser, pytest.mark.engine]

Shot = Callable[[Any, str], None]
Containers = Callable[..., Any]
People = Callable[..., BrowserContext]


def numbered(shell: Shell, what: str) -> list[int]:
    """The numbers of the lines ``<what> <number>`` on the screen, in order."""
    return [int(n) for n in re.findall(rf"^{what} (\d+)$", "\n".join(shell.lines()), re.M)]


def beyond(shell: Shell, n: int) -> bool:
    return len(numbered(shell, "out")) > n


# --- one page ----------------------------------------------------------------------------------


def test_a_reload_and_a_new_tab_come_back_to_the_same_shell(
    own: BrowserContext, shell: Shell, house: ServerProcess, box: Any
) -> None:
    """What was printed is there again, once, and the shell still knows what it was told; so it is
    when the tab was closed, and when a program with a screen of its own runs."""
    shell.run("MARK=marked; seq 1 300; echo end $((1+1))", "end 2")
    session = shell.id
    shell.page.reload()
    shell.shows_line("end 2").run("echo $MARK $((1+1))", "marked 2")
    assert shell.id == session
    lines = shell.lines()
    assert [line for line in lines if line.isdigit()] == [str(n) for n in range(1, 301)]
    shell.type("vi /etc/passwd\n").shows("root:x:0:0")
    shell.page.close()
    page = own.new_page()
    page.goto(f"{house.url}/apps/{box.name}/terminal")
    page.get_by_role("button", name="Come back to it").click()
    again = Shell(page).shows("root:x:0:0")
    assert again.id == session
    assert again.inside("screen.terminal.buffer.active.type") == "alternate"
    again.type(":q!\n")
    wait_until(
        lambda: again.inside("screen.terminal.buffer.active.type") == "normal", 15, "vi to be gone"
    )
    again.run("echo $MARK $((1+2))", "marked 3")
    # Two tabs of one person look at one shell.
    other = own.new_page()
    other.goto(page.url)
    second = Shell(other).shows_line("marked 3")
    again.run("echo both $((1+3))", "both 4")
    second.shows_line("both 4")


@pytest.mark.slow("the network is cut four times, and each time noticed")
def test_a_lost_network_loses_nothing(
    own: BrowserContext, watch: Watch, house: ServerProcess, box: Any, shot: Shot
) -> None:
    """Cut again and again in the middle of output: every line is there once, in order. Cut while
    somebody types: every key arrives once, in order, also those typed while it was away."""
    watch.allow(LOST)
    with Wire(house) as wire:
        page = own.new_page()
        shell = open_terminal(page, wire.url, box.name)
        shell.type(
            "i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo out $i; usleep 2000; done; cat > /tmp/typed\n"
        )
        for least in (100, 700):
            wait_until(partial(beyond, shell, least), 30, "some output")
            wire.cut()
            shell.in_phase("away")
            expect(shell.banner("away")).to_contain_text("The connection is lost")
            shot(page, "terminal-away")
            wire.mend()
            page.evaluate("dispatchEvent(new Event('online'))")
            shell.in_phase("attached")
            expect(shell.banner("away")).to_have_count(0)
        wait_until(lambda: 2000 in numbered(shell, "out"), 60, "the last line")
        assert numbered(shell, "out") == list(range(1, 2001))
        assert shell.inside("document.activeElement === screen.terminal.textarea")
        lines = [f"key {n} 按键 🦊" for n in range(30)]
        for n, line in enumerate(lines):
            if n in (8, 20):
                wire.cut()
            shell.type(line + "\n")
            if n == 14:
                shell.in_phase("away")
                expect(shell.banner("away")).to_contain_text("What you typed is kept")
            if n in (15, 20):
                wire.mend()
            if n == 15:
                # Where it has not tried by itself in this very moment.
                shell.button("Try now").evaluate_all("found => found.forEach((one) => one.click())")
                shell.in_phase("attached")
                page.locator(".term-screen:visible").click()
        shell.in_phase("attached").shows_line(lines[-1], 40)
        page.keyboard.press("Control+D")
        shell.ready()
        assert read(box, "/tmp/typed").decode() == "".join(line + "\n" for line in lines)
        assert [line for line in shell.lines() if line.startswith("key ")] == lines
        assert wire.cuts == 4
        # The browser itself says that it is offline, and online again.
        own.set_offline(True)
        shell.type("echo off $((1+1))\n")
        own.set_offline(False)
        shell.shows_line("off 2")
        assert shell.lines().count("off 2") == 1


def test_a_network_that_died_silently_is_noticed(
    own: BrowserContext, watch: Watch, house: ServerProcess, box: Any
) -> None:
    """Nothing was closed and nothing comes through: told that the network has changed, the page
    asks, gives up the dead connection, and comes back with all that was typed."""
    watch.allow(LOST)
    with Wire(house) as wire:
        page = own.new_page()
        shell = open_terminal(page, wire.url, box.name)
        wire.stall()
        shell.type("echo dead $((1+1))\n")
        page.evaluate("dispatchEvent(new Event('offline'))")
        shell.in_phase("away")
        assert "dead 2" not in shell.text()
        wire.cut()
        wire.mend()
        page.evaluate("dispatchEvent(new Event('online'))")
        shell.in_phase("attached").shows_line("dead 2")
        assert shell.lines().count("dead 2") == 1


# --- a server of its own -----------------------------------------------------------------------


@pytest.fixture
def silent(new_server: Callable[..., ServerProcess]) -> ServerProcess:
    """A server that records no terminals."""
    return new_server({"CLOUDBANG_TERMINAL_RECORD": "false"})


def test_history_is_drawn_in_the_sizes_it_was_printed_for(shell: Shell) -> None:
    """After a reload in another width lines are where they were, also one that was longer than a row
    and drawn over while it was typed; of the titles in it the last one is shown."""
    page = shell.page
    page.set_viewport_size({"width": 1400, "height": 700})
    wait_until(lambda: shell.size()[1] > 120, what="a wide window")
    shell.run(
        "printf 'left\\033[110Gright\\n\\033]0;fi''rst\\007\\033]0;last one\\007'; echo o''ne",
        "one",
    )
    shell.run("echo " + "long " * 40 + "t''wo | tr -d ' '", "long" * 40 + "two")
    page.set_viewport_size({"width": 800, "height": 700})
    wait_until(lambda: shell.size()[1] < 110, what="a narrow window")
    shell.run("echo th''ree", "three").ready()
    before = shell.lines()
    assert "left" + " " * 105 + "right" in before
    page.reload()
    shell = Shell(page).ready().shows_line("three")
    wait_until(lambda: shell.lines() == before, what=f"the same lines as before: {before}")
    expect(page.locator(".term-facts")).to_contain_text("last one")


@pytest.mark.slow("its server starts three times, and the page waits longer each time it asks")
def test_a_stopped_server_says_so_and_offers_a_new_one(
    people: People,
    watch: Watch,
    silent: ServerProcess,
    container: Containers,
    shot: Shot,
) -> None:
    """With recordings turned off nothing claims that there is one. A restart ends the terminal,
    the page says why and offers another; a killed server is told as well, with the last output."""
    box = container(name=f"term-stop-{uuid.uuid4().hex[:6]}")
    known(silent, box.name)
    with Person(silent) as person:
        page = people(person).new_page()
    watch.allow(LOST)
    page.goto(f"{silent.url}/apps/{box.name}/terminal")
    expect(page.get_by_text("also of what is typed")).to_have_count(0)
    page.get_by_role("button", name="Open", exact=True).click()
    shell = Shell(page).ready().run("echo before $((1+1))", "before 2")
    expect(shell.box.get_by_text("Recorded", exact=True)).to_be_hidden()
    silent.restart()
    shell.in_phase("ended").shows_line("before 2")
    ended = "The server was stopped or restarted; that ends every terminal."
    expect(shell.box.get_by_text(ended)).to_be_visible()
    expect(shell.box.get_by_role("link", name="Replay")).to_have_count(0)
    shot(page, "terminal-server-stopped")
    shell.button("Open a new one").click()
    shell.ready().run("echo after $((1+1))", "after 2")
    assert "before 2" not in shell.lines()
    # What is left in a paused container cannot be ended yet: the page is told all the same.
    lost = shell.id
    box.pause()
    silent.kill()
    shell.in_phase("away")
    silent.start()
    shell.in_phase("ended").shows_line("after 2")
    broke = "The server broke off; that ended every terminal."
    expect(shell.box.get_by_text(broke)).to_be_visible()
    box.unpause()
    wait_until(
        lambda: silent.get(f"/api/v1/terminals/{lost}")["state"] == "ended",
        40,
        "its end",
        every=0.3,
    )
    page.goto(f"{silent.url}/terminals")
    expect(
        page.get_by_text("Recording is turned off in the settings of the server.")
    ).to_be_visible()
    rows = page.locator(".terminals-past tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("The server was lost")
    expect(rows.last).to_contain_text("The server was stopped")
    expect(rows.get_by_role("link", name="Replay")).to_have_count(0)


def test_a_sign_out_in_another_tab_ends_it(
    people: People, owner: Person, house: ServerProcess, box: Any, watch: Watch
) -> None:
    """Whoever signs out leaves nothing open: the page leads to the sign-in, and the list says why
    the terminal ended."""
    watch.allow("status of 401")
    with owner.account(f"leaver-{uuid.uuid4().hex[:6]}", "admin") as leaver:
        context = people(leaver)
        page = context.new_page()
        shell = open_terminal(page, house.url, box.name)
        session = shell.id
        other = context.new_page()
        other.goto(house.url)
        other.locator("#account").click()
        other.get_by_role("button", name="Sign out").click()
        # Who signs in next may be somebody else: no way back to what this one saw.
        expect(other).to_have_url(f"{house.url}/sign-in")
        expect(page).to_have_url(re.compile("/sign-in"))
    wait_until(lambda: owner.got(f"/terminals/{session}")["state"] == "ended", 15, "its end")
    assert owner.got(f"/terminals/{session}")["reason"] == "signed-out"
