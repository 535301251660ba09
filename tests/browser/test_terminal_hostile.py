"""What a container prints does not freeze a page, reach a clipboard, or run."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.terminal_page import Shell, read
from tests.support import ServerProcess, wait_until
from tests.terminal_support import Person

pytestmark = [pytest.mark.browser, pytest.mark.engine]

People = Callable[..., BrowserContext]
COPIED = "navigator.clipboard.readText()"
MOST = 2_147_483_647


def test_a_huge_count_is_what_fits_on_the_screen(shell: Shell) -> None:
    """For everything that is done so many times; the prompt is back at once, and so is the page
    after a reload, which gets the same again."""
    counts = "".join(rf"\033[{MOST}{final}" for final in "LMSTIZ@PXABCDEFadG")
    counts += rf"x\033[{MOST}b\033[{MOST} @\033[{MOST} A\033[{MOST}\047}}\033[{MOST}\047~"
    shell.run(f"printf \"{counts}\"; clear; echo do''ne", "done")
    shell.run("printf 'ab\\033[3b.\\n'", "abbbb.")
    # Colours and a cursor that blinks draw all anew, each time.
    colours = r"\033]4;1;\043ff0000\007\033]104\007\033[?12h\033[?12l"
    flood = f"for n in $(seq 1500); do printf '{colours}'; done; clear; echo fl''ooded"
    shell.run(flood, "flooded")
    shell.page.reload()
    Shell(shell.page).shows_line("flooded").run("echo $((6*7))", "42")


def test_titles_are_few_and_short(shell: Shell) -> None:
    """Thousands of them, or one of megabytes: the newest is shown a few times a second."""
    page = shell.page
    page.evaluate(
        """() => {
            window.titled = [];
            window.began = performance.now();
            const facts = document.querySelector('.term-facts');
            new MutationObserver(() => window.titled.push(facts.textContent)).observe(facts, {
                subtree: true, childList: true, characterData: true,
            });
        }"""
    )
    shell.run(
        "n=0; while [ $n -lt 4000 ]; do n=$((n+1)); printf '\\033]0;the %d\\007' $n; done; echo do''ne",
        "done",
    )
    wait_until(lambda: "the 4000" in page.inner_text(".term-facts"), what="the newest title")
    seconds = page.evaluate("(performance.now() - window.began) / 1000")
    assert page.evaluate("window.titled.length") < 8 * seconds + 20
    long = "printf '\\033]0;'; head -c 5000000 /dev/zero | tr '\\0' A; printf '\\007'; echo lo''ng"
    shell.run(long, "long")
    wait_until(lambda: "AAAA" in page.inner_text(".term-facts"), what="the long title")
    longest = (
        "Math.max(...[...document.querySelectorAll('[title]')].map((one) => one.title.length))"
    )
    assert page.evaluate(longest) < 1000


def pasted(own: BrowserContext, shell: Shell, text: str) -> None:
    own.grant_permissions(["clipboard-read", "clipboard-write"])
    shell.page.evaluate("text => navigator.clipboard.writeText(text)", text)
    shell.page.keyboard.press("Control+Shift+V")


@pytest.mark.parametrize("brackets", ["h", "l"])
def test_a_paste_does_nothing_but_stand_there(
    own: BrowserContext, shell: Shell, box: Any, brackets: str
) -> None:
    """No ^C in it ends a line so that the rest runs, whether there are brackets or not; the program
    here has the terminal act on such keys, as shells do."""
    shell.type(f"rm -f /tmp/ran; printf '\\033[?2004{brackets}re''ads\\n'; cat > /tmp/pasted\n")
    shell.shows("reads")
    wait_until(lambda: shell.inside("screen.bracketed") == (brackets == "h"))
    pasted(own, shell, "date \x03touch /tmp/ran\n\x1a\x15\x1b\x7f\x9b\tend\n")
    shell.shows("end").type("\n")
    shell.page.keyboard.press("Control+D")
    shell.ready()
    text = "date ␃touch /tmp/ran\n␚␕␛␡\ufffd\tend\n"
    between = f"\x1b[200~{text}\x1b[201~" if brackets == "h" else text
    assert read(box, "/tmp/pasted").decode() == f"{between}\n"
    shell.run("ls /tmp/ran 2>/dev/null; echo none", "none")
    assert "/tmp/ran" not in shell.lines()


def clipboard(page: Page) -> str:
    page.bring_to_front()
    return str(page.evaluate(COPIED))


def test_only_what_is_printed_now_is_copied_and_only_at_the_keyboard(
    own: BrowserContext, people: People, house: ServerProcess, owner: Person, shell: Shell
) -> None:
    """A program may copy for whoever sits before it: not for a watcher, not when its output is
    drawn again, and not what is no text."""
    own.grant_permissions(["clipboard-read", "clipboard-write"])
    page = shell.page
    shell.run("printf '\\033]52;c;b25l\\007'; echo o''ne", "one")
    wait_until(lambda: clipboard(page) == "one", what="what was copied")
    page.evaluate("navigator.clipboard.writeText('mine')")
    page.reload()
    shell = Shell(page).ready()
    assert clipboard(page) == "mine"
    shell.run("printf '\\033]52;c;!\\007\\033]52;c;\\007'; echo t''wo", "two")
    assert clipboard(page) == "mine"
    # Somebody by a link to watch: an account of its own, in a browser of its own.
    key = owner.made(f"/terminals/{shell.id}/links", {"mode": "watch"})["key"]
    with owner.account("copy-watcher") as guest:
        context = people(guest)
        context.add_init_script(
            """window.wrote = [];
            if (navigator.clipboard)
                navigator.clipboard.writeText = async (text) => void window.wrote.push(text);"""
        )
        watching = context.new_page()
        watching.goto(f"{house.url}/terminals/{shell.id}#{key}")
        seen = Shell(watching).in_phase("attached").shows_line("two")
        page.bring_to_front()
        shell.run("printf '\\033]52;c;dGhyZWU=\\007'; echo th''ree", "three")
        wait_until(lambda: clipboard(page) == "three", what="what was copied")
        seen.shows_line("three")
        assert watching.evaluate("window.wrote") == []


def test_finding_in_one_long_line_holds_nothing_up(shell: Shell) -> None:
    """A line of most of a megabyte is looked through beside everything else: what is below and above
    it is found, what everything matches as well, and the page goes on meanwhile."""
    page = shell.page
    shell.run("echo ab''ove", "above")
    shell.run("head -c 300000 /dev/zero | base64 -w0 | tr A x; echo; echo need''le", "needle")
    page.keyboard.press("Control+Shift+F")
    field = shell.box.get_by_role("textbox", name="Find in the terminal")
    count = shell.box.locator(".term-search-count")
    expect(field).to_be_focused()
    # Whatever has its turn while it is looked for: more often than before and after.
    page.evaluate(
        "() => { window.turns = 0; setInterval(() => void (window.turns += 1), 1); }",
    )
    page.keyboard.type("zzz")
    expect(count).to_have_text("Nothing found")
    field.fill("needle")
    expect(count).to_have_text("1 of 1")
    field.fill("above")  # of which there is one as well
    wait_until(
        lambda: shell.inside("screen.terminal.getSelection()") == "above", what="it to be found"
    )
    expect(count).to_have_text("1 of 1")
    shell.button("Regular expression").click()
    before = page.evaluate("window.turns")
    field.fill(".*")
    expect(count).to_have_text(re.compile(r"^(?!1 of 1$)[\d,]+ of [\d,]+$"))
    assert page.evaluate("window.turns") - before > 5
    field.fill("(?=x)")
    expect(count).to_contain_text("This is no regular expression in RE2's syntax")
    page.keyboard.press("Escape")
    shell.run("echo $((6*7))", "42")
