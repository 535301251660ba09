"""The pages around the log, in a real browser against a real server and real containers."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import docker.errors
import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support import ServerProcess, patient, wait_until
from tests.terminal_support import Person

pytestmark = [pytest.mark.browser, pytest.mark.engine]

SignIn = Callable[[Any, ServerProcess], None]
Shot = Callable[[Any, str], None]
Contexts = Callable[..., BrowserContext]
Containers = Callable[..., Any]


@pytest.fixture
def apps(page: Page, server: ServerProcess, sign_in: SignIn) -> Page:
    """The page of apps, live."""
    sign_in(page, server)
    page.goto(server.url)
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    return page


def sign_in_by_hand(page: Page, server: ServerProcess, name: str, password: str) -> None:
    """A session of its own, that may end without anybody else's."""
    page.goto(f"{server.url}/sign-in")
    page.fill("#username", name)
    page.fill("#password", password)
    page.keyboard.press("Enter")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")


def row(page: Page, app: str) -> Any:
    return page.locator(f'.app-row[data-app="{app}"]')


def has_no_sideways_scroll(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_a_page_whose_modules_do_not_come_is_loaded_again(
    page: Page, server: ServerProcess, sign_in: SignIn
) -> None:
    """As when the network changes while it is loaded: by itself, and only so often; then it says
    so. A style sheet is as good as a module."""
    sign_in(page, server)
    stops = page.locator("p.not-loaded")
    page.route("**/static/build/shared-*.js", lambda route: route.abort(), times=1)
    page.route("**/static/build/*.css", lambda route: route.abort(), times=1)
    page.goto(server.url)
    expect(page.locator(".frame")).to_have_css("display", "grid")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    expect(stops).to_be_hidden()
    page.route("**/static/build/shared-*.js", lambda route: route.abort())
    page.goto(server.url)
    expect(stops).to_have_text("A part of this page did not arrive. Load it again.")
    expect(stops).to_be_visible()


def test_a_page_is_one_script_and_one_style_sheet(
    page: Page, server: ServerProcess, sign_in: SignIn, container: Containers
) -> None:
    """And what it shares with others: what `make` built, at addresses that are kept for ever."""
    container("echo one; sleep 1000", name="pages-built")
    sign_in(page, server)
    wait_until(lambda: has_app(server, "pages-built"), what="the app")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(server.url)))
    page.goto(f"{server.url}/apps/pages-built/logs")
    expect(page.locator(".log-slice")).to_contain_text("one")
    files = [url for url in asked if url.startswith("/static/")]
    assert all(url.startswith("/static/build/") for url in files), files
    assert len([url for url in files if url.endswith(".css")]) == 1, files
    assert len([url for url in files if url.endswith(".js")]) <= 5, files
    assert len(asked) <= 15, asked


def test_a_page_is_served_from_its_sources_too(
    page: Page, new_server: Callable[..., ServerProcess], sign_in: SignIn, container: Containers
) -> None:
    """As one develops: every module as it is, in Chinese, too, and without a complaint."""
    server = new_server({"CLOUDBANG_SERVER_ASSETS": "source"})
    container("echo one; sleep 1000", name="pages-sources")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    sign_in(page, server)
    page.context.add_cookies([{"name": "lang", "value": "zh", "url": server.url}])
    wait_until(lambda: has_app(server, "pages-sources"), what="the app")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{server.url}/apps/pages-sources/logs")
    expect(page.locator(".log-slice")).to_contain_text("one")
    expect(page.locator("#connection-text")).to_have_text("实时")
    assert [url for url in asked if url.endswith("/js/logs/log_page.js")]
    assert not [url for url in asked if "/static/build/" in url]
    for path in ("/", "/settings", "/terminals", "/apps/pages-sources/terminal"):
        page.goto(server.url + path)
        expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    assert not said


def has_app(server: ServerProcess, name: str) -> bool:
    return name in [app["name"] for app in server.get("/api/v1/apps")["apps"]]


# --- set-up and sign-in ------------------------------------------------------------------------


def setup_address(server: ServerProcess) -> str:
    found = wait_until(
        lambda: re.search(r"http\S+/setup#\S+", server.said()), what="the address of the set-up"
    )
    assert found
    return found[0]


def test_set_up_makes_the_first_account_and_the_token_leaves_the_address(
    page: Page, new_server: Callable[..., ServerProcess]
) -> None:
    """The printed address opens a form that makes an account and signs it in; the token is
    neither sent in a request line nor left in the address bar."""
    server = new_server({"CLOUDBANG_ADMIN_PASSWORD": ""})
    address = setup_address(server)
    token = address.split("#")[1]
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    expect(page).to_have_url(f"{server.url}/setup")
    expect(page.locator("#token")).to_be_hidden()
    page.fill("#username", "ada")
    page.fill("#password", "seven bridges")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{server.url}/")
    expect(page.locator("#account")).to_contain_text("ada")
    assert not [url for url in asked if token in url.split("#")[0]]
    page.goto(f"{server.url}/setup")
    expect(page).to_have_url(f"{server.url}/")


def test_set_up_with_a_wrong_token_says_so_and_asks_for_it(
    page: Page, new_server: Callable[..., ServerProcess]
) -> None:
    """A wrong token is told; the right address pasted into the field works."""
    server = new_server({"CLOUDBANG_ADMIN_PASSWORD": ""})
    address = setup_address(server)
    page.goto(f"{server.url}/setup#wrong")
    page.fill("#password", "seven bridges")
    page.keyboard.press("Enter")
    expect(page.locator("#error")).to_be_visible()
    expect(page.locator("#token")).to_be_visible()
    page.fill("#token", address)
    page.click("button[type=submit]")
    expect(page).to_have_url(f"{server.url}/")


def test_nothing_is_sent_before_the_script_is_there(page: Page, server: ServerProcess) -> None:
    """Enter in the password's field of a page whose script has not come sends nothing: the browser
    would put the password into the address. The page then says what is missing."""
    asked: list[tuple[str, str]] = []
    page.on("request", lambda request: asked.append((request.method, request.url)))
    page.route("**/static/**/*_page*.js", lambda route: route.abort())
    page.goto(f"{server.url}/sign-in")
    page.fill("#username", "admin")
    page.fill("#password", server.password)
    page.keyboard.press("Enter")
    expect(page.get_by_text("A part of this page did not arrive.")).to_be_visible(
        timeout=patient(15) * 1000
    )
    page.fill("#password", server.password)
    page.keyboard.press("Enter")
    page.evaluate("document.forms[0].querySelector('[type=submit]').click()")
    expect(page).to_have_url(f"{server.url}/sign-in")
    assert not [ask for ask in asked if ask[0] != "GET" or "?" in ask[1]]
    page.unroute("**/static/**/*_page*.js")
    page.reload()
    page.fill("#username", "admin")
    page.fill("#password", server.password)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{server.url}/")


def test_a_sign_in_that_the_browser_did_not_keep_is_told(page: Page, server: ServerProcess) -> None:
    """A cookie for HTTPS only is not taken from a page that came without: one would stand at the
    sign-in again without a word."""
    page.route("**/api/v1/session", lambda route: route.fulfill(status=204))
    page.goto(f"{server.url}/sign-in")
    page.fill("#username", "admin")
    page.fill("#password", server.password)
    page.keyboard.press("Enter")
    expect(page.locator("#error")).to_contain_text("its cookie is for HTTPS only")


def test_a_line_that_was_linked_to_is_found_after_the_sign_in(
    page: Page, server: ServerProcess
) -> None:
    """The server, which sends to the sign-in, never hears of the fragment; it is there again."""
    page.goto(f"{server.url}/settings#L12")
    expect(page).to_have_url(f"{server.url}/sign-in?next=/settings#L12")
    page.fill("#username", "admin")
    page.fill("#password", server.password)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{server.url}/settings#L12")


def test_sign_in_says_what_is_wrong_and_leads_where_one_wanted_to_go(
    page: Page, server: ServerProcess
) -> None:
    """A closed page asks for the sign-in; a wrong password stays there, a right one goes on."""
    page.goto(f"{server.url}/settings")
    expect(page).to_have_url(f"{server.url}/sign-in?next=/settings")
    page.fill("#username", "admin")
    page.fill("#password", "not this one")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")
    page.fill("#password", server.password)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{server.url}/settings")


def test_after_signing_in_nobody_is_sent_to_another_site(
    page: Page, server: ServerProcess, sign_in: SignIn
) -> None:
    """An address that somebody made up leads to the apps instead."""
    page.goto(f"{server.url}/sign-in?next=//127.0.0.2/")
    page.fill("#username", "admin")
    page.fill("#password", server.password)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{server.url}/")
    page.goto(f"{server.url}/sign-in?next=https://127.0.0.2/")
    expect(page).to_have_url(f"{server.url}/")


def test_signing_out_ends_the_other_pages_of_the_session_too(
    page: Page, server: ServerProcess
) -> None:
    """Another tab of the same session goes to the sign-in by itself and knows the way back."""
    apps = page
    sign_in_by_hand(apps, server, "admin", server.password)
    other = apps.context.new_page()
    other.goto(f"{server.url}/settings")
    expect(other.locator("#connection")).to_have_attribute("data-state", "live")
    apps.click("#account")
    apps.get_by_role("button", name="Sign out").click()
    expect(apps).to_have_url(f"{server.url}/sign-in")
    expect(other).to_have_url(f"{server.url}/sign-in?next=%2Fsettings", timeout=patient(4) * 1000)


# --- apps --------------------------------------------------------------------------------------


def test_apps_change_by_themselves(apps: Page, container: Containers, shot: Shot) -> None:
    """A container shows as it starts, with what it logs; it shows as it fails, and as its logs
    are all that is left."""
    box = container("while :; do echo tick; usleep 200000; done", name="pages-live")
    line = row(apps, "pages-live")
    expect(line.locator(".state")).to_have_attribute("data-state", "running")
    expect(line.locator(".line-text")).to_have_text("tick")
    expect(line.locator(".rate")).to_contain_text("/s")
    expect(line.locator(".image")).to_contain_text("cloudbang-test/busybox")
    expect(line.locator(".since time")).to_have_attribute("title", re.compile("Started .*20"))
    shot(apps, "apps-live")
    box.kill()
    expect(line.locator(".state")).to_have_attribute("data-state", "failed")
    expect(line.locator(".badge")).to_have_text("Killed, exit code 137")
    expect(apps.locator('#apps-chips [data-kind="trouble"]')).not_to_have_text(re.compile(r"\D0$"))
    box.remove()
    expect(line.locator(".state")).to_have_attribute("data-state", "gone")
    expect(
        apps.locator(".app-group", has=apps.get_by_text("No containers any more, logs kept"))
    ).to_contain_text("pages-live")


def test_why_an_app_cannot_be_started_is_said(
    apps: Page, server: ServerProcess, container: Containers, shot: Shot
) -> None:
    """In the list, and on its page in the engine's own words."""
    box = container(["/nonexistent"], name="pages-never", start=False)
    with pytest.raises(docker.errors.APIError):
        box.start()
    line = row(apps, "pages-never")
    expect(line.locator(".badge")).to_have_text("Could not be started")
    expect(line.locator(".badge")).to_have_attribute("title", re.compile("/nonexistent"))
    apps.goto(f"{server.url}/apps/pages-never/logs")
    expect(apps.locator("#app-facts")).to_contain_text("Could not be started")
    expect(apps.locator("#app-facts")).to_contain_text("/nonexistent")
    shot(apps, "app-never-started")
    apps.set_viewport_size({"width": 360, "height": 740})
    assert has_no_sideways_scroll(apps)
    shot(apps, "app-never-started-360")


def test_an_app_with_instances_opens_to_show_them(apps: Page, container: Containers) -> None:
    """Containers of one compose service are one app; its row opens to its instances."""
    labels = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}
    one = container(name="shop-web-1", labels=labels)
    container(name="shop-web-2", labels=labels)
    line = row(apps, "shop.web")
    expect(line.locator(".badge")).to_have_text("×2")
    expect(apps.locator(".app-group", has_text="shop").first).to_contain_text("web")
    line.locator(".app-toggle").click()
    instances = apps.locator(".instance-row")
    expect(instances).to_have_count(2)
    expect(instances.first).to_contain_text("shop-web-1")
    expect(instances.first).to_contain_text(one.short_id[:12])
    one.kill()
    expect(line.locator(".badge")).to_have_text("1 of 2 running")


def test_a_log_line_in_the_list_is_text_and_never_markup(apps: Page, container: Containers) -> None:
    """What a container writes is shown as it is written, without its colours."""
    container(
        "printf '\\033[31m<img src=x onerror=alert(1)><b>hi</b>\\033[0m\\n'; sleep 1000",
        name="pages-html",
    )
    text = row(apps, "pages-html").locator(".line-text")
    expect(text).to_have_text("<img src=x onerror=alert(1)><b>hi</b>")
    assert text.locator("*").count() == 0


def test_a_container_whose_log_cannot_be_read_says_so(apps: Page, container: Containers) -> None:
    """With the log driver none the reason stands where the last line would."""
    container(name="pages-mute", log_config={"Type": "none", "Config": {}})
    expect(row(apps, "pages-mute").locator(".line-text")).to_contain_text("none")


def test_the_filter_works_as_one_types_and_is_in_the_address(
    apps: Page, server: ServerProcess, container: Containers
) -> None:
    """Typing leaves what matches; the link opens the same view; Escape takes it away."""
    container(name="pages-alpha")
    container(name="pages-beta")
    expect(row(apps, "pages-beta")).to_be_visible()
    apps.keyboard.press("f")
    apps.keyboard.type("pages-al")
    expect(row(apps, "pages-alpha")).to_be_visible()
    expect(row(apps, "pages-beta")).to_have_count(0)
    expect(apps).to_have_url(f"{server.url}/?q=pages-al")
    apps.reload()
    expect(row(apps, "pages-alpha")).to_be_visible()
    expect(row(apps, "pages-beta")).to_have_count(0)
    apps.fill("#apps-filter", "pages-nothing")
    expect(apps.get_by_text("No app matches.")).to_be_visible()
    apps.focus("#apps-filter")
    apps.keyboard.press("Escape")
    expect(row(apps, "pages-beta")).to_be_visible()
    expect(apps).to_have_url(f"{server.url}/")


def test_apps_by_keyboard(apps: Page, server: ServerProcess, container: Containers) -> None:
    """j and k go through the rows, l opens one, Enter goes to its logs, g a comes back."""
    container(labels={"cloudbang.app": "keyboard-1"})
    container(labels={"cloudbang.app": "keyboard-2"})
    apps.fill("#apps-filter", "keyboard")
    expect(apps.locator(".app-row[data-app]")).to_have_count(2)
    links = apps.locator(".app-link")
    apps.keyboard.press("ArrowDown")
    expect(links.nth(0)).to_be_focused()
    apps.keyboard.press("j")
    expect(links.nth(1)).to_be_focused()
    apps.keyboard.press("k")
    expect(links.nth(0)).to_be_focused()
    apps.keyboard.press("l")
    expect(apps.locator(".instance-row")).to_have_count(1)
    apps.keyboard.press("h")
    expect(apps.locator(".instance-row")).to_have_count(0)
    name = links.nth(0).get_attribute("title")
    apps.keyboard.press("Enter")
    expect(apps).to_have_url(re.compile(rf"/apps/{name}/logs"))
    expect(apps.locator("#app-name")).to_have_text(name or "")
    expect(apps.locator("#connection")).to_have_attribute("data-state", "live")
    apps.keyboard.press("g")
    apps.keyboard.press("a")
    expect(apps).to_have_url(f"{server.url}/")


def test_jumping_finding_and_the_list_of_keys(
    apps: Page, container: Containers, shot: Shot
) -> None:
    """Ctrl+K jumps to an app by a few of its letters, / finds it in the sidebar, ? lists keys."""
    container(name="pages-jump-target")
    expect(row(apps, "pages-jump-target")).to_be_visible()
    apps.keyboard.press("Shift+?")
    keys = apps.get_by_role("dialog", name="Keys")
    expect(keys).to_contain_text("Jump to anything")
    shot(apps, "keys")
    apps.keyboard.press("Escape")
    expect(keys).to_have_count(0)
    apps.keyboard.press("/")
    apps.keyboard.type("jump-target")
    expect(apps.locator(".side-app")).to_have_count(1)
    apps.keyboard.press("Escape")
    apps.keyboard.press("Control+k")
    apps.keyboard.type("pgjmptrgt")
    expect(apps.get_by_role("option").first).to_contain_text("pages-jump-target")
    shot(apps, "palette")
    apps.keyboard.press("Enter")
    expect(apps).to_have_url(re.compile("/apps/pages-jump-target/logs"))


def test_the_page_comes_back_by_itself_after_a_restart(
    apps: Page, server: ServerProcess, container: Containers, shot: Shot
) -> None:
    """While the server is away the page says so and counts down; then it is live and current."""
    container(name="pages-before")
    expect(row(apps, "pages-before")).to_be_visible()
    server.terminate()
    connection = apps.locator("#connection")
    expect(connection).to_have_attribute("data-state", "waiting")
    expect(connection).to_contain_text("Reconnecting in")
    # Its icon is another one now, and no server is there to give it.
    assert apps.evaluate("document.querySelector('#connection use').getBBox().width") > 0
    shot(apps, "connection-lost")
    container(name="pages-meanwhile")
    server.start()
    expect(connection).to_have_attribute("data-state", "live")
    expect(row(apps, "pages-meanwhile")).to_be_visible()


def test_a_proxy_that_passes_no_sockets_on_is_told(
    new_context: Contexts, server: ServerProcess, sign_in: SignIn
) -> None:
    """The server answers and its socket never opens: the page says so, for no notice can come."""
    page = new_context().new_page()
    page.add_init_script(
        """const Real = WebSocket;
        window.WebSocket = class extends Real {
            constructor(url, names) { super(url.replace(/websocket$/, "nothing"), names); }
        };"""
    )
    sign_in(page, server)
    page.goto(server.url)
    notice = page.locator('.notice[data-code="socket-blocked"]')
    expect(notice).to_contain_text("the headers Upgrade and Connection")


def test_a_server_that_does_not_answer_any_more_is_noticed(
    apps: Page, server: ServerProcess
) -> None:
    """When there is reason to doubt the connection it is asked; no answer ends it, although the
    socket looks open. Answering again, it is live by itself."""
    connection = apps.locator("#connection")
    asked = "dispatchEvent(new Event('offline'))"
    apps.evaluate(asked)
    apps.wait_for_timeout(1_000)
    expect(connection).to_have_attribute("data-state", "live")
    os.kill(server.pid, signal.SIGSTOP)
    try:
        apps.evaluate(asked)
        expect(connection).to_have_attribute("data-state", "waiting", timeout=patient(8) * 1000)
    finally:
        os.kill(server.pid, signal.SIGCONT)
    expect(connection).to_have_attribute("data-state", "live", timeout=patient(25) * 1000)


# --- look, language, settings ------------------------------------------------------------------


def test_the_language_is_the_browsers_and_can_be_changed(
    new_context: Contexts, server: ServerProcess, sign_in: SignIn, shot: Shot
) -> None:
    """A Chinese browser sees Chinese; one click makes it English, and it stays so."""
    page = new_context(locale="zh-CN").new_page()
    sign_in(page, server)
    page.goto(server.url)
    expect(page.get_by_role("heading", name="应用", exact=True)).to_be_visible()
    expect(page.locator("#connection")).to_contain_text("实时")
    shot(page, "apps-zh")
    page.get_by_role("button", name="English").first.click()
    expect(page.get_by_role("heading", name="Apps", exact=True)).to_be_visible()
    page.goto(f"{server.url}/settings")
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()


def test_the_theme_follows_the_system_until_one_is_chosen(
    apps: Page, server: ServerProcess, shot: Shot
) -> None:
    """Dark as the system is dark; light when light is chosen, also after the next load."""
    background = "getComputedStyle(document.body).backgroundColor"
    light = apps.evaluate(background)
    apps.emulate_media(color_scheme="dark")
    dark = apps.evaluate(background)
    assert light != dark
    shot(apps, "apps-dark")
    apps.goto(f"{server.url}/settings")
    apps.get_by_text("Light", exact=True).click()
    assert apps.evaluate(background) == light
    apps.goto(server.url)
    assert apps.evaluate(background) == light


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_texts_can_be_read_on_every_surface(
    new_context: Contexts, server: ServerProcess, theme: str
) -> None:
    """Every colour of text has a contrast of at least 4.5:1 on every surface it stands on."""
    page = new_context(color_scheme=theme).new_page()
    page.goto(f"{server.url}/sign-in")
    weak = page.evaluate(
        """() => {
            const probe = document.body.appendChild(document.createElement("i"));
            const rgb = (name) => {
                probe.style.setProperty("color", `var(${name})`);
                return getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3).map(Number);
            };
            const light = (name) => {
                const [r, g, b] = rgb(name).map((value) => {
                    const part = value / 255;
                    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
                });
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const ratio = (a, b) => {
                const [high, low] = [light(a), light(b)].sort((x, y) => y - x);
                return (high + 0.05) / (low + 0.05);
            };
            const surfaces = ["--page", "--sunken", "--raised", "--hover", "--selected"];
            const texts = ["--text", "--text-muted", "--text-faint", "--accent", "--ok", "--warn",
                "--bad", "--idle"];
            const levels = ["error", "warning", "info", "debug", "trace"].map((l) => `--level-${l}`);
            const pairs = [
                ...[...texts, ...levels].flatMap((text) => surfaces.map((s) => [text, s])),
                ...[1, 2, 3, 4, 5, 6, 7, 8].map((n) => [`--instance-${n}`, "--page"]),
                ["--on-accent", "--accent"], ["--on-accent", "--accent-hover"],
                ["--ok", "--ok-wash"], ["--warn", "--warn-wash"], ["--bad", "--bad-wash"],
                ["--text", "--match"], ["--text", "--level-error-wash"],
                ["--level-error", "--level-error-wash"],
                ["--level-warning", "--level-warning-wash"],
            ];
            return pairs.map(([a, b]) => [a, b, Math.round(ratio(a, b) * 100) / 100])
                .filter(([, , value]) => !(value >= 4.5));
        }"""
    )
    assert weak == []


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_every_page_fits_a_phone(
    new_context: Contexts,
    server: ServerProcess,
    sign_in: SignIn,
    container: Containers,
    shot: Shot,
    locale: str,
) -> None:
    """At 360 px nothing scrolls sideways, and the sidebar is a drawer."""
    container("echo a line that is longer than a phone is wide, and goes on; sleep 1000",
              name="pages-" + "long-name-" * 6)  # fmt: skip
    page = new_context(viewport={"width": 360, "height": 740}, locale=locale).new_page()
    page.goto(f"{server.url}/sign-in")
    assert has_no_sideways_scroll(page)
    sign_in(page, server)
    for path, ready in (
        ("/", ".app-row[data-app]"),
        ("/settings", "#logins .item"),
        ("/apps/nothing-here/logs", ".oops"),
    ):
        page.goto(server.url + path)
        expect(page.locator(ready).first).to_be_visible()
        assert has_no_sideways_scroll(page), path
        shot(page, f"phone-{path.strip('/').split('/')[0] or 'apps'}-{locale[:2]}")
    page.goto(server.url)
    expect(page.locator("#side")).to_be_hidden()
    page.click("#side-open")
    expect(page.locator("#side-search")).to_be_visible()
    expect(page.locator("#side-close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#side")).to_be_hidden()
    expect(page.locator("#side-open")).to_be_focused()


def test_no_page_is_higher_than_its_window(apps: Page, server: ServerProcess) -> None:
    """With more apps than the sidebar has room for as well."""
    for path in ("/", "/settings", "/terminals", "/deployments", "/alerts", "/storage"):
        apps.goto(server.url + path)
        expect(apps.locator("#connection")).to_have_attribute("data-state", "live")
        higher = apps.evaluate(
            """() => {
                const app = '<a class="side-app" href="/"><span class="quiet">Running</span>app</a>';
                document.getElementById("side-apps").insertAdjacentHTML("beforeend", app.repeat(100));
                scrollTo(0, 10000);
                return [document.documentElement.scrollHeight - innerHeight, scrollY];
            }"""
        )
        assert higher == [0, 0], path


def test_everything_one_can_press_has_a_name(apps: Page, server: ServerProcess) -> None:
    """Buttons, links and fields tell a screen reader what they are."""
    for path in ("/", "/settings"):
        apps.goto(server.url + path)
        nameless = apps.evaluate(
            """() => [...document.querySelectorAll("button, a[href], input:not([hidden]), select")]
                .filter((e) => e.checkVisibility())
                .filter((e) => !(e.getAttribute("aria-label") || e.textContent.trim()
                    || e.labels?.length))
                .map((e) => e.outerHTML)"""
        )
        assert nameless == [], path


def test_a_token_is_shown_once_works_and_is_revoked(
    apps: Page, server: ServerProcess, shot: Shot
) -> None:
    """Settings make an API token, show it one time, list it, and end it after asking once more."""
    apps.goto(f"{server.url}/settings")
    apps.fill("#token-name", "backup script")
    apps.get_by_role("button", name="Create a token").click()
    secret = apps.locator("#token-made code").inner_text()
    asked = {"Authorization": f"Bearer {secret}"}

    def status() -> int:
        return httpx.get(
            f"{server.url}/api/v1/apps", headers=asked, trust_env=False, timeout=patient(20)
        ).status_code

    assert status() == 200
    item = apps.locator("#tokens .item", has_text="backup script")
    expect(item).to_contain_text("ends in 90 days")  # unless somebody says otherwise
    shot(apps, "settings")
    apps.reload()
    expect(item).to_contain_text("from 127.0.0.1")
    expect(apps.locator("#token-made code")).to_have_count(0)
    item.get_by_role("button", name="Revoke").click()
    expect(item.get_by_role("button", name="Really?")).to_be_visible()
    item.get_by_role("button", name="Really?").click()
    expect(item).to_have_count(0)
    wait_until(lambda: status() == 401, what="the token to end")


def test_a_token_that_ends_soon_gets_another_secret(
    apps: Page, server: ServerProcess, shot: Shot
) -> None:
    """Its owner is told on every page; the old secret works on beside the new one. Who lets it end
    is not told again."""
    tomorrow = (datetime.now() + timedelta(days=1)).strftime("%Y-%m-%d")
    apps.goto(f"{server.url}/settings")
    for name in ("nightly", "short-lived"):
        apps.fill("#token-name", name)
        apps.get_by_label("Ends").select_option("date")
        apps.get_by_label("Last day").fill(tomorrow)
        apps.get_by_role("button", name="Create a token").click()
        expect(apps.locator("#tokens .item", has_text=name)).to_be_visible()
    first = apps.locator("#token-made code").inner_text()
    notices = apps.locator('.notice[data-code="token-ends"]')
    expect(notices).to_have_count(2)
    notices.filter(has_text="nightly").get_by_role("button", name="Let it end").click()
    apps.goto(server.url)
    expect(notices).to_have_count(1)
    notices.get_by_role("link", name="API tokens").click()
    item = apps.locator("#tokens .item", has_text="short-lived")
    expect(item.locator(".badge.warn")).to_be_visible()
    shot(apps, "settings-token-ends")
    item.get_by_role("button", name="New secret").click()
    dialog = apps.get_by_role("dialog")
    shot(apps, "settings-rotate")
    dialog.get_by_role("button", name="Make it").click()
    second = dialog.locator("code").inner_text()
    apps.keyboard.press("Escape")
    expect(item).to_contain_text("the old secret ends in")
    expect(notices).to_have_count(0)
    assert first != second
    for secret in (first, second):
        headers = {"Authorization": f"Bearer {secret}"}
        answer = httpx.get(
            f"{server.url}/api/v1/apps", headers=headers, trust_env=False, timeout=patient(20)
        )
        assert answer.status_code == 200
    for name in ("nightly", "short-lived"):
        apps.get_by_role("button", name=f"Revoke {name}").click()
        apps.get_by_role("button", name=f"Revoke {name}: Really?").click()
        expect(apps.locator("#tokens .item", has_text=name)).to_have_count(0)


def test_the_password_is_changed_and_other_browsers_are_out(
    page: Page, server: ServerProcess, new_context: Contexts
) -> None:
    """A wrong current password is told, and one that is too short, in the page's own words; a right
    one changes it and ends the other sessions."""
    with Person(server) as admin:
        admin.made("/accounts", {"username": "pat", "password": server.password})
    apps, other = page, new_context().new_page()
    for one in (apps, other):
        sign_in_by_hand(one, server, "pat", server.password)
    apps.goto(f"{server.url}/settings")
    expect(apps.locator("#logins .item")).to_have_count(2)
    apps.fill("#current", "not this one")
    apps.fill("#new", "seven bridges")
    apps.get_by_role("button", name="Change the password").click()
    expect(apps.get_by_role("alert")).to_have_text("The password you have now is another one.")
    apps.fill("#new", "seven")
    apps.get_by_role("button", name="Change the password").click()
    expect(apps.get_by_role("alert")).to_have_text("New password: At least 8 characters.")
    expect(apps.locator("#new")).to_be_focused()
    apps.fill("#new", "seven bridges")
    apps.fill("#current", server.password)
    apps.get_by_role("button", name="Change the password").click()
    expect(apps.get_by_text("The password is changed.")).to_be_visible()
    expect(other).to_have_url(re.compile("/sign-in"), timeout=patient(4) * 1000)
    expect(apps.locator("#logins .item")).to_have_count(1)


def test_people_are_added_and_a_viewer_cannot_add_any(
    apps: Page, server: ServerProcess, new_context: Contexts
) -> None:
    """An administrator adds a viewer, who can sign in and has no list of people; and gives them
    another password when they have lost theirs."""
    apps.goto(f"{server.url}/settings")
    apps.fill("#person-name", "小林")
    apps.fill("#person-password", "seven bridges")
    apps.get_by_role("button", name="Add a person").click()
    person = apps.locator("#accounts .item", has_text="小林")
    expect(person).to_contain_text("Viewer")
    other = new_context().new_page()
    other.goto(f"{server.url}/sign-in?next=/settings")
    other.fill("#username", "小林")
    other.fill("#password", "seven bridges")
    other.keyboard.press("Enter")
    expect(other.locator("#logins .item")).to_have_count(1)
    expect(other.locator("#accounts")).to_have_count(0)
    person.get_by_role("button", name="New password").click()
    apps.fill("#set-password", "eight bridges")
    apps.get_by_role("button", name="Set it").click()
    expect(apps.get_by_role("dialog")).to_contain_text("The password is set.")
    apps.keyboard.press("Escape")
    sign_in_by_hand(other, server, "小林", "eight bridges")
    person.get_by_role("button", name="Switch off or on").click()
    apps.get_by_role("dialog").get_by_role("button", name="Set it").click()
    expect(person.locator(".badge.bad")).to_contain_text("ended")
    expect(other).to_have_url(re.compile("/sign-in"), timeout=patient(4) * 1000)
    other.fill("#username", "小林")
    other.fill("#password", "eight bridges")
    other.keyboard.press("Enter")
    expect(other.get_by_role("alert")).to_contain_text("is switched off since")
    person.get_by_role("button", name="Switch off or on").click()
    apps.get_by_role("dialog").get_by_role("button", name="Set it").click()
    expect(person.locator(".badge")).to_have_count(0)
    sign_in_by_hand(other, server, "小林", "eight bridges")
    person.get_by_role("button", name="Delete").click()
    person.get_by_role("button", name="Delete").click()
    expect(person).to_have_count(0)
    expect(other).to_have_url(re.compile("/sign-in"), timeout=patient(4) * 1000)


def test_teams_are_made_and_people_are_put_into_them(
    apps: Page, server: ServerProcess, new_context: Contexts, shot: Shot
) -> None:
    """Whoever is taken out has to sign in again; a name that is taken is said at the form."""
    apps.goto(f"{server.url}/settings")
    apps.fill("#person-name", "ben")
    apps.fill("#person-password", "seven bridges")
    apps.get_by_role("button", name="Add a person").click()
    expect(apps.locator("#accounts .item", has_text="ben")).to_be_visible()
    for name in ("blue", "Blue"):
        apps.fill("#team-name", name)
        apps.get_by_role("button", name="Make a team").click()
        expect(apps.locator("#teams .item", has_text="blue")).to_contain_text("nobody is in it")
    expect(apps.locator("#team-form .error")).to_contain_text("team named blue already")
    apps.select_option("#member-account", label="ben")
    apps.select_option("#member-team", "blue")
    apps.select_option("#member-role", "admin")
    apps.get_by_role("button", name="Put into the team").click()
    member = apps.locator("#teams .member", has_text="Administrator").filter(has_text="ben")
    expect(member).to_have_count(1)
    apps.get_by_role("button", name="Take out of default: ben").click()
    apps.get_by_role("button", name="Take out of default: ben").click()
    person = apps.locator("#accounts .item", has_text="ben")
    expect(person).to_contain_text("in teams below only")
    shot(apps, "settings-teams")
    other = new_context().new_page()
    other.goto(f"{server.url}/sign-in?next=/settings")
    other.fill("#username", "ben")
    other.fill("#password", "seven bridges")
    other.keyboard.press("Enter")
    expect(other.locator("#logins .item")).to_have_count(1)
    expect(other.locator("#teams")).to_have_count(0)
    apps.get_by_role("button", name="Delete blue").click()
    apps.get_by_role("button", name="Delete blue").click()
    expect(apps.locator("#teams .item", has_text="blue")).to_have_count(0)
    expect(other).to_have_url(re.compile("/sign-in"), timeout=patient(4) * 1000)
    person.get_by_role("button", name="Delete ben").click()
    person.get_by_role("button", name="Delete ben").click()
    expect(person).to_have_count(0)


LONG = "warehouse-of-the-northern-region-checkout-service"


@pytest.mark.parametrize("width", [1440, 768, 360])
def test_names_that_begin_alike_are_told_apart_by_their_ends(
    apps: Page, server: ServerProcess, container: Containers, width: int
) -> None:
    """In the list, beside it, and in the log of two instances; the level's button is not squeezed."""
    names = [f"{LONG}-{end}" for end in ("eu", "us")]
    for name in names:
        container(
            "echo one; sleep 1000", name=f"{name}-{width}", labels={"cloudbang.app": LONG[:9]}
        )
        container("sleep 1000", name=f"{name}-alone-{width}")
    apps.set_viewport_size({"width": width, "height": 800})
    for name in names:
        link = row(apps, f"{name}-alone-{width}").locator(".app-link")
        expect(link).to_have_accessible_name(re.compile(re.escape(f"{name}-alone-{width}")))
        assert link.evaluate(ENDS_INSIDE), name
        if width > 900:
            side = apps.locator(f'.side-app[title="{name}-alone-{width}"]')
            assert side.evaluate(ENDS_INSIDE), name
    apps.goto(f"{server.url}/apps/{LONG[:9]}/logs")
    expect(apps.locator(".row-who", has_text=f"eu-{width}").first).to_be_visible()
    expect(apps.locator(".row-who", has_text=f"us-{width}").first).to_be_visible()
    button = apps.locator("#log-levels")
    assert button.evaluate("(one) => one.scrollWidth <= one.clientWidth + 1")
    assert has_no_sideways_scroll(apps)


ENDS_INSIDE = """(link) => {
    const end = link.querySelector('.cut-middle > :last-child').getBoundingClientRect();
    const box = link.getBoundingClientRect();
    return end.width > 40 && end.right <= box.right + 1 && end.left >= box.left - 1;
}"""
