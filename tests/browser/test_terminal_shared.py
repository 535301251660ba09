"""Several people at one terminal: who watches, who types, whose window counts, who is sent out."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.terminal_page import Shell, Watch
from tests.support import wait_until
from tests.terminal_support import Person

pytestmark = [pytest.mark.browser, pytest.mark.engine]

Shot = Callable[[Any, str], None]
People = Callable[..., BrowserContext]


@pytest.fixture(scope="module")
def guest(owner: Person) -> Iterator[Person]:
    """Somebody with an account who may only look."""
    with owner.account(f"guest-{uuid.uuid4().hex[:6]}") as person:
        yield person


def link(shell: Shell, kind: str) -> str:
    """Make a link in the dialog of a terminal."""
    shell.button("Share").click()
    part = shell.page.get_by_role("region", name=kind, exact=True)
    part.get_by_role("button", name="Make a link").click()
    address = part.get_by_role("textbox", name="Link").input_value()
    shell.page.keyboard.press("Escape")
    expect(shell.page.get_by_role("dialog")).to_have_count(0)
    return address


def test_a_terminal_is_shared(
    own: BrowserContext,
    people: People,
    watch: Watch,
    shell: Shell,
    guest: Person,
    box: Any,
    shot: Shot,
) -> None:
    """With one link somebody watches and cannot type, with the other they type; who is there is
    shown to both; the owner takes the keyboard back, and the link is void."""
    own.grant_permissions(["clipboard-read", "clipboard-write"])
    shell.run("echo shown $((1+1))", "shown 2")
    watching = link(shell, "To watch")
    visitor = people(guest)
    page = visitor.new_page()
    page.goto(watching)
    seen = Shell(page).in_phase("attached").shows_line("shown 2")
    expect(seen.box.get_by_text("Watching only")).to_be_visible()
    expect(shell.box.locator(".term-people")).to_contain_text(guest.name)
    expect(seen.box.locator(".term-people")).to_contain_text("admin")
    expect(seen.button("Share")).to_have_count(0)
    expect(seen.button("End")).to_have_count(0)
    seen.button("More").click()
    menu = seen.box.locator(".term-menu")
    expect(menu.get_by_role("button", name="Copy", exact=False).first).to_be_visible()
    for mine in ("Replay from its start", "Put a file in", "Take a file out"):
        expect(menu.get_by_text(mine)).to_be_hidden()
    page.keyboard.press("Escape")
    page.locator(".term-screen:visible").click()
    seen.type("echo never $((1+1))\n")
    expect(seen.banner("watch")).to_have_text("You may only watch here.")
    shell.run("echo watched $((1+1))", "watched 2")
    seen.shows_line("watched 2")
    assert "never" not in shell.text()
    shot(page, "terminal-watching")
    shell.button("Share").click()
    own_page = shell.page
    own_page.get_by_label("A link opens it").select_option(label="for an hour")
    with own_page.expect_request("**/links") as asked:
        part = own_page.get_by_role("region", name="To type as well", exact=True)
        part.get_by_role("button", name="Make a link").click()
    assert asked.value.post_data_json == {"mode": "type", "minutes": 60}
    own_page.keyboard.press("Escape")
    typing = link(shell, "To type as well")
    assert typing.split("#")[0] == watching.split("#")[0]
    assert typing != watching
    page.goto(typing)
    # The same page with another key: it loads itself again.
    expect(seen.box.get_by_text("Watching only")).to_be_hidden()
    seen.in_phase("attached").shows_line("watched 2")
    seen.run("echo typed $((1+1))", "typed 2")
    shell.shows_line("typed 2")
    shot(shell.page, "terminal-shared")
    shell.button("Take the keyboard back").click()
    expect(seen.box.get_by_text("Watching only")).to_be_visible()
    shell.page.locator(".term-screen:visible").click()
    seen.type("echo never $((1+1))\n")
    shell.run("echo mine $((1+1))", "mine 2")
    seen.shows_line("mine 2")
    assert "never" not in shell.text()
    other = visitor.new_page()
    other.goto(typing)
    expect(Shell(other).box.get_by_text("its link is not valid any more")).to_be_visible()
    # One is sent out alone, and does not come back by the link that they have.
    page.goto(again := link(shell, "To type as well"))
    expect(seen.box.get_by_text("Watching only")).to_be_hidden()
    seen.in_phase("attached").run("echo again $((1+1))", "again 2")
    shell.button("Share").click()
    shell.page.get_by_role("button", name=f"Send {guest.name} out").click()
    seen.in_phase("ended")
    expect(seen.box.get_by_text("does not show it to you any more")).to_be_visible()
    expect(shell.page.get_by_role("list", name="Who is here")).to_be_hidden()
    shot(shell.page, "terminal-share-dialog")
    page.goto("about:blank")
    page.goto(again)
    expect(seen.box.get_by_text("its link is not valid any more")).to_be_visible()
    shell.page.keyboard.press("Escape")
    # All links are made void at once, and whoever came by one is out.
    watching = link(shell, "To watch")
    page.goto("about:blank")
    page.goto(watching)
    seen.in_phase("attached").shows_line("again 2")
    shell.button("Share").click()
    shell.page.get_by_role("button", name="Stop sharing").click()
    seen.in_phase("ended")
    expect(seen.box.get_by_role("button", name="Open a new one")).to_have_count(0)
    expect(seen.box.get_by_role("link", name="Replay")).to_have_count(0)
    expect(shell.page.get_by_role("dialog")).to_contain_text("No link opens this terminal")
    shell.page.keyboard.press("Escape")
    shell.page.locator(".term-screen:visible").click()
    shell.run("echo a secret $((1+1))", "a secret 2")
    assert "a secret 2" not in seen.text()
    watching = link(shell, "To watch")
    page.goto("about:blank")
    page.goto(watching)
    seen.in_phase("attached")
    # Nobody without an account gets in, and the key is in no request.
    stranger = people(None).new_page()
    stranger.goto(watching)
    expect(stranger).to_have_url(re.compile("/sign-in"))
    shell.type("exit 5\n").in_phase("ended")
    seen.in_phase("ended")
    expect(seen.box.get_by_text("The program has ended with exit code 5.")).to_be_visible()
    expect(seen.button("Open a new one")).to_have_count(0)
    expect(seen.box.get_by_role("link", name="Replay")).to_have_count(0)
    expect(shell.box.get_by_role("link", name="Replay", exact=True)).to_be_visible()


def test_a_link_leads_through_the_sign_in_and_its_key_is_in_no_request(
    own: BrowserContext, people: People, watch: Watch, shell: Shell, owner: Person
) -> None:
    """Who opens it signed out is where it leads once they have signed in; who is signed out there
    comes back. The key stays in the fragment all the way."""
    watch.allow("status of 401|Unauthorized")
    own.grant_permissions(["clipboard-read", "clipboard-write"])
    address = link(shell, "To watch")
    key = address.split("#")[1]
    name = f"late-{uuid.uuid4().hex[:6]}"
    with owner.account(name) as late:
        page = people(None).new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))

        def sign_in() -> None:
            expect(page).to_have_url(re.compile("/sign-in.*#"))
            page.fill("#username", late.name)
            page.fill("#password", "a password of " + late.name)
            page.keyboard.press("Enter")
            expect(page).to_have_url(address)

        page.goto(address)
        sign_in()
        seen = Shell(page).in_phase("attached")
        expect(seen.box.get_by_text("Watching only")).to_be_visible()
        for login in late.got("/sessions")["sessions"]:
            if not login["current"]:
                late.ask("DELETE", f"/sessions/{login['id']}")
        sign_in()
        Shell(page).in_phase("attached")
        page.goto(address.split("#")[0] + "#%")
        expect(page.get_by_text("There is no such terminal")).to_be_visible()
    assert len(asked) > 4
    assert not [url for url in asked if key in url.split("#")[0]]


def test_the_smallest_window_sets_the_size_and_says_so(
    own: BrowserContext, people: People, shell: Shell, guest: Person, shot: Shot
) -> None:
    """A guest with a small window makes it smaller for all; the owner reads why, and has the room
    back when the guest leaves."""
    own.grant_permissions(["clipboard-read", "clipboard-write"])
    wide = shell.size()
    address = link(shell, "To type as well")
    small = people(guest, viewport={"width": 620, "height": 420})
    page = small.new_page()
    page.goto(address)
    seen = Shell(page).ready()
    wait_until(lambda: shell.size() < wide, 15, "a smaller terminal")
    wait_until(lambda: seen.size() == shell.size(), 15, "one size for both")
    rows, columns = shell.size()
    why = f"{columns}×{rows}, because the window of {guest.name} is smaller"
    expect(shell.box.get_by_text(why)).to_be_visible()
    expect(seen.box.get_by_text("because the window of")).to_have_count(0)
    shot(shell.page, "terminal-smaller")
    shell.page.locator(".term-screen:visible").click()
    shell.run("stty size", f"{rows} {columns}")
    # The owner may say that it is not the smallest that decides.
    shell.button("Share").click()
    choice = shell.page.get_by_label("Whose window decides the size")
    choice.select_option(label="Mine")
    wait_until(lambda: shell.size() == wide and seen.size() == wide, 15, "the owner's room")
    shot(shell.page, "terminal-share")
    choice.select_option(label="The smallest")
    wait_until(lambda: shell.size() == (rows, columns), 15, "the smallest again")
    shell.page.keyboard.press("Escape")
    page.close()
    wait_until(lambda: shell.size() == wide, 30, "the room there was before")
    expect(shell.box.get_by_text("because the window of")).to_have_count(0)

    def told() -> bool:
        # The page knows the size before the engine has told the shell: ask again.
        shell.type("stty size\n")
        return f"{wide[0]} {wide[1]}" in shell.lines()

    wait_until(told, 15, "the shell to have its room back", every=0.5)
    # Who only watches decides nothing: they scroll.
    page = small.new_page()
    page.goto(link(shell, "To watch"))
    seen = Shell(page).in_phase("attached")
    wait_until(lambda: seen.size() == wide, 15, "the owner's size")
    assert shell.size() == wide
    # The page knows the size a frame before it is drawn.
    wait_until(
        lambda: seen.inside("screen.element.scrollWidth > screen.element.clientWidth + 100"),
        *(15, "more columns than it shows"),
    )
