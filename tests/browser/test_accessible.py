"""Nothing for axe-core to find on any page, with its menus and dialogs open, in either theme."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import docker
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser import axe
from tests.browser.terminal_page import Shell
from tests.support import ROOT, ServerProcess, patient, wait_until
from tests.team_support import person_in
from tests.terminal_support import Person

pytestmark = [pytest.mark.browser, pytest.mark.engine]

APP = "axe-app"
LINES = [
    json.dumps({"level": "error", "msg": "no room", "at": {"disk": "/dev/sda", "tries": [1, 2]}}),
    "Traceback (most recent call last):",
    '  File "a.py", line 1, in <module>',
    "ValueError: no",
    "WARN something is slow",
    "\x1b[31mred\x1b[0m and \x1b[44mon blue\x1b[0m",
    "DEBUG one more",
]


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory,
    engine_socket: str,
    docker_client: docker.DockerClient,
    image: str,
) -> Iterator[ServerProcess]:
    """With deployments of the past, an app of two instances that log, a person, a team, a terminal
    that ended."""
    one = ServerProcess(tmp_path_factory.mktemp("axe"), {"DOCKER_HOST": engine_socket})
    seed = ["-m", "gevent.monkey", "--module", "tests.browser.seeded_deployments"]
    subprocess.run(
        [sys.executable, *seed, str(one.storage)], cwd=ROOT, check=True, timeout=patient(60)
    )
    said = "\n".join(LINES)
    compose = one.storage.parent / "compose.yaml"
    compose.write_text(f"services: {{it: {{image: {image}}}}}\n")
    containers = [
        docker_client.containers.run(
            image,
            ["sh", "-c", f"printf '%s\\n' \"$LINES\"; while sleep {n}; do echo ERROR {n}; done"],
            environment={"LINES": said},
            detach=True,
            network_mode="none",
            labels={
                "cloudbang.test": "axe",
                "cloudbang.app": APP,
                "com.docker.compose.project": f"axe-{n}",
                "com.docker.compose.service": "it",
                # Of one the file is there, so that it can be brought down from here.
                **(
                    {
                        "com.docker.compose.project.config_files": str(compose),
                        "com.docker.compose.project.working_dir": str(compose.parent),
                    }
                    if n == 1
                    else {}
                ),
            },
        )
        for n in (1, 2)
    ]
    try:
        one.start()
        with Person(one) as admin:
            wait_until(lambda: APP in str(admin.got("/apps")), 20, "the app to be known")
            admin.terminal(containers[0].name, ["sh", "-c", "echo one"]).wait_op("ended", 30)
            person_in(one.storage, "bea", {"default": "viewer", "shop": "admin"})
        yield one
        assert "Traceback" not in one.said(10_000_000), f"the server stumbled: {one.log}"
    finally:
        one.close()
        for each in containers:
            each.remove(force=True)


class Visitor:
    """Somebody who looks at pages with axe, and notes what it finds."""

    def __init__(self, page: Page, server: ServerProcess) -> None:
        self.page, self.server = page, server
        self.said: list[str] = []
        self.only: Sequence[str] = ()

    def at(self, path: str, *shown: str) -> Visitor:
        """Go there, wait for what is shown there, and look."""
        self.page.goto(self.server.url + path)
        self.where = path
        for selector in shown:
            expect(self.page.locator(selector).first).to_be_visible()
        return self.look("")

    def look(self, what: str, within: str | None = None) -> Visitor:
        self.said += axe.found(self.page, f"{self.where} {what}".strip(), within, self.only)
        return self

    def press(self, what: str | Locator, shown: str | None = None) -> Visitor:
        """Press it and look at what it opens."""
        button = self.page.locator(what).first if isinstance(what, str) else what
        button.click()
        if shown:
            expect(self.page.locator(shown).first).to_be_visible()
        return self.look(f"after {what}", shown)

    def speaks(self, language: str) -> None:
        cookie = {"name": "lang", "value": language, "url": self.server.url}
        self.page.context.add_cookies([cookie])

    def away(self) -> Visitor:
        self.page.keyboard.press("Escape")
        return self


@pytest.fixture
def visitor(
    new_context: Callable[..., BrowserContext], server: ServerProcess, sign_in: Any
) -> Iterator[Visitor]:
    context = new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    sign_in(context, server)
    one = Visitor(context.new_page(), server)
    yield one
    assert not one.said, f"{len(one.said)} found:\n" + "\n".join(one.said)


SLOW = pytest.mark.slow("it visits every page")


@SLOW
def test_pages_of_an_app(visitor: Visitor) -> None:
    """Its log with rows opened, charts, traffic, terminal, deployments, configuration."""
    v, page, at = visitor, visitor.page, visitor.at
    at(f"/apps/{APP}/logs", ".log-slice .row-text")
    v.press(".row:has-text('no room')", ".detail").press(".row:has-text('Traceback')", ".detail")
    for menu in (
        "log-levels",
        "log-fields",
        "log-mark",
        "log-jump",
        "log-download",
        "log-view",
        "app-operate",
        "app-manage",
    ):
        v.press(f"#{menu}", f"#{menu}-menu").away()
    v.press("#log-patterns-button", "#patterns-list .pattern-text")
    page.locator("#patterns-close").click()
    page.fill("#log-terms-field", '-nothing status:5oo.. "no end')
    page.press("#log-terms-field", "Enter")
    v.look("a filter that cannot be read")
    page.fill("#log-terms-field", "-nothing")
    page.press("#log-terms-field", "Enter")
    page.fill("#log-find", "slow")
    expect(page.locator("#log-count-said")).to_contain_text("found")
    v.look("something found")
    page.locator("#log-hide").click()
    page.fill("#log-find", "what nobody says")
    expect(page.locator("#log-count-said")).to_have_text("0 found")
    v.look("nothing found")
    at(f"/apps/{APP}/metrics?range=1h", '[data-chart="cpu"] canvas', ".metric-mark")
    v.press(".metric-mark", ".metric-tip").away()
    v.press('[data-chart="cpu"] .metric-numbers summary', '[data-chart="cpu"] table')
    v.press("#metric-log-button", "#log .row-text")
    at(f"/apps/{APP}/traffic")
    at("/apps/web/metrics", "#main")
    at("/apps/web/traffic", "#main")
    at(f"/apps/{APP}/terminal", "#terminal-open")
    at(f"/apps/{APP}/deployments", "#main")
    at("/apps/web/deployments", ".deploys-row")
    at("/apps/web/configuration", "#main").press(
        page.get_by_role("button", name="Change it"), "#configuration-form"
    )
    at("/apps/nobody/logs")


@SLOW
def test_pages_of_the_house(visitor: Visitor) -> None:
    """The lists, new apps, alerts, storage, settings, what is around them, and their dialogs."""
    v, page = visitor, visitor.page
    v.at("/", f'.app-row[data-app="{APP}"]', "#node-strip")
    v.press("#account", "#account-menu").away()
    page.keyboard.press("?")
    expect(page.locator("dialog")).to_be_visible()
    v.look("keys", "dialog").away()
    page.keyboard.press("Control+k")
    expect(page.locator("dialog")).to_be_visible()
    v.look("palette", "dialog").away()
    v.at("/deployments", ".deploys-row")
    v.at("/deployments/2", ".comparison-verdict", ".log-slice .row-text")
    v.at("/deployments/3", "#deployment-last-lines")
    v.at("/deployments/999")
    v.at("/new", "#new-app input")
    for way in ("folder", "git", "compose"):
        v.press(f'[data-way="{way}"]')
    v.at("/alerts", "#rules li")
    v.press("#receiver-new", "dialog").away()
    v.press("#rule-new", "dialog").away()
    v.at("/stacks", "#stacks-list li")
    v.at("/storage", "#storage-list tr")
    v.press("#storage-clean", "dialog").away()
    v.at("/settings", "#teams li", "#logins li", "#accounts li")
    v.at("/nowhere")


@SLOW
def test_names_hold_what_is_written_in_chinese_too(visitor: Visitor) -> None:
    """Who speaks to a page says what they see, and a name that is given beside it may lack that."""
    visitor.only = ("label-content-name-mismatch",)
    visitor.speaks("zh")
    visitor.at("/", f'.app-row[data-app="{APP}"]').at(f"/apps/{APP}/logs", ".log-slice .row-text")
    visitor.at("/deployments/3", "#deployment-last-lines").at("/alerts", "#rules li")
    visitor.at("/terminals", "#terminals-past tr, #terminals-past li")
    visitor.at("/settings", "#teams li", "#logins li", "#accounts li")


class Dialogs:
    """Every dialog that a page opens: looked at, and where the keys are before, in it and after."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor, self.page = visitor, visitor.page

    def at(self, path: str, shown: str) -> None:
        self.page.goto(self.visitor.server.url + path)
        self.visitor.where = path
        expect(self.page.locator(shown).first).to_be_visible()

    def open(self, what: str, menu: str = "", back: str | None = None) -> Locator:
        """By Enter on ``what``, which may stand in a ``menu``; Escape leads back to where it came from
        (``back``, where that is something else)."""
        page = self.page
        if menu:
            page.locator(menu).first.focus()
            page.keyboard.press("Enter")
            expect(page.locator(what).first).to_be_visible()
        page.locator(what).first.focus()
        page.keyboard.press("Enter")
        dialog = page.locator("dialog[open]").last
        self.looked(dialog, what)
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
        expect(page.locator(back or menu or what).first).to_be_focused()
        return dialog

    def looked(self, dialog: Locator, what: str) -> None:
        expect(dialog).to_be_visible()
        expect(dialog.locator(":focus")).to_have_count(1)
        self.visitor.look(f"dialog of {what}", "dialog[open]")


IN_CHINESE = (
    *("aria-dialog-name", "aria-valid-attr-value", "button-name", "color-contrast", "label"),
    *("label-content-name-mismatch", "link-name", "scrollable-region-focusable", "select-name"),
)
"""What words may be wrong with; the rest was looked for in English."""


@pytest.fixture(params=["en", "zh"])
def dialogs(request: pytest.FixtureRequest, visitor: Visitor) -> Dialogs:
    """In either language."""
    visitor.speaks(request.param)
    visitor.only = IN_CHINESE if request.param == "zh" else ()
    return Dialogs(visitor)


@SLOW
def test_dialogs(dialogs: Dialogs) -> None:
    """The keys go into a dialog when it opens, and back to where they came from."""
    d, page = dialogs, dialogs.page
    d.at(f"/apps/{APP}/logs", ".log-slice .row-text")
    d.open("#log-save")
    d.open("#log-life")
    for what in ("containers", "stop", "take-over"):
        d.open(f'[data-operate="{what}"]', menu="#app-operate")
    d.open('[data-manage="delete-lines"]', menu="#app-manage")
    d.at("/apps/web/logs", "#log-find")
    d.open('[data-operate="scale"]', menu="#app-operate")
    d.open('[data-manage="delete-app"]', menu="#app-manage")
    d.at("/", f'.app-row[data-app="{APP}"]')
    page.locator("#account").focus()
    for key in ("Control+k", "?"):
        page.keyboard.press(key)
        d.looked(page.locator("dialog[open]"), key)
        page.keyboard.press("Escape")
        expect(page.locator("#account")).to_be_focused()
    page.locator(f'.app-row[data-app="{APP}"] a').first.focus()
    page.keyboard.press("x")
    d.open('[data-several="stop"]')
    d.at("/alerts", "#rules li")
    d.open("#receiver-new")
    d.open("#rule-new")
    d.at("/storage", "#storage-list tr")
    d.open("#storage-clean")
    d.at("/stacks", "#stacks-list li")
    d.open("#stacks-list .item-actions button:nth-of-type(2)")  # Bring it down
    d.at("/settings", "#accounts li")
    for n in (1, 2):  # another password; the end of the account
        d.open(f"#accounts li .item-actions button:nth-of-type({n})")
    page.fill("#token-name", "axe")
    page.keyboard.press("Enter")
    rotate = page.locator("#tokens .item-actions button").first
    expect(rotate).to_be_visible()
    rotate.evaluate("button => { window.before = button; }")
    rotate.focus()
    page.keyboard.press("Enter")
    d.looked(page.locator("dialog[open]"), "a token's new secret")
    # Meanwhile it is made somewhere else, and the list is drawn anew.
    page.evaluate("before.closest('li').replaceWith(before.closest('li').cloneNode(true))")
    page.keyboard.press("Escape")
    expect(rotate).to_be_focused()


@SLOW
def test_dialogs_of_a_terminal(dialogs: Dialogs) -> None:
    """Sharing, files in and out, ending what is busy: the keys go back into the terminal."""
    d, page = dialogs, dialogs.page
    d.at(f"/apps/{APP}/terminal", "#terminal-open")
    page.locator(".term-form [type=submit]").click()
    expect(page.locator(".term[data-phase=attached]")).to_be_visible()

    def leave() -> None:
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
        expect(page.locator(".term :focus")).to_have_count(1)

    def with_icon(name: str) -> str:
        return f'.term button:has(use[href="#icon-{name}"])'

    page.locator(with_icon("share")).first.click()
    d.looked(page.locator("dialog[open]"), "share")
    leave()
    for action in ("download", "upload"):
        page.locator(with_icon("more")).first.click()
        item = page.locator(f'.term-menu .menu-item:has(use[href="#icon-{action}"])').last
        if action == "upload":
            with page.expect_file_chooser() as chosen:
                item.click()
            chosen.value.set_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"a"})
        else:
            item.click()
        d.looked(page.locator("dialog[open]"), action)
        leave()
    # Something runs in it, and it is ended, or its tab is closed.
    shell = Shell(page).ready()
    shell.run("echo wor''king; sleep 1000", "working")
    for what, button in (
        ("its end", page.locator(with_icon("stop")).last),
        ("closing its tab", page.locator(".term-tab-close").last),
    ):
        button.click()
        d.looked(page.locator("dialog[open]"), what)
        leave()


@SLOW
def test_pages_of_terminals(visitor: Visitor) -> None:
    """Open, over, played again."""
    v, page = visitor, visitor.page
    v.at(f"/apps/{APP}/terminal", "#terminal-open")
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.locator(".term[data-phase=attached]")).to_be_visible()
    v.look("a shell")
    for n in ("More", "Share"):
        v.press(page.get_by_role("button", name=n, exact=True)).away()
    v.at("/terminals", "#terminals-past tr, #terminals-past li")
    address = page.get_by_role("link", name="Replay").first.get_attribute("href") or ""
    v.at(address, "#replay-play:enabled").press("#replay-search", "#replay-find")


@SLOW
def test_pages_before_the_sign_in(
    visitor: Visitor, new_context: Callable[..., BrowserContext]
) -> None:
    stranger = Visitor(new_context().new_page(), visitor.server)
    stranger.at("/sign-in", "#sign-in")
    stranger.page.fill("#username", "nobody")
    stranger.page.fill("#password", "wrong password")
    stranger.press("#sign-in [type=submit]", "#error").at("/setup")
    visitor.said += stranger.said
