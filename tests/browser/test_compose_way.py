"""From a Compose file to apps, as far as it is looked at before anything is deployed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.engine]


@pytest.fixture
def opened(page: Page, server: ServerProcess, sign_in: Any) -> Page:
    sign_in(page, server)
    page.goto(f"{server.url}/new?from=compose")
    expect(page.get_by_role("textbox", name="Compose file")).to_be_visible()
    return page


def test_a_compose_file_is_looked_at_before(opened: Page) -> None:
    page = opened
    page.get_by_role("textbox", name="Compose file").fill(
        "name: shop\nservices:\n  db: {image: postgres, privileged: true}\n"
        '  web: {image: "web:${V:?}", depends_on: [db], ports: ["8099:80"]}\n'
    )
    expect(page.get_by_text("Give a value to V")).to_be_visible()
    page.get_by_role("textbox", name="V", exact=True).fill("7")
    web = page.locator("[data-service=web]")
    expect(web).to_contain_text("web:7")
    expect(page.locator(".new-left")).to_contain_text("privileged")
    expect(page.locator(".new-order")).to_contain_text("Port 8099/tcp of this machine")
    web.locator("summary").first.click()
    expect(web.get_by_role("button", name="YAML")).to_be_visible()
    page.get_by_role("textbox", name="Compose file").fill("services: {a: {imagee: x}}")
    expect(page.get_by_text("imagee")).to_have_count(1)
    expect(page.get_by_role("alert").filter(has_text="Compose says")).to_be_visible()


def test_a_variable_says_where_it_is_named_and_what_sets_it(opened: Page, tmp_path: Path) -> None:
    """In the file's own words; its line is a click away, a .env can be pasted, and an example of one
    stands for it."""
    page = opened
    area = page.get_by_role("textbox", name="Compose file")
    area.fill('services:\n  web:\n    image: "web:${TAG:?which one}"\n')
    row = page.locator(".new-variables .form-row")
    expect(row).to_contain_text("Line 3 · which one")
    row.get_by_role("button", name="Line 3").click()
    chosen = area.evaluate("el => el.value.slice(el.selectionStart, el.selectionEnd)")
    assert chosen == '    image: "web:${TAG:?which one}"'
    page.get_by_text("Text of its .env").click()
    env = page.get_by_role("textbox", name="Text of its .env")
    env.fill("TAG=8\n")
    expect(row).to_contain_text("Set by .env")
    expect(page.locator("[data-service=web]")).to_contain_text("web:8")
    env.fill("")
    expect(row).to_contain_text("Line 3 · which one")
    (tmp_path / "compose.yaml").write_text('services: {web: {image: "web:$TAG"}}')
    (tmp_path / ".env.example").write_text("TAG=9\n")
    page.locator("input[type=file]").set_input_files(tmp_path)
    expect(row).to_contain_text("Line 1 · Set by .env.example")
    expect(page.locator("[data-service=web]")).to_contain_text("web:9")
