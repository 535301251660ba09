"""What an app's menu offers who manages it: by keyboard, with what will be deleted said before."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support import ServerProcess, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.engine]

Containers = Callable[..., Any]
SignIn = Callable[[Any, ServerProcess], None]


Open = Callable[[str], Any]


@pytest.fixture
def open_app(page: Page, server: ServerProcess, sign_in: SignIn, container: Containers) -> Open:
    """An app that runs and has logged three lines; its page is open."""

    def go(name: str) -> Any:
        made = container("echo one; echo two; echo three; sleep 1000000", name=name)
        sign_in(page, server)
        wait_until(lambda: next_seq(server, name) >= 4, 30, "three lines", every=0.2)
        page.goto(f"{server.url}/apps/{name}/logs")
        expect(page.locator(".row", has_text="three")).to_be_visible()
        return made

    return go


def next_seq(server: ServerProcess, name: str) -> int:
    answer = server.client.get(f"/api/v1/apps/{name}/lines", params={"limit": 1})
    return int(answer.json()["next"]) if answer.status_code == 200 else 0


def choose(page: Page, name: str) -> None:
    """An item of the menu, with the keyboard alone."""
    page.locator("#app-manage").focus()
    page.keyboard.press("Enter")
    item = page.get_by_role("button", name=name)
    expect(item).to_be_visible()
    item.focus()
    page.keyboard.press("Enter")


def test_an_apps_log_is_deleted(page: Page, open_app: Open, server: ServerProcess) -> None:
    """The dialog says lines, bytes and times; Escape and the first button keep everything; the
    rows go when the log does, and what comes goes on with the next seq."""
    app = open_app("removal-log")
    choose(page, "Delete its log…")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("3 lines")
    expect(dialog).to_contain_text(re.compile(r"\d+ B on the disk"))
    expect(dialog).to_contain_text("From ")
    expect(dialog).to_contain_text("Its containers are not touched")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    assert server.client.get("/api/v1/apps/removal-log/lines").json()["lines"]
    expect(page.get_by_role("button", name="Delete this app…")).to_be_hidden()
    choose(page, "Delete its log…")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".row", has_text="three")).to_have_count(0)
    assert server.client.get("/api/v1/apps/removal-log/lines").json() == {
        "lines": [],
        "levels": [],
        "entries": [],
        "first": 4,
        "next": 4,
    }
    app.reload()
    assert app.status == "running"
    choose(page, "Delete its log…")
    expect(page.get_by_role("dialog")).to_contain_text("No line of it is kept.")


def test_an_app_that_is_gone_is_put_away_and_deleted(
    page: Page, open_app: Open, server: ServerProcess
) -> None:
    """Out of the list and found behind its number; deleted, nothing of it is left."""
    app = open_app("removal-app")
    app.remove(force=True)
    expect(page.locator("#app-facts")).to_contain_text("Only logs kept")
    choose(page, "Put away until it comes back")
    expect(page).to_have_url(f"{server.url}/")
    expect(page.locator("#apps-list [data-app=removal-app]")).to_have_count(0)
    page.get_by_role("button", name=re.compile("gone$")).click()
    page.locator("#apps-list [data-app=removal-app] .app-link").click()
    choose(page, "Show it in the lists again")
    expect(page.locator("#app-facts")).to_contain_text("Only logs kept")
    choose(page, "Delete this app…")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("3 lines")
    expect(dialog).to_contain_text(re.compile(r"\d+ events? of it"))
    dialog.get_by_role("button", name="Delete the app").click()
    expect(page).to_have_url(f"{server.url}/")
    assert server.client.get("/api/v1/apps/removal-app").status_code == 404


def test_gone_apps_that_match_the_filter_are_offered(
    page: Page, open_app: Open, server: ServerProcess
) -> None:
    """With how many they are; beside what runs, and where nothing that has containers matches."""
    open_app("removal-old").remove(force=True)
    expect(page.locator("#app-facts")).to_contain_text("Only logs kept")
    page.goto(f"{server.url}/")
    row = page.locator("#apps-list [data-app=removal-old]")
    page.get_by_role("searchbox", name="Filter the apps").fill("old REMOVAL")
    offer = page.get_by_role("button", name="1 app that is gone matches")
    expect(offer).to_be_visible()
    expect(row).to_have_count(0)
    offer.click()
    expect(row).to_be_visible()
    expect(offer).to_have_count(0)
    page.goto(f"{server.url}/?q=removal-old&show=up")
    expect(page.locator("#apps-list")).to_contain_text("1 app that is gone matches")
    page.get_by_role("button", name="Show them").click()
    expect(row).to_be_visible()
    page.get_by_role("searchbox", name="Filter the apps").fill("no such name")
    expect(page.locator("#apps-list")).to_contain_text("No app matches.")
