"""The page of terminals and the replay, in a real browser: lists, ends, playing, searching."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.support import ServerProcess, wait_until
from tests.terminal_support import Person, known

pytestmark = [pytest.mark.browser, pytest.mark.engine]

SignIn = Callable[[Any, ServerProcess], None]
Shot = Callable[[Any, str], None]
Contexts = Callable[..., BrowserContext]
Containers = Callable[..., Any]


@pytest.fixture
def admin(server: ServerProcess) -> Iterator[Person]:
    with Person(server) as person:
        yield person


@pytest.fixture
def box(server: ServerProcess, container: Containers) -> Any:
    one = container(name="terminals-box")
    known(server, "terminals-box")
    return one


def newest(page: Page) -> Locator:
    """The row of the terminal that was opened last, of all there were."""
    return page.locator(".terminals-past tbody tr").first


def open_page(page: Page, server: ServerProcess, path: str) -> None:
    page.goto(server.url + path)
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")


@pytest.mark.own_server  # it looks at the lists of all terminals there were
def test_terminals_show_as_they_open_and_end(
    page: Page, server: ServerProcess, sign_in: SignIn, admin: Person, box: Any, shot: Shot
) -> None:
    """An empty page says what would be there; a terminal shows by itself, with who is there; it
    can be ended, and is then in the list below with how it ended."""
    sign_in(page, server)
    open_page(page, server, "/terminals")
    expect(page.get_by_text("No terminal is open.")).to_be_visible()
    expect(page.get_by_text("No terminal was opened yet.")).to_be_visible()
    shot(page, "terminals-empty")
    one = admin.terminal("terminals-box")
    row = page.locator(".terminals-row")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("terminals-box")
    expect(row).to_contain_text("admin")
    expect(page.locator(".terminals-past tbody tr")).to_contain_text("open")
    one.close()
    expect(row).to_contain_text("nobody looks")
    shot(page, "terminals-open")
    row.get_by_role("button", name="End the terminal").click()
    row.get_by_role("button", name="End the terminal").click()
    expect(row).to_have_count(0)
    past = page.locator(".terminals-past tbody tr")
    expect(past).to_contain_text("Closed by its owner")
    expect(past).to_contain_text("127.0.0.1")
    shot(page, "terminals-past")


def screen_text(page: Page) -> str:
    """What is on the screen of the replay."""
    return str(page.evaluate("document.getElementById('replay-screen')?.screen?.text() ?? ''"))


def printed(page: Page, text: str) -> None:
    wait_until(lambda: text in screen_text(page), 15, f"{text!r} on the screen")


SCRIPT = r"""
echo first words; sleep 1; printf 'progress 10%%\rprogress 90%%\n'; sleep 1;
printf '\033[31mred needle\033[0m \344\270\255\346\226\207 \360\237\246\212\n'; sleep 1.5;
i=0; while [ $i -lt 30 ]; do echo line $i; i=$((i+1)); done; echo last needle; exit 3
"""


def test_a_terminal_is_replayed(
    page: Page, server: ServerProcess, sign_in: SignIn, admin: Person, box: Any, shot: Shot
) -> None:
    """Its recording plays, is sought in and searched, and a link leads to a moment of it."""
    one = admin.terminal("terminals-box", ["sh", "-c", SCRIPT], columns=100, rows=12)
    one.wait_op("ended", 30)
    one.close()
    sign_in(page, server)
    open_page(page, server, "/terminals")
    past = newest(page)
    expect(past).to_contain_text("exit code 3")
    past.get_by_role("link", name="Replay").click()
    expect(page.locator("#replay-title")).to_have_text("terminals-box")
    printed(page, "red needle 中文")
    shot(page, "replay-playing")
    page.keyboard.press("End")
    printed(page, "last needle")
    assert page.evaluate("document.getElementById('replay-screen').screen.terminal.rows") == 12
    page.keyboard.press("Home")
    wait_until(lambda: "first" not in screen_text(page), what="an empty screen")
    page.keyboard.press("Control+f")
    page.keyboard.type("needle")
    expect(page.locator(".replay-hit")).to_have_count(2)
    page.keyboard.press("Enter")
    expect(page.locator("#replay-found")).to_have_text("1 of 2")
    printed(page, "red needle")
    page.keyboard.press("Enter")
    printed(page, "last needle")
    shot(page, "replay-found")
    moment = page.evaluate("location.hash")
    assert moment.startswith("#t=")
    page.reload()
    expect(page.locator("#replay-query")).to_have_value("needle")
    expect(page.locator(".replay-hit")).to_have_count(2)
    printed(page, "last needle")
    page.go_back()
    wait_until(lambda: "last needle" not in screen_text(page), what="the moment before")
    page.keyboard.press("Escape")
    expect(page.locator("#replay-find")).to_be_hidden()
    page.go_back()
    expect(page.locator("#replay-find")).to_be_visible()
    page.keyboard.press("Escape")
    page.goto(page.url.split("#")[0] + "#t=1.5")
    printed(page, "progress 90%")
    page.reload()
    printed(page, "progress 90%")
    assert "needle" not in screen_text(page)
    expect(page.locator("#replay-clock")).to_have_text("0:01")
    page.keyboard.press(">")
    expect(page.locator("#replay-speed")).to_have_value("2")
    page.keyboard.press("Space")
    printed(page, "last needle")


def test_what_was_found_in_a_long_line_is_in_sight(
    page: Page, server: ServerProcess, sign_in: SignIn, admin: Person, box: Any, shot: Shot
) -> None:
    """However far into it; what is recorded is what was shown, also of what was typed, as is said."""
    one = admin.terminal("terminals-box", columns=200)
    one.run("printf '%0150d' 0; echo nee''dle")
    one.type("exit\n")
    one.wait_op("ended", 30)
    one.close()
    sign_in(page, server)
    open_page(page, server, "/terminals")
    expect(page.get_by_text("What is shown is recorded, also of what is typed")).to_be_visible()
    page.set_viewport_size({"width": 700, "height": 700})
    open_page(page, server, f"/terminals/{one.session}/replay")
    expect(page.locator("#replay-title")).to_have_text("terminals-box")
    page.keyboard.press("Control+f")
    page.keyboard.type("needle")
    expect(page.locator(".replay-hit mark")).to_have_text("needle")
    sees = """() => {
        const mark = document.querySelector('.replay-hit mark').getBoundingClientRect();
        const list = document.querySelector('#replay-hits').getBoundingClientRect();
        return mark.left >= list.left && mark.right <= list.right && mark.width > 10;
    }"""
    assert page.evaluate(sees)
    shot(page, "replay-found-in-a-long-line")
    page.locator("#replay-query").fill("printf")
    expect(page.locator(".replay-hit mark").first).to_have_text("printf")


def test_a_recording_puts_nothing_into_the_clipboard(
    page: Page, server: ServerProcess, sign_in: SignIn, admin: Person, box: Any
) -> None:
    """A program may copy for whoever sits before it (OSC 52), not for who looks at it later."""
    copies = "printf '\\033]52;c;c3RvbGVu\\007'; echo all; sleep 1; echo printed"
    one = admin.terminal("terminals-box", ["sh", "-c", copies])
    one.wait_op("ended", 30)
    one.close()
    sign_in(page, server)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_page(page, server, f"/terminals/{one.session}/replay")
    expect(page.locator("#replay-title")).to_have_text("terminals-box")
    page.evaluate("navigator.clipboard.writeText('mine')")
    page.keyboard.press("End")
    printed(page, "printed")
    assert page.evaluate("navigator.clipboard.readText()") == "mine"


def panel_text(page: Page) -> str:
    """What is on the screen of the panel's terminal."""
    screen = "document.querySelector('#log-panel .term-screen')?.screen?.text() ?? ''"
    return str(page.evaluate(screen))


def test_a_terminal_beside_the_log(
    page: Page, server: ServerProcess, sign_in: SignIn, container: Containers, shot: Shot
) -> None:
    """A key opens a shell under the log, which goes on following; closing the panel leaves the
    shell running, opening it again comes back to it; it can stand beside the log as well."""
    container(
        "i=0; while :; do i=$((i+1)); echo tick $i; usleep 300000; done", name="terminals-log"
    )
    known(server, "terminals-log")
    sign_in(page, server)
    open_page(page, server, "/apps/terminals-log/logs")
    expect(page.locator("#log-slice")).to_contain_text("tick")
    page.keyboard.press("`")
    wait_until(lambda: "#" in panel_text(page), 15, "a prompt")
    page.keyboard.type("export MARK=here; echo $((40+2))\n")
    wait_until(lambda: "42" in panel_text(page), 15, "the shell's answer")
    before = page.locator("#log-slice").inner_text()
    wait_until(lambda: page.locator("#log-slice").inner_text() != before, 10, "the log to go on")
    shot(page, "log-panel-below")
    page.keyboard.press("Control+F6")
    expect(page.locator("#log-scroller")).to_be_focused()
    page.get_by_role("button", name="Close the panel").click()
    expect(page.locator("#log-panel")).to_be_hidden()
    page.keyboard.press("`")
    wait_until(lambda: "42" in panel_text(page), 15, "what was there before")
    page.keyboard.type("echo still $MARK\n")
    wait_until(lambda: "still here" in panel_text(page), 15, "the same shell")
    page.get_by_role("button", name="Beside the log", exact=True).click()
    expect(page.locator("#log-split")).to_have_attribute("data-side", "beside")
    shot(page, "log-panel-beside")
    page.reload()
    wait_until(lambda: "still here" in panel_text(page), 15, "the same shell after a reload")
    expect(page.locator("#log-split")).to_have_attribute("data-side", "beside")


def open_terminal(page: Page, server: ServerProcess, name: str) -> None:
    """A shell in the container of this name, on the page of its app."""
    container = server.get(f"/api/v1/apps/{name}")["instances"][0]["id"]
    open_page(page, server, f"/apps/{name}/terminal?container={container}")
    wait_until(lambda: "#" in terminal_text(page), 15, "a prompt")


def terminal_text(page: Page) -> str:
    """What is on the screen of the terminal that is looked at."""
    found = "[...document.querySelectorAll('.term-screen')].find((e) => e.clientHeight)"
    return str(page.evaluate(f"{found}?.screen?.text() ?? ''"))


DROP = """([name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name));
  const on = document.querySelector(".term");
  for (const kind of ["dragenter", "dragover", "drop"])
    on.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


def test_files_go_into_the_container_and_come_out(
    page: Page,
    new_server: Callable[..., ServerProcess],
    sign_in: SignIn,
    container: Containers,
    tmp_path: Path,
    shot: Shot,
) -> None:
    """What is dropped lands in the folder the shell is in; a file is chosen from the menu; one
    that is too large is refused in words; a path is taken out."""
    server = new_server({"CLOUDBANG_TERMINAL_FILE_MAX_BYTES": "3000000"})
    container(name="terminals-files")
    known(server, "terminals-files")
    sign_in(page, server)
    open_terminal(page, server, "terminals-files")
    page.keyboard.type("mkdir -p /opt/here && cd /opt/here && echo ready$((1+1))\n")
    wait_until(lambda: "ready2" in terminal_text(page), 10, "the folder")
    page.evaluate(DROP, ["dropped 文件.txt", "hello from outside\n"])
    folder = page.locator("#put-folder")
    expect(folder).to_have_value("/opt/here")
    shot(page, "files-dialog")
    page.keyboard.press("Enter")
    expect(page.locator(".files-list")).to_contain_text("is at /opt/here/dropped 文件.txt")
    page.get_by_role("button", name="Done").click()
    expect(page.locator(".dialog")).to_have_count(0)
    page.keyboard.type("cat dropped*; wc -c < dropped*\n")
    wait_until(lambda: "hello from outside" in terminal_text(page), 10, "what was dropped")

    large = tmp_path / "large.bin"
    large.write_bytes(os.urandom(2_560_000))  # what no compression makes smaller
    page.get_by_role("button", name="More").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Put a file in").click()
    too_large = tmp_path / "too large.bin"
    too_large.write_bytes(bytes(4_000_000))
    chooser.value.set_files([large, too_large])
    page.get_by_role("button", name="Put in", exact=True).click()
    expect(page.locator(".files-list")).to_contain_text("is at /opt/here/large.bin")
    expect(page.locator(".files-error")).to_contain_text("at most 3 MB")
    shot(page, "files-too-large")
    page.get_by_role("button", name="Close").last.click()

    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Take a file out").click()
    expect(page.locator("#take-path")).to_have_value("/opt/here/")
    page.keyboard.type("large.bin")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "large.bin"
    assert Path(download.value.path()).read_bytes() == large.read_bytes()
    expect(page.locator(".files-status")).to_contain_text("Saved large.bin")
    page.fill("#take-path", " ")
    page.keyboard.press("Enter")
    expect(page.locator(".files-error")).to_have_text("This has to be filled in.")
    page.fill("#take-path", "/nothing")
    page.keyboard.press("Enter")
    expect(page.locator(".files-error")).to_contain_text("there is nothing here")
    shot(page, "files-take")


@pytest.mark.own_server  # it goes through them all
def test_terminals_by_keyboard_and_in_the_palette(
    page: Page, server: ServerProcess, sign_in: SignIn, admin: Person, box: Any
) -> None:
    """g e leads to the page, j and k go through its rows; Ctrl+K opens a terminal in an
    instance by a few letters of its name."""
    admin.terminal("terminals-box", ["sh", "-c", "echo one"]).wait_op("ended", 30)
    admin.terminal("terminals-box").close()
    sign_in(page, server)
    open_page(page, server, "/")
    page.keyboard.press("g")
    page.keyboard.press("e")
    expect(page).to_have_url(f"{server.url}/terminals")
    expect(page.locator("[data-row]")).to_have_count(3)
    for _ in range(2):
        page.keyboard.press("j")
    expect(page.locator(".terminals-past tbody tr").first.locator("a").first).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator(".terminals-row a").first).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.type("terminal in terminals-box")
    expect(page.locator("#palette-list li").first).to_contain_text("Terminal in terminals-box")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/apps/terminals-box/terminal"))
    wait_until(lambda: "#" in terminal_text(page), 15, "a prompt")


def test_a_viewer_sees_their_own_terminals_only(
    page: Page, server: ServerProcess, admin: Person, box: Any
) -> None:
    """Somebody who may only look has the page, no terminal of others, and no way to open one."""
    admin.terminal("terminals-box").close()
    with admin.account("vera") as vera:
        page.context.add_cookies(
            [
                {"name": name, "value": value, "url": server.url}
                for name, value in vera.client.cookies.items()
            ]
        )
        open_page(page, server, "/terminals")
        expect(page.get_by_text("No terminal is open.")).to_be_visible()
        expect(page.get_by_text("No terminal was opened yet.")).to_be_visible()
        expect(page.locator("#terminals-person")).to_have_count(0)
        open_page(page, server, "/apps/terminals-box/logs")
        expect(page.locator("#log-terminal")).to_have_count(0)
        page.keyboard.press("`")
        expect(page.locator("#log-panel")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_of_terminals_on_a_phone_in_chinese(
    new_context: Contexts,
    server: ServerProcess,
    sign_in: SignIn,
    admin: Person,
    box: Any,
    shot: Shot,
    theme: str,
) -> None:
    """At 360 px nothing sticks out, in either theme."""
    one = admin.terminal("terminals-box", ["sh", "-c", "echo 中文; sleep 1; exit 2"])
    one.wait_op("ended", 30)
    context = new_context(viewport={"width": 360, "height": 740}, locale="zh-CN")
    context.add_cookies([{"name": "theme", "value": theme, "url": server.url}])
    sign_in(context, server)
    page = context.new_page()
    fits = "document.documentElement.scrollWidth <= innerWidth && document.querySelector('main').scrollWidth <= innerWidth"
    open_page(page, server, "/terminals")
    expect(newest(page)).to_contain_text("退出码 2")
    assert page.evaluate(fits)
    shot(page, f"terminals-phone-{theme}")
    newest(page).get_by_role("link", name="回放").click()
    wait_until(lambda: "中文" in screen_text(page), 15, "the text")
    assert page.evaluate(fits)
    shot(page, f"replay-phone-{theme}")
    open_page(page, server, "/apps/terminals-box/logs")
    page.locator("#log-more").click()
    page.locator('#log-more-menu [data-presses="log-terminal"]').click()
    wait_until(lambda: "#" in panel_text(page), 15, "a prompt")
    assert page.evaluate(fits)
    shot(page, f"log-panel-phone-{theme}")
