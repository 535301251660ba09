"""Webhooks in a real browser: made, shown once, called, switched off, deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.support import ServerProcess, patient

pytestmark = [pytest.mark.browser, pytest.mark.engine]


def test_a_webhook_from_its_making_to_its_end(
    page: Page,
    house: ServerProcess,
    box: Any,
    sign_in: Callable[[Any, ServerProcess], None],
    shot: Callable[[Any, str], None],
) -> None:
    """Its secret and address are shown once, and good; what came of a call is in the list."""
    sign_in(page, house)
    path = f"{house.url}/apps/{box.name}/configuration"
    page.goto(path)
    form, items = page.locator("#webhook-form"), page.locator("#webhooks > .item")
    form.locator("[name=kind]").select_option("plain")
    form.locator("[name=branch]").fill("main")
    form.locator("[name=paths]").fill("src/ !docs/")
    form.locator("[type=submit]").click()
    expect(items).to_have_count(1)
    address, secret = page.locator("#webhook-made code").all_inner_texts()
    expect(items).to_contain_text("src/ !docs/")
    expect(items).to_contain_text("never called")
    page.set_viewport_size({"width": 360, "height": 740})
    shot(page, "webhook-made")
    wide = "document.documentElement.scrollWidth <= window.innerWidth"
    assert page.evaluate(wide)
    headers = {"X-CloudBang-Token": secret}
    answer = httpx.post(
        address, json={"branch": "dev"}, headers=headers, trust_env=False, timeout=patient(20)
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing-to-fetch")
    page.reload()
    expect(page.locator("#webhook-made code")).to_have_count(0)
    expect(items).to_contain_text("failed (nothing-to-fetch)")
    assert secret not in page.content()
    items.get_by_role("button", name="Switch off").click()
    expect(items).to_contain_text("switched off")
    answer = httpx.post(address, headers=headers, trust_env=False, timeout=patient(20))
    assert answer.json()["code"] == "webhook-off"
    items.get_by_role("button", name="Delete").click()
    items.get_by_role("button", name="Delete").click()
    expect(items).to_have_count(0)


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_what_is_wrong_stands_beside_its_field(
    new_context: Callable[..., Any],
    house: ServerProcess,
    box: Any,
    sign_in: Callable[[Any, ServerProcess], None],
    locale: str,
) -> None:
    """And what was written stays, also where nobody answers."""
    context = new_context(locale=locale)
    sign_in(context, house)
    page = context.new_page()
    page.goto(f"{house.url}/apps/{box.name}/configuration")
    form = page.locator("#webhook-form")
    form.locator("[name=branch]").fill("main")
    form.locator("[name=paths]").fill("x" * 600)
    form.locator("[type=submit]").click()
    paths = page.locator("#webhook-paths-error")
    expect(paths).to_contain_text("500")
    expect(form.locator("[name=paths]")).to_be_focused()
    expect(form.locator("[name=paths]")).to_have_value("x" * 600)
    page.route("**/webhooks", lambda route: route.abort())
    form.locator("[name=paths]").fill("src/")
    form.locator("[type=submit]").click()
    says = "The server does not answer" if locale == "en" else "服务器没有响应"
    expect(form.locator(".error")).to_contain_text(says)
    expect(paths).to_be_hidden()
    expect(form.locator("[name=branch]")).to_have_value("main")
