"""A terminal in a real browser, typed into a real shell of a real container."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.terminal_page import Shell, Watch, read
from tests.support import ServerProcess, patient, wait_until
from tests.terminal_support import Person

pytestmark = [pytest.mark.browser, pytest.mark.engine]

Shot = Callable[[Any, str], None]
Containers = Callable[..., Any]
People = Callable[..., BrowserContext]


# --- opening -----------------------------------------------------------------------------------


def test_opened_from_the_list_of_apps_by_mouse(
    tab: Page, house: ServerProcess, owner: Person, box: Any, shot: Shot
) -> None:
    """The button of an app's row leads into a shell of its instance at once; the address names the
    session; the tab says where it is, and the end how it ended."""
    tab.goto(house.url)
    row = tab.locator(f'.app-row[data-app="{box.name}"]')
    row.hover()
    row.get_by_role("link", name=f"Open a terminal in {box.name}").click()
    shell = Shell(tab).ready()
    expect(tab).to_have_url(re.compile(rf"/apps/{box.name}/terminal\?session=[0-9a-f]{{16}}$"))
    assert shell.inside("document.activeElement === screen.terminal.textarea")
    shell.run("echo $((6*7)) 你好", "42 你好")
    expect(tab.get_by_role("tab", name=box.name)).to_be_visible()
    expect(shell.box.get_by_text("Recorded", exact=True)).to_be_visible()
    shot(tab, "terminal-shell")
    shell.type("exit 3\n").in_phase("ended")
    expect(shell.box.get_by_text("The program has ended with exit code 3.")).to_be_visible()
    shot(tab, "terminal-ended")
    assert owner.got(f"/terminals/{shell.id}")["exit_code"] == 3
    shell.button("Open a new one").click()
    Shell(tab).ready().type("exit\n").in_phase("ended")


def test_opened_and_used_wholly_by_keyboard(
    tab: Page, house: ServerProcess, box: Any, shot: Shot
) -> None:
    """From the list of apps into a shell, out of it, to its tab, and closed: no mouse at all."""
    tab.goto(house.url)
    expect(tab.locator("#connection")).to_have_attribute("data-state", "live")
    tab.keyboard.press("/")
    tab.keyboard.type(box.name)
    tab.keyboard.press("Enter")
    expect(tab).to_have_url(re.compile(f"/apps/{box.name}"))
    expect(tab.locator("#app-name")).to_have_text(box.name)
    expect(tab.locator("#connection")).to_have_attribute("data-state", "live")
    tab.keyboard.press("g")
    tab.keyboard.press("t")
    expect(tab).to_have_url(re.compile(f"/apps/{box.name}/terminal"))
    expect(tab.get_by_role("button", name="Open", exact=True)).to_be_focused()
    tab.keyboard.press("Enter")
    shell = Shell(tab).ready().run("echo $((6*7))", "42")
    # Tab and Escape belong to the shell, as does what is a key of the page elsewhere.
    shell.type("ls /e\t").shows("/etc/").type("\n")
    shell.run("echo '?gl'$((1+1))", "?gl2")
    tab.keyboard.press("Control+F6")
    expect(tab.get_by_role("tab", selected=True)).to_be_focused()
    tab.keyboard.press("?")
    expect(tab.get_by_role("dialog")).to_contain_text("Out of the terminal")
    shot(tab, "terminal-keys")
    tab.keyboard.press("Escape")
    tab.keyboard.press("i")
    shell.run("echo $((6*8))", "48")
    tab.keyboard.press("Control+Shift+Escape")
    expect(tab.get_by_role("tab", selected=True)).to_be_focused()
    tab.keyboard.press("n")
    expect(tab.get_by_role("button", name="Open", exact=True)).to_be_focused()
    tab.keyboard.press("Enter")
    second = Shell(tab).ready().run("echo second $((1+1))", "second 2")
    tab.keyboard.press("Control+Shift+ArrowLeft")
    second.shows_line("48").run("echo back $((1+1))", "back 2")
    for _ in range(2):
        Shell(tab).ready()
        tab.keyboard.press("Control+F6")
        tab.keyboard.press("Delete")
    expect(tab.get_by_role("tab")).to_have_count(0)
    expect(tab.get_by_role("button", name="Open", exact=True)).to_be_focused()


def test_command_user_and_folder_are_chosen(
    tab: Page, house: ServerProcess, box: Any, watch: Watch
) -> None:
    """The tab of the app opens the form by mouse; what was asked for runs as who and where; a
    command that is not there, and quotes that are open, are said."""
    tab.goto(f"{house.url}/apps/{box.name}")
    tab.get_by_role("link", name="Terminal", exact=True).click()
    tab.get_by_text("Command, user, folder, toolbox").click()
    command = tab.get_by_label("Command", exact=True)
    command.fill("sh -c 'id -u; pwd; read it")
    watch.allow("status of 400")
    tab.get_by_role("button", name="Open", exact=True).click()
    expect(tab.locator("#terminal-open").get_by_role("alert")).to_contain_text("quotes")
    command.fill("sh -c 'id -u; pwd; read it; exit 7'")
    tab.get_by_label("User", exact=True).fill("1234")
    tab.get_by_label("Folder", exact=True).fill("/etc")
    tab.get_by_role("button", name="Open", exact=True).click()
    shell = Shell(tab).shows_line("1234").shows_line("/etc")
    shell.type("\n").in_phase("ended")
    expect(shell.box.get_by_text("exit code 7")).to_be_visible()
    tab.get_by_role("button", name="A new terminal").click()
    command.fill("/no/such/program")
    tab.get_by_role("button", name="Open", exact=True).click()
    shell = Shell(tab).in_phase("ended")
    expect(shell.box.get_by_text("Nothing could be started in this container.")).to_be_visible()
    expect(shell.box.locator(".term-end-fact")).to_contain_text("/no/such/program")


# --- programs, sizes, and what is typed --------------------------------------------------------


def test_a_file_is_written_with_vi(shell: Shell, box: Any, shot: Shot) -> None:
    """vi fills the screen, takes insert mode, arrows and Escape, saves, and gives the screen back."""
    shell.run("echo before $((1+1))", "before 2").type("vi /tmp/note\n").shows("~\n~")
    shell.type("ifirst 中文\nthird\n")
    shell.shows("third")
    shell.page.keyboard.press("ArrowUp")
    shell.page.keyboard.press("ArrowUp")
    shell.page.keyboard.press("End")
    shell.type("\nsecond")
    shell.shows_line_that(r"I /tmp/note .*")
    shell.page.keyboard.press("Escape")
    # What follows Escape within 50 ms is one key with it to vi, and dropped: its mode says it came.
    shell.shows_line_that(r"- /tmp/note .*")
    shot(shell.page, "terminal-vi")
    shell.type(":wq\n").ready()
    assert read(box, "/tmp/note").decode() == "first 中文\nsecond\nthird\n\n"
    shell.run("cat /tmp/note | wc -l", "4")


def test_top_refreshes_and_leaves(shell: Shell) -> None:
    """A program that draws the whole screen again and again, and a key that ends it."""
    shell.type("top -d 1\n").shows("Load average:")
    first = shell.text()
    wait_until(lambda: "Mem:" in shell.text() and shell.text() != first, 15, "top to draw again")
    shell.type("q").ready().run("echo $((20+3))", "23")


def test_a_resized_window_reaches_the_shell(shell: Shell) -> None:
    """The shell's rows and columns are the screen's, whatever is done to the window, the sidebar
    and the letters."""
    page = shell.page

    def same() -> tuple[int, int]:
        rows, columns = shell.size()
        shell.type("clear; stty size\n")
        wait_until(
            lambda: f"{rows} {columns}" in shell.lines(),
            15,
            f"{rows} {columns} from stty; it has {shell.tail()}",
        )
        return rows, columns

    wide = same()
    page.set_viewport_size({"width": 900, "height": 500})
    wait_until(lambda: shell.size() < wide, what="a smaller screen")
    narrow = same()
    assert narrow[0] < wide[0]
    assert narrow[1] < wide[1]
    page.set_viewport_size({"width": 1440, "height": 900})
    wait_until(lambda: shell.size() == wide, what="the size there was before")
    same()
    shell.button("More").click()
    for _ in range(4):
        page.get_by_role("button", name="Larger letters").click()
    page.keyboard.press("Escape")
    wait_until(lambda: shell.size() < wide, what="fewer and larger letters")
    assert shell.inside("screen.fontSize") == 18
    page.locator(".term-screen:visible").click()
    larger = same()
    page.reload()
    shell.ready()
    assert shell.inside("screen.fontSize") == 18, "it is remembered"
    wait_until(lambda: shell.size() == larger, what="the same size after a reload")


CLIP = "你好，世界 🦊👩‍👩‍👧‍👦\nzweite Zeile é\n"


def test_pasted_and_copied_by_keyboard(
    own: BrowserContext, shell: Shell, box: Any, shot: Shot
) -> None:
    """Chinese text and emoji arrive whole, between brackets where the program asks for them; what
    is selected is copied, and Ctrl+C without Shift interrupts."""
    own.grant_permissions(["clipboard-read", "clipboard-write"])
    page = shell.page
    page.evaluate("text => navigator.clipboard.writeText(text)", CLIP)
    shell.type("printf '\\033[?2004h'; cat > /tmp/pasted\n")
    wait_until(lambda: shell.inside("screen.bracketed"), what="a program that asks for brackets")
    page.keyboard.press("Control+Shift+V")
    shell.shows("zweite")
    shell.type("\n")
    page.keyboard.press("Control+D")
    shell.ready()
    expected = f"\x1b[200~{CLIP}\x1b[201~\n"
    assert read(box, "/tmp/pasted").decode() == expected
    shell.type("printf '\\033[?2004l'; cat > /tmp/plain\n")
    wait_until(lambda: not shell.inside("screen.bracketed"), what="no brackets any more")
    page.keyboard.press("Shift+Insert")
    wait_until(lambda: shell.text().count("zweite") == 2, what="the second paste")
    page.keyboard.press("Control+D")
    shell.ready()
    assert read(box, "/tmp/plain").decode() == CLIP
    shell.run("clear; echo copied 中 $((1+1))", "copied 中 2")
    at = page.locator(".xterm-screen:visible").bounding_box()
    assert at
    page.mouse.move(at["x"] + 1, at["y"] + 5)
    page.mouse.down()
    page.mouse.move(at["x"] + 160, at["y"] + 5, steps=4)
    page.mouse.up()
    page.keyboard.press("Control+Shift+C")
    copied = "navigator.clipboard.readText()"
    wait_until(lambda: "copied 中 2" in page.evaluate(copied), what="it in the clipboard")
    size = shell.size()
    shell.entry("Copy everything")
    expect(shell.banner("copied")).to_have_text("Copied")
    assert page.evaluate(copied).count("copied 中 2") == 1
    assert shell.size() == size, "a word in passing is no reason for a new size"
    shot(page, "terminal-copied")
    shell.type("sleep 1000\n").shows("sleep 1000")
    page.keyboard.press("Control+C")
    shell.shows("^C").ready().run("echo $((20+4))", "24")


def test_chinese_input(shell: Shell, box: Any) -> None:
    """What an input method composes goes to the shell once it is chosen, and only then."""
    page = shell.page
    devtools = page.context.new_cdp_session(page)
    shell.type("cat > /tmp/composed\n")
    shell.shows("cat > /tmp/composed")
    for state in ("n", "ni", "ni h", "ni hao"):
        length = len(state)
        devtools.send(
            "Input.imeSetComposition",
            {"text": state, "selectionStart": length, "selectionEnd": length},
        )
    expect(page.locator(".composition-view.active:visible")).to_have_text("ni hao")
    devtools.send("Input.insertText", {"text": "你好"})
    shell.shows_line("你好")
    shell.type("!\n").shows_line("你好!")
    page.keyboard.press("Control+D")
    shell.ready()
    assert read(box, "/tmp/composed").decode() == "你好!\n"


def test_a_large_paste_arrives_whole(own: BrowserContext, shell: Shell, box: Any) -> None:
    """A megabyte and a half of lines, faster than any program reads: none is lost or out of order,
    and it can be stopped on its way."""
    own.grant_permissions(["clipboard-read", "clipboard-write"])
    page = shell.page
    text = "".join(f"第 {n} 行 🦊 {'x' * (n % 90)}\n" for n in range(22_000))
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    shell.run("stty -echo; echo quiet $((1+1))", "quiet 2").type("cat > /tmp/large\n")
    page.keyboard.press("Control+Shift+V")
    expect(shell.banner("paste")).to_have_count(0, timeout=patient(60) * 1000)
    page.keyboard.press("Control+D")
    wait_until(lambda: len(read(box, "/tmp/large")) >= len(text.encode()), 60, "all of it")
    assert read(box, "/tmp/large").decode() == text
    shell.type("stty echo; echo loud $((1+1))\n").shows("loud 2")
    # Nobody reads now, so it cannot all be taken: Escape ends what has not gone.
    shell.type("stty -icanon -echo; sleep 1000\n").shows("sleep 1000")
    for _ in range(3):
        page.keyboard.press("Control+Shift+V")
    expect(shell.banner("paste")).to_be_visible()
    shell.button("Stop").click()
    expect(shell.banner("paste")).to_have_count(0)
    assert shell.phase == "attached"


def test_a_flood_is_stopped_by_a_key(shell: Shell) -> None:
    """What prints without end is drawn, obeys Ctrl+C, and a long output is there to its last line."""
    shell.type("while :; do seq 100000 999999; done\n")
    wait_until(lambda: re.search(r"\n1\d{5}\n", shell.text()), 20, "the flood")
    shell.page.keyboard.press("Control+C")
    shell.ready().run("echo dry $((1+1))", "dry 2")
    shell.run("seq 1 60000; echo tail $((1+1))", "tail 2")
    numbers = [line for line in shell.lines() if line.isdigit()]
    assert numbers[-5_000:] == [str(n) for n in range(55_001, 60_001)]


# --- several of them ---------------------------------------------------------------------------


def test_tabs_titles_bells_and_what_runs_when_one_is_closed(
    shell: Shell, owner: Person, box: Any
) -> None:
    """A program's title is shown as the text it is, a bell marks a tab that is not looked at;
    closing one in which something runs asks, and what was left running is come back to."""
    page = shell.page
    title = "<img src=x onerror=alert(1)> 标题"
    shell.type(f"printf '\\033]2;{title}\\007'\n")
    expect(shell.box.locator(".term-facts")).to_contain_text(title)
    first = shell.id
    shell.type("sleep 1; printf '\\a'; sleep 1000\n").shows("sleep 1000")
    page.get_by_role("button", name="A new terminal").click()
    page.get_by_role("button", name="Open", exact=True).click()
    second = Shell(page).ready()
    assert second.id != first
    expect(page.get_by_role("tab")).to_have_text([box.name, f"{box.name} (2)"])
    expect(page.locator('.term-tab-box[data-marked="yes"]')).to_have_count(1)
    page.get_by_role("tab").first.click()
    expect(page.locator('.term-tab-box[data-marked="yes"]')).to_have_count(0)
    page.reload()
    expect(page.get_by_role("tab")).to_have_count(2)
    Shell(page).shows("sleep 1000")
    assert Shell(page).id == first
    close = page.get_by_role("button", name=f"Close {box.name}", exact=True)
    close.click()
    expect(page.get_by_role("dialog")).to_contain_text("Something seems to run")
    page.keyboard.press("Escape")
    expect(page.get_by_role("tab")).to_have_count(2)
    close.click()
    page.get_by_role("button", name="Leave it running").click()
    expect(page.get_by_role("tab")).to_have_count(1)
    page.get_by_role("button", name="A new terminal").click()
    page.get_by_role("button", name="Come back to it").click()
    again = Shell(page).shows("sleep 1000")
    assert again.id == first
    again.button("End").click()
    page.get_by_role("button", name="End it").click()
    again.in_phase("ended")
    assert owner.got(f"/terminals/{first}")["reason"] == "closed"
