"""Terminals in a real browser: containers without a shell, stopped, paused and removed ones; the
list and the replay; what one may not; how it looks."""

from __future__ import annotations

import re
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import FILE_LIMIT
from tests.browser.terminal_page import Shell, Watch, no_sideways_scroll, open_terminal, read
from tests.support import ServerProcess, wait_until
from tests.terminal_support import Person, known

pytestmark = [pytest.mark.browser, pytest.mark.engine]

Shot = Callable[[Any, str], None]
Containers = Callable[..., Any]
People = Callable[..., BrowserContext]


def named(kind: str) -> str:
    return f"term-{kind}-{uuid.uuid4().hex[:6]}"


# --- containers --------------------------------------------------------------------------------

WAITS = "#include <unistd.h>\nint main(void) { for (;;) pause(); }\n"


@pytest.fixture(scope="module")
def bare_image(tmp_path_factory: pytest.TempPathFactory, engine_socket: str) -> str:
    """An image with one static program and nothing else: no shell, no tools."""
    name = "cloudbang-test/bare:1"
    folder = tmp_path_factory.mktemp("bare")
    (folder / "waits.c").write_text(WAITS)
    root = folder / "root"
    root.mkdir()
    subprocess.run(["gcc", "-static", "-Os", "-o", root / "waits", folder / "waits.c"], check=True)
    (root / "note.txt").write_text("a file of the image\n")
    packed = subprocess.run(["tar", "-C", root, "-c", "."], check=True, stdout=subprocess.PIPE)
    command = ["docker", "-H", engine_socket, "import", "-c", 'CMD ["/waits"]', "-", name]
    subprocess.run(command, input=packed.stdout, check=True, stdout=subprocess.DEVNULL)
    return name


def test_an_image_without_a_shell_has_a_toolbox(
    tab: Page,
    house: ServerProcess,
    container: Containers,
    docker_client: docker.DockerClient,
    bare_image: str,
    shot: Shot,
) -> None:
    """No shell is a sentence with an offer; the toolbox sees the processes and the files of the
    container, is named as one, and is gone when its terminal is."""
    box = container(["/waits"], image=bare_image, name=named("bare"))
    known(house, box.name)
    tab.goto(f"{house.url}/apps/{box.name}/terminal")
    tab.get_by_role("button", name="Open", exact=True).click()
    shell = Shell(tab).in_phase("ended")
    expect(shell.box.get_by_text("There is no shell in this image.")).to_be_visible()
    shot(tab, "terminal-no-shell")
    expect(shell.button("Open a toolbox beside it")).to_be_focused()
    tab.keyboard.press("Enter")
    shell.ready()
    session = shell.id
    shell.shows("are under /proc/1/root")
    shell.run("cat /proc/1/root/note.txt", "a file of the image")
    shell.type("ps\n").shows("/waits")
    shot(tab, "terminal-toolbox")
    expect(tab.get_by_role("tab")).to_contain_text("toolbox")
    label: dict[str, Any] = {"label": f"cloudbang.toolbox={session}"}
    assert docker_client.containers.list(filters=label)
    shell.type("exit\n").in_phase("ended")
    wait_until(lambda: not docker_client.containers.list(all=True, filters=label), 20, "its end")
    # It can be asked for beforehand, too.
    tab.get_by_role("button", name="A new terminal").click()
    tab.get_by_text("Command, user, folder, toolbox").click()
    tab.get_by_text("A toolbox beside the container").click()
    tab.get_by_role("button", name="Open", exact=True).click()
    Shell(tab).ready().type("exit\n").in_phase("ended")


def test_paused_stopped_and_removed_containers_are_said(
    tab: Page, house: ServerProcess, watch: Watch, container: Containers, shot: Shot
) -> None:
    """What was typed into a paused container is there when it goes on; a stop and a removal end
    the terminal with their names, and what cannot be opened says why."""
    watch.allow("status of 4")
    box = container(name=named("faults"))
    known(house, box.name)
    shell = open_terminal(tab, house.url, box.name)
    box.pause()
    expect(shell.banner("paused")).to_contain_text("The container is paused")
    shell.type("echo waited $((1+1))\n")
    shot(tab, "terminal-paused")
    box.unpause()
    expect(shell.banner("paused")).to_have_count(0)
    shell.shows_line("waited 2")
    box.kill()
    shell.in_phase("ended")
    stopped = "The container has stopped, and the terminal with it."
    expect(shell.box.get_by_text(stopped)).to_be_visible()
    shot(tab, "terminal-container-stopped")
    shell.button("Open a new one").click()
    expect(shell.box.get_by_role("alert")).to_contain_text("start it")
    box.start()
    shell.button("Open a new one").click()
    shell.ready()
    box.remove(force=True)
    shell.in_phase("ended")
    expect(shell.box.locator(".term-end-text")).to_contain_text(
        re.compile("The container (was removed|has stopped), and the terminal with it.")
    )
    shell.button("Choose what to open").click()
    expect(tab.get_by_text("No instance of this app runs now.")).to_be_visible()
    expect(tab.get_by_role("button", name="Open", exact=True)).to_be_disabled()


# --- files -------------------------------------------------------------------------------------

DROP = """([name, size]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(size).map((_, i) => i % 251)], name));
  const on = document.querySelector('.term-screen');
  for (const kind of ['dragenter', 'dragover', 'drop'])
    on.dispatchEvent(new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true}));
}"""


def test_a_dropped_file_arrives_to_the_byte(shell: Shell, box: Any, shot: Shot) -> None:
    """Into the folder the shell is in, by its own name, up to the limit; one byte more is a
    sentence; the keyboard is back in the shell afterwards."""
    page = shell.page
    shell.run("mkdir -p '/tmp/数据 a' && cd '/tmp/数据 a' && pwd", "/tmp/数据 a")
    name = "日志 'x'.bin"
    page.evaluate(DROP, [name, FILE_LIMIT])
    expect(page.locator("#put-folder")).to_have_value("/tmp/数据 a")
    page.get_by_role("button", name="Put in", exact=True).click()
    expect(page.get_by_text("1 file is in the container.")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    shell.run("ls | wc -l", "1")
    expected = bytes(i % 251 for i in range(FILE_LIMIT))
    assert read(box, f"/tmp/数据 a/{name}") == expected
    page.evaluate(DROP, ["more.bin", FILE_LIMIT + 1])
    page.get_by_role("button", name="Put in", exact=True).click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("3 MB")
    shot(page, "terminal-too-large")
    page.keyboard.press("Escape")
    shell.run("ls | wc -l; echo $((1+1))", "2")
    shell.entry("Take a file out")
    expect(page.locator("#take-path")).to_have_value("/tmp/数据 a/")
    page.keyboard.type(name)
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == name.replace("'", "'")
    assert Path(download.value.path()).read_bytes() == expected


# --- the list, and the replay ------------------------------------------------------------------


def test_from_the_end_to_the_list_and_the_replay(
    tab: Page, house: ServerProcess, box: Any, shot: Shot
) -> None:
    """The end leads to the replay, which plays at a speed, is sought in by mouse and searched;
    the list has the open one, ends it, and has how all of them ended."""
    shell = open_terminal(tab, house.url, box.name)
    first = shell.id
    shell.run("printf '\\033[32mgreen\\033[0m %s\\n' needle-$((1+1))", "green needle-2")
    shell.run("sleep 1; echo last $((1+1))", "last 2").type("exit 9\n").in_phase("ended")
    shell.box.get_by_role("link", name="Replay").click()
    expect(tab).to_have_url(re.compile(f"/terminals/{first}/replay"))

    def seen() -> str:
        return str(tab.evaluate("document.getElementById('replay-screen').screen?.text() ?? ''"))

    tab.get_by_label("Speed").select_option("4")
    wait_until(lambda: "last 2" in seen(), 20, "it to be played")
    bar = tab.locator("#replay-seek").bounding_box()
    assert bar
    tab.mouse.click(bar["x"] + 2, bar["y"] + bar["height"] / 2)
    wait_until(lambda: "last 2" not in seen(), 10, "its beginning")
    tab.get_by_role("button", name="Find in what was printed").click()
    tab.keyboard.type("needle-2")
    expect(tab.locator(".replay-hit")).to_have_count(1)
    tab.keyboard.press("Enter")
    wait_until(lambda: "green needle-2" in seen(), 10, "what was found")
    shot(tab, "terminal-replay")
    with tab.expect_download() as download:
        tab.get_by_role("link", name="Download the recording").click()
    cast = Path(download.value.path()).read_text()
    assert cast.startswith('{"version": 2') or cast.startswith('{"version":2')

    second = open_terminal(tab, house.url, box.name).run("echo open $((1+1))", "open 2").id
    tab.goto(f"{house.url}/terminals")
    row = tab.locator(f'.terminals-row[data-row="{second}"]')
    row.get_by_role("link", name="Open the terminal in").click()
    shell = Shell(tab).shows_line("open 2")
    assert shell.id == second
    tab.go_back()
    row.get_by_role("button", name="End the terminal").click()
    row.get_by_role("button", name="Really?").click()
    expect(row).to_have_count(0)
    past = tab.locator(f'.terminals-past tr[data-row="{second}"]')
    expect(past).to_contain_text("Closed by its owner")
    expect(tab.locator(f'.terminals-past tr[data-row="{first}"]')).to_contain_text("exit code 9")
    shot(tab, "terminal-list")


# --- who may what ------------------------------------------------------------------------------


def test_a_viewer_is_offered_no_terminal(
    people: People, watch: Watch, owner: Person, house: ServerProcess, box: Any
) -> None:
    """Whoever may not open one finds no button, tab or key for it, and its address is refused in
    words."""
    with owner.account(named("viewer")) as viewer:
        page = people(viewer).new_page()
    page.goto(house.url)
    expect(page.locator(f'.app-row[data-app="{box.name}"]')).to_be_visible()
    expect(page.locator(".terminal-link")).to_have_count(0)
    page.goto(f"{house.url}/apps/{box.name}/logs")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    expect(page.get_by_role("link", name="Terminal", exact=True)).to_have_count(0)
    expect(page.locator("#log-terminal")).to_have_count(0)
    before = page.url
    page.keyboard.press("g")
    page.keyboard.press("t")
    page.keyboard.press("`")
    expect(page.locator("#log-panel")).to_have_count(0)
    assert page.url == before
    watch.allow("status of 403")
    answer = page.goto(f"{house.url}/apps/{box.name}/terminal")
    assert answer
    assert answer.status == 403
    assert page.locator("body").inner_text().strip()


# --- how it looks ------------------------------------------------------------------------------


def fits(part: Locator, width: int) -> bool:
    found = part.bounding_box()
    return found is not None and found["x"] >= 0 and found["x"] + found["width"] <= width


@pytest.mark.parametrize(("language", "scheme"), [("zh-CN", "dark"), ("en-GB", "light")])
def test_small_screens_both_languages_both_themes(
    people: People,
    owner: Person,
    house: ServerProcess,
    watch: Watch,
    box: Any,
    shot: Shot,
    language: str,
    scheme: str,
) -> None:
    """On a telephone nothing scrolls sideways, the tools are within reach, and the keys that its
    keyboard lacks are there; words are in the reader's language, colours in their theme."""
    chinese = language == "zh-CN"
    context = people(
        owner,
        locale=language,
        color_scheme=scheme,
        viewport={"width": 360, "height": 720},
        has_touch=True,
    )
    page = context.new_page()
    page.goto(f"{house.url}/apps/{box.name}/terminal")
    assert page.evaluate("document.documentElement.lang").startswith(language[:2])
    page.get_by_role("button", name="打开" if chinese else "Open", exact=True).click()
    shell = Shell(page).ready()
    session = shell.id
    watch.later(lambda: owner.ask("DELETE", f"/terminals/{session}"))
    assert no_sideways_scroll(page)
    shell.type("sleep 1000\n").shows("sleep 1000")
    page.get_by_role("button", name="Ctrl", exact=True).tap()
    shell.type("c").shows("^C").ready().run("echo 好 $((1+1))", "好 2")
    page.get_by_role("button", name="上" if chinese else "Up").tap()
    wait_until(lambda: shell.text().count("echo 好") >= 2, 10, "the command before")
    background = shell.inside("screen.terminal.options.theme.background")
    shot(page, f"terminal-360-{language[:2]}-{scheme}")
    light = sum(int(background.lstrip("#")[i : i + 2], 16) for i in (0, 2, 4)) / 3
    assert (light > 128) == (scheme == "light"), background
    for name in ("更多" if chinese else "More", "结束" if chinese else "End"):
        assert fits(shell.button(name), 360), name
    shell.button("更多" if chinese else "More").tap()
    assert fits(page.locator(".term-menu:visible"), 360)
    shot(page, f"terminal-360-menu-{language[:2]}")
    page.keyboard.press("Escape")
    shell.button("共享" if chinese else "Share").tap()
    assert fits(page.get_by_role("dialog"), 360)
    shot(page, f"terminal-360-share-{language[:2]}")
    page.keyboard.press("Escape")
    words = page.locator("body").inner_text()
    if chinese:
        left = re.findall(r"\b(?:Open|Share|Terminal|End|Find|Recorded|Close)\b", words)
        assert not left, left
    for path in ("/terminals", f"/terminals/{session}", f"/apps/{box.name}/logs"):
        page.goto(house.url + path)
        expect(page.locator("#connection")).to_have_attribute("data-state", "live")
        assert no_sideways_scroll(page), path
    page.get_by_role("button", name="更多工具" if chinese else "More tools").tap()
    page.get_by_role(
        "button", name="日志旁的终端" if chinese else "A terminal beside the log"
    ).tap()
    expect(page.locator("#log-panel")).to_be_visible()
    beside = Shell(page).ready().run("echo 旁 $((1+1))", "旁 2")
    assert no_sideways_scroll(page)
    shot(page, f"terminal-360-panel-{language[:2]}")
    beside.type("exit\n").in_phase("ended")
    page.goto(f"{house.url}/terminals/{session}/replay")
    played = "document.getElementById('replay-screen').screen?.text() ?? ''"
    wait_until(lambda: "好 2" in page.evaluate(played), 15, "the replay")
    assert no_sideways_scroll(page)
    shot(page, f"terminal-360-replay-{language[:2]}")


NO_WEBGL = """
const known = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  return kind.startsWith('webgl') ? null : known.call(this, kind, ...rest);
};
"""
LOSE = """() => {
  for (const canvas of document.querySelectorAll('.term-screen canvas')) {
    canvas.getContext('webgl2')?.getExtension('WEBGL_lose_context')?.loseContext();
  }
}"""


def drawn(shell: Shell) -> str:
    """What elements draw; "" while a graphics card does."""
    return shell.page.locator(".term-screen:visible .xterm-rows").all_inner_texts()[0]


def test_it_is_drawn_without_a_graphics_card(
    people: People, owner: Person, house: ServerProcess, watch: Watch, box: Any
) -> None:
    """Where there is no WebGL, and where it is lost in the middle, elements draw the terminal."""
    context = people(owner)
    page = context.new_page()
    page.goto(f"{house.url}/terminals")
    page.evaluate("localStorage.setItem('terminal-renderer', 'webgl')")
    shell = open_terminal(page, house.url, box.name)
    session = shell.id
    watch.later(lambda: owner.ask("DELETE", f"/terminals/{session}"))
    wait_until(lambda: shell.inside("screen.renderer") == "webgl", 15, "a card that draws")
    shell.run("echo with $((1+1))", "with 2")
    page.evaluate(LOSE)
    wait_until(lambda: shell.inside("screen.renderer") == "dom", 15, "elements that draw")
    shell.run("echo without $((1+1))", "without 2")
    wait_until(lambda: "without 2" in drawn(shell).replace("\xa0", " "), 10, "it to be drawn")
    context.add_init_script(NO_WEBGL)
    page.reload()
    shell.shows_line("without 2").run("echo never $((1+1))", "never 2")
    assert shell.inside("screen.renderer") == "dom"
    wait_until(lambda: "never 2" in drawn(shell).replace("\xa0", " "), 10, "it to be drawn")


def test_finding_in_the_terminal(shell: Shell, shot: Shot) -> None:
    """By key, from the newest upwards, with a count; by case and as a regular expression; Escape
    gives the keyboard back to the shell."""
    page = shell.page
    shell.run("seq 1 250 | sed 's/^/Row /'; echo end $((1+1))", "end 2")
    page.keyboard.press("Control+Shift+F")
    field = shell.box.get_by_role("textbox", name="Find in the terminal")
    expect(field).to_be_focused()
    page.keyboard.type("row 10")
    count = shell.box.locator(".term-search-count")
    expect(count).to_have_text(re.compile("of 11$"))
    assert shell.inside("screen.terminal.getSelection()").lower() == "row 10"
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Enter")
    marks = "[...screen.terminal._core._decorationService.decorations].length"
    wait_until(lambda: shell.inside(marks) >= 11, what="all of them to be marked")
    shot(page, "terminal-search")
    shell.button("Upper and lower case").click()
    expect(count).to_have_text("Nothing found")
    shell.button("Regular expression").click()
    field.fill("Row 2[0-4]9$")
    expect(count).to_have_text(re.compile("of 5$"))
    field.fill("Row (")
    expect(count).to_contain_text("missing ): Row (")
    field.focus()
    page.keyboard.press("Escape")
    expect(field).to_be_hidden()
    shell.run("echo $((1+2))", "3")
