"""The page of alerts: a receiver made and tried, an alert that comes and is looked at, what was told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

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
    dialog.get_by_label("Name").fill("the robot")
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


def test_on_a_phone_in_chinese(person: Person, people: Callable[..., BrowserContext]) -> None:
    """Nothing stands out of 360 px, and nothing is left in English but names."""
    page = opened(people(person, viewport={"width": 360, "height": 740}, locale="zh-CN"), person)
    expect(page.locator("h1")).to_have_text("告警")
    expect(page.locator("#rules")).to_contain_text("应用异常退出")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("button", name="添加接收方").click()
    expect(page.locator("dialog[open]")).to_contain_text("接收团队中没有指定去向的全部告警")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.keyboard.press("Escape")
    page.get_by_role("button", name="添加规则").click()
    expect(page.locator("dialog[open]")).to_contain_text("观察对象")
