"""The page of alerts: a receiver made and tried, an alert that comes and is looked at, what was told."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.terminal_page import Watch
from tests.support import ServerProcess
from tests.terminal_support import Person


class Hook:
    """Takes what it is told, unless ``refuses``."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.refuses = False
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.asked.append(json.loads(body))
                said = b'{"errcode": 310000, "errmsg": "keywords not in content"}'
                self.send_response(200)
                self.end_headers()
                self.wfile.write(said if hook.refuses else b'{"errcode": 0}')

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/robot/token-of-it"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.close()


@pytest.fixture(scope="module")
def person(shared_server: ServerProcess) -> Iterator[Person]:
    with Person(shared_server.start()) as made:
        yield made


def opened(context: BrowserContext, person: Person) -> Page:
    page = context.new_page()
    page.goto(f"{person.server.url}/alerts")
    expect(page.locator("#alerts-open")).to_have_attribute("aria-busy", "false")
    return page


@pytest.mark.slow("it waits for a container to die, and for the page to show that it was told")
def test_from_a_receiver_to_an_alert_that_was_told(
    person: Person,
    people: Callable[..., BrowserContext],
    hook: Hook,
    container: Callable[..., Any],
) -> None:
    """By keyboard: made, tried (what the service says no with is shown), and told of what died."""
    page = opened(people(person), person)
    expect(page.locator("#rules .item")).to_have_count(7)
    page.keyboard.press("n")
    dialog = page.locator("dialog[open]")
    dialog.get_by_label("What it is called").fill("the robot")
    dialog.get_by_label("Kind").select_option("dingtalk")
    expect(dialog.get_by_label("Mail server")).to_be_hidden()
    dialog.get_by_label("Address").fill(hook.address)
    dialog.get_by_label("It may be on a private network or this machine").check()
    dialog.get_by_role("button", name="Save").click()
    row = page.locator("#receivers .item", has_text="the robot")
    expect(row).to_contain_text("DingTalk")
    assert "token-of-it" not in page.content()

    hook.refuses = True
    row.get_by_role("button", name="Test the robot").click()
    expect(page.locator(".toast")).to_contain_text("310000 keywords not in content")
    hook.refuses = False
    row.get_by_role("button", name="Test the robot").click()
    expect(page.locator(".toast")).to_contain_text("the robot has taken it")
    expect(page.locator("#messages .item")).to_have_count(2)

    one = container("trap 'exit 3' USR1; while :; do sleep 0.1; done")
    page.wait_for_function(
        "name => fetch(`/api/v1/apps/${name}`).then(answer => answer.ok)", arg=one.name
    )
    one.kill("USR1")
    alert = page.locator("#alerts-open .item", has_text=one.name)
    expect(alert).to_contain_text("died, exit code 3")
    expect(alert).to_contain_text("told by 1 message")
    assert any(one.name in json.dumps(said) for said in hook.asked)
    alert.get_by_role("button", name="I look at it").click()
    expect(alert).to_contain_text("admin looks at it")
    page.reload()
    expect(page.locator("#messages .item", has_text=one.name)).to_contain_text("sent")


def test_on_a_phone_in_chinese(
    person: Person, people: Callable[..., BrowserContext], shot: Callable[..., None]
) -> None:
    """Nothing stands out of 360 px, and nothing is left in English but names."""
    page = opened(
        people(person, viewport={"width": 360, "height": 740}, locale="zh-CN", color_scheme="dark"),
        person,
    )
    expect(page.locator("h1")).to_have_text("告警")
    expect(page.locator("#rules")).to_contain_text("应用异常退出")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("button", name="添加接收方").click()
    expect(page.locator("dialog[open]")).to_contain_text("接收团队中没有指定去向的全部告警")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.keyboard.press("Escape")
    shot(page, "alerts-phone")
    page.get_by_role("button", name="添加规则").click()
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("观察对象")
    expect(dialog.get_by_label("团队", exact=True)).to_have_value("default")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    expect(dialog).not_to_contain_text(re.compile("[A-Z][a-z]+ [a-z]+ "))
    shot(page, "alerts-phone-rule")
    dialog.get_by_label("观察对象").select_option("disk")
    expect(dialog).to_contain_text("占磁盘的百分比")
    dialog.get_by_label("观察对象").select_option("traffic")
    expect(dialog).to_contain_text("秒：0.3 即 300 毫秒。")
    expect(dialog).not_to_contain_text(re.compile("[A-Z][a-z]+ [a-z]+ "))
    shot(page, "alerts-phone-traffic")


@pytest.mark.slow("a preview is asked for a moment after the last key; two pages are looked at")
def test_rules_are_changed_and_made_and_every_page_sees_it(
    person: Person,
    people: Callable[..., BrowserContext],
    container: Callable[..., Any],
    shot: Callable[..., None],
    watch: Watch,
) -> None:
    """In percent and in bytes, as people write them; with how often it would have been an alert."""
    watch.allow("status of 422")
    one = container()
    page, other = opened(people(person), person), opened(people(person), person)
    page.wait_for_function(
        "name => fetch(`/api/v1/apps/${name}`).then(answer => answer.ok)", arg=one.name
    )
    page.get_by_role("button", name="Change The disk fills up").click()
    dialog = page.locator("dialog[open]")
    expect(dialog.get_by_label("Begins at")).to_have_value("90")
    expect(dialog.get_by_label("Is over at")).to_have_value("87")
    expect(dialog.get_by_label("Text in a line")).to_be_hidden()
    expect(dialog.get_by_role("status")).to_contain_text(re.compile(r"now: /\S* [\d.]+ %"))
    shot(page, "alerts-disk")
    dialog.get_by_label("Begins at").fill("82.5")
    dialog.get_by_label("Is over at").fill("85")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.locator("[data-error-of='end']")).to_be_visible()
    dialog.get_by_label("Is over at").fill("80")
    dialog.get_by_label("While it lasts, tell again").select_option("3600")
    dialog.get_by_role("button", name="Save").click()
    for each in (page, other):
        row = each.locator("#rules .item", has_text="The disk fills up")
        expect(row).to_contain_text("full to 82.5 %, or in 3 days")
        expect(row).to_contain_text("told again every 1 h")

    page.keyboard.press("r")
    dialog.get_by_label("What it is called").fill("Too much memory")
    dialog.get_by_label("App (empty: each of the team)").fill(one.name)
    dialog.get_by_label("Begins at").fill("much")
    dialog.get_by_role("button", name="Save").click()
    assert not dialog.get_by_label("Begins at").evaluate("input => input.checkValidity()")
    expect(dialog).to_contain_text("Bytes: 200M, 1.5G.")
    dialog.get_by_label("Begins at").fill("1.5G")
    expect(dialog.get_by_role("status")).to_contain_text(
        re.compile("Would have been no alert|Nothing of this was measured")
    )
    shot(page, "alerts-rule")
    dialog.get_by_role("button", name="Save").click()
    row = other.locator("#rules .item", has_text="Too much memory")
    expect(row).to_contain_text("memory over 1.5 GiB, for 2 min")
    expect(row).to_contain_text(one.name)
    page.get_by_role("button", name="Change Too much memory").click()
    expect(dialog.get_by_label("Begins at")).to_have_value("1.5G")
    dialog.get_by_label("As a share of").select_option("memory.limit")
    dialog.get_by_label("Begins at").fill("90")
    dialog.get_by_label("Is over at").fill("")
    dialog.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("memory over memory.limit: 90 %")
    page.get_by_role("button", name="Add a rule").click()
    dialog.get_by_label("What it is called").fill("Slow")
    dialog.get_by_label("What it looks at").select_option("traffic")
    expect(dialog.get_by_label("Metric")).to_be_hidden()
    dialog.get_by_label("Of all requests").select_option("errors")
    dialog.get_by_label("Address (empty: all of the app)").fill("GET /users/:id")
    dialog.get_by_label("Begins at").fill("5")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.locator(".error, .field-error").locator("visible=true").first).to_be_visible()
    dialog.get_by_label("App (empty: each of the team)").fill(one.name)
    expect(dialog.get_by_role("status")).to_contain_text("no app that was asked for anything")
    shot(page, "alerts-traffic")
    dialog.get_by_role("button", name="Save").click()
    row = other.locator("#rules .item", has_text="Slow")
    expect(row).to_contain_text("GET /users/:id: 5 % of the requests fail, for 2 min")
    row = other.locator("#rules .item", has_text="Too much memory")
    delete = page.get_by_role("button", name="Delete Too much memory")
    delete.click()
    page.get_by_role("button", name="Delete Too much memory: Really?").click()
    expect(row).to_have_count(0)
