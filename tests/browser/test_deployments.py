"""Deployments in a real browser: the list, one of them, and the configuration of an app; over what a
server would have left of the past."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from tests.browser.seeded_deployments import LONG_LOG
from tests.support import ROOT, ServerProcess, Stopwatch, patient

pytestmark = [pytest.mark.browser, pytest.mark.engine]

SignIn = Callable[[Any, ServerProcess], None]
Shot = Callable[[Any, str], None]
Contexts = Callable[..., BrowserContext]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, engine_socket: str) -> Iterator[ServerProcess]:
    """A server whose apps web and shop were deployed before it was started."""
    one = ServerProcess(tmp_path_factory.mktemp("deployed"), {"DOCKER_HOST": engine_socket})
    seed = ["-m", "gevent.monkey", "--module", "tests.browser.seeded_deployments"]
    subprocess.run(
        [sys.executable, *seed, str(one.storage)], cwd=ROOT, check=True, timeout=patient(60)
    )
    yield one.start()
    one.close()
    assert "Traceback" not in one.said(10_000_000), f"the server stumbled: {one.log}"


@pytest.fixture
def at(page: Page, server: ServerProcess, sign_in: SignIn) -> Callable[[str], Page]:
    """``at("/deployments")``: that page, signed in and live."""
    sign_in(page, server)

    def go(path: str) -> Page:
        page.goto(server.url + path)
        expect(page.locator("#connection")).to_have_attribute("data-state", "live")
        return page

    return go


At = Callable[[str], Page]


def row(page: Page, id: int) -> Locator:
    return page.locator(f'.deploys-row[data-id="{id}"]')


def has_no_sideways_scroll(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_the_list_says_how_each_ended_and_what_is_in_trouble(at: At) -> None:
    page = at("/deployments")
    expect(row(page, 3).locator(".deploys-words")).to_contain_text("exited with 1")
    expect(row(page, 2).locator(".deploys-words")).to_have_text("Release 2 went into service.")
    expect(row(page, 4).locator(".deploys-words")).to_have_text("Cancelled by bob.")
    trouble = page.locator("#health-list")
    expect(trouble).to_contain_text("since deployment 3")
    expect(trouble).to_contain_text("Release 2 goes on serving.")
    # What is not there has no heading.
    expect(page.locator("#deploys-running-section")).to_be_hidden()
    expect(page.locator("#deploys-waiting-section")).to_be_hidden()


def test_the_list_is_filtered_by_outcome_in_its_address(at: At) -> None:
    page = at("/deployments")
    page.get_by_role("button", name="Went wrong").click()
    expect(page.locator(".deploys-row")).to_have_count(1)
    page.reload()
    expect(page.locator(".deploys-row")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?show=failed$"))


def test_the_list_is_walked_by_keyboard(at: At) -> None:
    page = at("/deployments")
    expect(row(page, 4)).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/deployments/3$"))


def test_a_deployment_says_why_it_failed_what_serves_and_what_to_do(at: At) -> None:
    page = at("/deployments/3")
    expect(page.locator("#deployment-sentence")).to_contain_text("It exited with 1 after")
    expect(page.locator("#deployment-after")).to_have_text("Release 2 goes on serving.")
    expect(page.locator("#deployment-last-lines")).to_contain_text("invalid option")
    expect(page.get_by_role("button", name="Deploy again")).to_be_visible()
    steps = page.locator("#deployment-steps > li")
    expect(steps).to_have_count(6)
    expect(steps.nth(0)).to_have_attribute("data-state", "done")
    expect(steps.nth(0).locator(".step-took")).to_have_text("2 s")
    expect(steps.nth(2)).to_have_attribute("data-state", "failed")
    expect(steps.nth(3)).to_have_attribute("data-state", "waiting")
    # Usual is what those took that served before it; of the first nothing is.
    expect(steps.nth(0).locator(".step-usual")).to_have_text("usually 2 s")
    # What differs from the release that serves.
    changes = page.locator(".difference tbody tr")
    expect(changes.filter(has_text="command")).to_contain_text("nginx -x")
    expect(changes.filter(has_text="memory")).to_contain_text("512m")
    # It belongs to the page of its app.
    expect(page.locator('.tabs [aria-current="page"]')).to_have_text("Deployments")
    expect(page.locator("#app-name")).to_have_text("web")


@pytest.mark.slow("a hundred thousand lines are opened in, and searched")
def test_a_log_of_a_hundred_thousand_lines_is_there_at_once_and_is_searched(at: At) -> None:
    page = at("/deployments")
    link = row(page, 3).locator("a")
    expect(link).to_be_visible()
    watch = Stopwatch()
    link.click()
    expect(page.locator(".row-text").last).to_have_text(f"line {LONG_LOG} of deployment 3")
    assert watch.seconds < 1.0
    page.locator("#log-find").fill("line 41234 of")
    page.locator("#log-find").press("Enter")
    expect(page.locator(".row-hit").first).to_contain_text("line 41234 of deployment 3")


def test_a_log_of_a_deployment_is_downloaded_like_any(at: At) -> None:
    page = at("/deployments/4")
    page.locator("#log-download").click()
    with page.expect_download() as download:
        page.locator('#log-download-menu [data-format="text"]').click()
    assert "line 20 of deployment 4" in Path(download.value.path()).read_text()


def test_the_app_has_a_tab_for_deployments_only_where_there_are_any(
    at: At, server: ServerProcess, container: Callable[..., Any]
) -> None:
    page = at("/apps/web/logs")
    expect(page.locator(".tabs a")).to_have_text(
        ["Logs", "Metrics", "Deployments", "Terminal", "Configuration"]
    )
    page.keyboard.press("g")
    page.keyboard.press("d")
    expect(page).to_have_url(re.compile(r"/apps/web/deployments$"))
    expect(page.locator(".deploys-row")).to_have_count(3)
    expect(row(page, 1).get_by_role("button", name="Back to release 1")).to_be_visible()
    expect(row(page, 2).get_by_role("button")).to_have_count(0)


def test_any_two_releases_are_compared_in_the_address(at: At) -> None:
    page = at("/apps/web/configuration")
    expect(page.locator("#configuration-now")).to_have_text("Release 2 serves.")
    fields = page.locator("#configuration-fields")
    expect(fields).to_contain_text("512m")
    expect(fields).to_contain_text("DB_PASSWORD")
    differs = page.locator("#configuration-difference")
    expect(page.get_by_label("Compare from release 1")).to_be_checked()
    expect(page.get_by_label("Compare to release 2")).to_be_checked()
    expect(differs.locator("tbody tr")).to_have_count(2)  # what serves, and what served before
    page.get_by_label("Compare to release 3").check()
    expect(differs).to_contain_text("nginx -x")
    page.reload()
    expect(differs).to_contain_text("nginx -x")
    expect(page.get_by_label("Compare to release 3")).to_be_checked()
    page.go_back()
    expect(page.get_by_label("Compare to release 2")).to_be_checked()
    expect(differs.locator("tbody tr")).to_have_count(2)


def test_back_closes_the_form_and_keeps_what_was_written(at: At) -> None:
    page = at("/apps/web/configuration")
    page.get_by_role("button", name="Change it").click()
    form = page.locator("#configuration-form")
    image = form.get_by_label("Image", exact=True)
    image.fill("nginx:other")
    page.go_back()
    expect(form).to_be_hidden()
    expect(page.locator("#configuration-fields")).to_be_visible()
    page.go_forward()
    expect(image).to_have_value("nginx:other")
    page.reload()
    expect(image).to_be_visible()
    form.get_by_role("button", name="Cancel").click()
    expect(form).to_be_hidden()
    assert "#edit" not in page.url


def test_older_releases_are_asked_for_and_a_removed_image_is_said(at: At, page: Page) -> None:
    """Page by page, to the first one."""

    def play(route: Route) -> None:
        answer = route.fetch()
        told = answer.json()
        before = int(parse_qs(urlsplit(route.request.url).query).get("before", ["61"])[0])
        newest = told["releases"][0] if told["releases"] else kept[0]
        kept[:] = [newest]
        numbers = range(before - 1, max(0, before - 51), -1)
        made = [{**newest, "number": n, "serving": n == 60} for n in numbers]
        made[-1]["can_return"], made[-1]["image_is"] = False, "gone"
        following = numbers[-1] if numbers[-1] > 1 else None
        route.fulfill(json={"releases": made, "serving": 60, "next": following})

    kept: list[dict[str, Any]] = []
    page.route("**/api/v1/apps/web/releases*", play)
    at("/apps/web/configuration")
    rows = page.locator("#configuration-releases tr")
    expect(rows).to_have_count(50)
    expect(rows.nth(1)).to_contain_text("its image was removed, and is pulled again")
    expect(rows.nth(49)).to_contain_text("its image was removed, and no registry has it")
    expect(rows.nth(49).get_by_role("button")).to_have_count(0)
    page.get_by_role("button", name="Show older releases").click()
    expect(rows).to_have_count(60)
    expect(page.get_by_role("button", name="Show older releases")).to_have_count(0)


def test_the_first_deployment_is_beside_nothing_usual(at: At) -> None:
    """It is not compared with itself, nor with those after it."""
    page = at("/deployments/1")
    expect(page.locator("#deployment-steps .step-took").first).to_have_text("2 s")
    expect(page.locator("#deployment-steps .step-usual").first).to_have_text("")


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_a_domain_that_is_none_is_said_beside_it(
    new_context: Contexts, server: ServerProcess, sign_in: SignIn, locale: str
) -> None:
    """While one writes and after Deploy, and what was written stays."""
    context = new_context(locale=locale)
    sign_in(context, server)
    page = context.new_page()
    page.add_init_script("Object.defineProperty(navigator, 'platform', {get: () => 'MacIntel'})")
    page.goto(f"{server.url}/apps/web/configuration#edit")
    form = page.locator("#configuration-form")
    host = form.get_by_label("Domain" if locale == "en" else "域名", exact=True)
    host.fill("no domain!")
    says = "no domain! is not a domain" if locale == "en" else "no domain!"
    error = page.locator(f"#{host.get_attribute('id')}-error")
    expect(error).to_contain_text(says, ignore_case=True)
    expect(error).not_to_contain_text("oute.host")
    deploy = form.locator(".edit-choices .main")
    expect(deploy.locator("kbd")).to_have_text("⌘ ⏎")  # as this machine names them
    deploy.click()
    expect(host).to_be_focused()
    expect(error).to_be_visible()
    expect(host).to_have_value("no domain!")


@pytest.mark.parametrize("path", ["/deployments", "/deployments/3", "/apps/web/configuration"])
def test_pages_fit_a_telephone_in_chinese_and_in_the_dark(
    path: str, new_context: Contexts, server: ServerProcess, sign_in: SignIn, shot: Shot
) -> None:
    context = new_context(
        viewport={"width": 360, "height": 740}, color_scheme="dark", locale="zh-CN"
    )
    sign_in(context, server)
    context.add_cookies([{"name": "lang", "value": "zh", "url": server.url}])
    page = context.new_page()
    page.goto(server.url + path)
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    expect(page.locator("main")).to_contain_text(re.compile("失败|配置|服务"))
    assert has_no_sideways_scroll(page)
    shot(page, f"deployments{path.replace('/', '-')}-zh-360")


def test_a_stack_says_in_the_readers_language_what_was_not_begun(
    new_context: Contexts, server: ServerProcess, sign_in: SignIn, shot: Shot
) -> None:
    context = new_context(viewport={"width": 360, "height": 740}, locale="zh-CN")
    sign_in(context, server)
    context.add_cookies([{"name": "lang", "value": "zh", "url": server.url}])
    page = context.new_page()
    page.goto(f"{server.url}/deployments?stack=mall&run=1")
    parts = page.locator(".stack-parts")
    expect(page.get_by_role("heading", name="应用组 mall")).to_be_visible()
    expect(parts.locator("[data-service=web]")).to_contain_text("没有开始：")
    expect(parts.locator("[data-service=web]")).to_contain_text("Docker 的 Swarm 模式未启用")
    expect(parts.locator("[data-service=mail]")).to_contain_text("它依赖的应用没有在服务")
    expect(parts.get_by_role("link", name="mall.db")).to_have_attribute("href", "/deployments/2")
    assert has_no_sideways_scroll(page)
    shot(page, "deployments-stack-zh-360")
