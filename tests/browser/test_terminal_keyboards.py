"""What a keyboard, a finger or a program at its start asks of a terminal, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser import axe
from tests.browser.terminal_page import Shell, open_terminal, read
from tests.support import ServerProcess, wait_until
from tests.terminal_support import Person

pytestmark = [pytest.mark.browser, pytest.mark.engine]

People = Callable[..., BrowserContext]
MAC = "Object.defineProperty(navigator, 'platform', {get: () => 'MacIntel'})"
OPENED = "window.opened = []; window.open = (address) => void window.opened.push(address)"
PRESS = """(press) => {
    const field = document.querySelector('.term:not([hidden]) .xterm-helper-textarea');
    const event = new KeyboardEvent('keydown', {bubbles: true, cancelable: true, ...press});
    if (press.altGraph) event.getModifierState = (name) => name === 'AltGraph';
    field.dispatchEvent(event);
}"""


def press(shell: Shell, **what: Any) -> None:
    shell.page.evaluate(PRESS, what)


def test_what_a_program_asks_at_its_start_is_answered_once(
    tab: Page, house: ServerProcess, box: Any
) -> None:
    """By the page that has opened it, before anybody has typed."""
    command = r"stty raw -echo; printf '\033[5n'; dd bs=1 count=4 2>/dev/null | od -c; sleep 1000"
    tab.goto(f"{house.url}/apps/{box.name}/terminal")
    tab.locator(".term-more summary").click()
    tab.get_by_label("Command").fill(f'sh -c "{command}"')
    tab.get_by_role("button", name="Open", exact=True).click()
    shell = Shell(tab).in_phase("attached")
    shell.shows_line_that(r"0000000 033 +\[ +0 +n")
    tab.reload()
    shell = Shell(tab).in_phase("attached").shows_line_that(r"0000000 033 +\[ +0 +n")
    assert shell.text().count("0000000") == 1


def test_shortcuts_go_by_what_a_key_writes(shell: Shell) -> None:
    """Not by where it is; with Alt or AltGr held it is the terminal's."""
    field = shell.box.get_by_role("textbox", name="Find in the terminal")
    held: dict[str, Any] = {"ctrlKey": True, "shiftKey": True}
    for other in (
        {"key": "U", "code": "KeyF"},
        {"key": "F", "code": "KeyF", "altKey": True},
        {"key": "F", "code": "KeyF", "altGraph": True},
    ):
        press(shell, **held, **other)
        expect(field).to_be_hidden()
    press(shell, **held, key="F", code="KeyY")
    expect(field).to_be_focused()
    shell.page.keyboard.press("Escape")
    press(shell, **held, key="А", code="KeyF")
    expect(field).to_be_focused()


@pytest.fixture
def mac(people: People, owner: Person, house: ServerProcess, box: Any) -> Shell:
    context = people(owner)
    context.add_init_script(MAC)
    return open_terminal(context.new_page(), house.url, box.name)


def test_option_writes_letters_on_a_mac_and_selects(mac: Shell) -> None:
    """Many layouts have brackets, pipes and at signs there; who wants it to be Meta says so. Where a
    program has the mouse, Option and a drag select all the same."""
    page = mac.page
    mac.type("cat -v\n")
    mac.shows("cat -v")
    at = {"key": "[", "code": "Digit5", "keyCode": 53, "altKey": True}
    # As a browser does: what the key press does not take becomes a character.
    typed = """(press) => {
        const field = document.querySelector('.xterm-helper-textarea');
        const all = {bubbles: true, cancelable: true, ...press};
        if (!field.dispatchEvent(new KeyboardEvent('keydown', all))) return false;
        field.dispatchEvent(new KeyboardEvent('keypress', {...all, charCode: 91, keyCode: 91}));
        return true;
    }"""
    assert page.evaluate(typed, at)
    mac.type("\n").shows_line("[")
    mac.button("More").click()
    mac.box.get_by_label("Option is the Meta key").check()
    page.keyboard.press("Escape")
    assert not page.evaluate(typed, at)
    mac.inside("screen.focus()")
    mac.type("\n").shows_line("^[5")
    page.keyboard.press("Control+C")
    mac.ready().run("printf '\\033[?1002h\\033[?1006h'; echo sel''ect", "select")
    screen = mac.box.locator(".xterm-screen").bounding_box()
    assert screen
    y = screen["y"] + screen["height"] / mac.size()[0] * 2.5
    page.keyboard.down("Alt")
    page.mouse.move(screen["x"] + 2, y)
    page.mouse.down()
    page.mouse.move(screen["x"] + 120, y, steps=4)
    page.mouse.up()
    page.keyboard.up("Alt")
    assert mac.inside("screen.terminal.getSelection()")


def test_a_word_that_a_keyboard_corrects_arrives_once(shell: Shell, box: Any) -> None:
    """Keyboards of phones select what they wrote before, and write over it."""
    page = shell.page
    devtools = page.context.new_cdp_session(page)
    select = (
        "(range) => document.querySelector('.xterm-helper-textarea').setSelectionRange(...range)"
    )
    shell.type("cat > /tmp/corrected\n").shows("cat > /tmp/corrected")
    devtools.send("Input.insertText", {"text": "ls -l here"})
    shell.shows_line("ls -l here")
    page.evaluate(select, [3, 5])
    devtools.send("Input.insertText", {"text": "-la"})
    shell.shows_line("ls -la here")
    shell.type("!\n").shows_line("ls -la here!")
    page.keyboard.press("Control+D")
    shell.ready()
    assert read(box, "/tmp/corrected").decode() == "ls -la here!\n"


LOCKS = """window.locked = [];
if (navigator.keyboard) navigator.keyboard.lock = async (keys) => void window.locked.push(keys.join(' '));"""


def test_full_screen_has_the_keys_of_the_browser(
    own: BrowserContext, house: ServerProcess, box: Any
) -> None:
    """With which it closes and opens tabs, and Escape; who wants them back says so."""
    own.add_init_script(LOCKS)
    shell = open_terminal(own.new_page(), house.url, box.name)
    page = shell.page
    shell.entry("Full screen")
    wait_until(lambda: page.evaluate("window.locked"), what="the keys to be taken")
    assert page.evaluate("window.locked") == ["Escape KeyW KeyT KeyN"]
    shell.button("More").click()
    shell.box.get_by_label("In full screen, Ctrl+W, T and N are the terminal's").uncheck()
    wait_until(lambda: len(page.evaluate("window.locked")) == 2, what="them to be given back")
    assert page.evaluate("window.locked")[1] == "Escape"
    page.reload()
    Shell(page).ready().button("More").click()
    assert not page.get_by_label("In full screen", exact=False).first.is_checked()


def test_a_finger_is_asked_before_a_link_whose_text_may_lie(
    people: People, owner: Person, house: ServerProcess, box: Any
) -> None:
    """Whose page it is stands there before it is opened; an address that says so itself is opened."""
    context = people(owner, has_touch=True, is_mobile=True, viewport={"width": 800, "height": 700})
    context.add_init_script(OPENED)
    page = context.new_page()
    shell = open_terminal(page, house.url, box.name)
    lies = r"\033]8;;https://bank.example@other.example/\033\\https://bank.example/\033]8;;\033\\"
    shell.run(f"clear; printf '{lies}\\nhttps://plain.example/a\\n'; echo do''ne", "done")
    rows = shell.inside(
        "screen.element.querySelector('.xterm-screen').getBoundingClientRect().toJSON()"
    )
    height = rows["height"] / shell.size()[0]

    def tap(row: int) -> None:
        page.touchscreen.tap(rows["x"] + 60, rows["y"] + height * (row + 0.5))

    tap(0)
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text("Open a page of other.example?")
    expect(asked).to_contain_text("https://bank.example@other.example/")
    assert page.evaluate("window.opened") == []
    expect(asked.locator(":focus")).to_have_count(1)
    assert axe.found(page, "the question before a link", "dialog[open]") == []
    asked.get_by_role("button", name="Open it").click()
    wait_until(lambda: len(page.evaluate("window.opened")) == 1, what="it to be opened")
    tap(1)
    wait_until(
        lambda: page.evaluate("window.opened")[1:] == ["https://plain.example/a"],
        what="the plain one to be opened",
    )
