"""An app whose memory ran out, as a person sees it: the card with its limit and its last words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import docker
import pytest
from playwright.sync_api import Page, expect

from tests.browser import axe
from tests.support import ServerProcess, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.engine]

SignIn = Callable[[Any, ServerProcess], None]
Shot = Callable[[Any, str], None]


@pytest.mark.slow("some seconds of it have to be measured before")
def test_a_kill_for_want_of_memory_is_a_card_that_stays(
    page: Page,
    sign_in: SignIn,
    server: ServerProcess,
    docker_client: docker.DockerClient,
    image: str,
    shot: Shot,
) -> None:
    """Which limit, what it logged last, the way there; by keyboard, in a narrow window, and over a
    reload until somebody puts it away."""
    fill = "(x=a; while :; do x=$x$x; done); sleep 100000"
    one = docker_client.containers.run(
        image,
        ["sh", "-c", f"sleep 7; echo the last words; {fill}"],
        name="metrics-full",
        detach=True,
        labels={"cloudbang.test": "metrics"},
        network_mode="none",
        mem_limit="8m",
        memswap_limit="8m",
    )
    try:
        sign_in(page, server)
        wait_until(lambda: "metrics-full" in str(server.get("/api/v1/apps")), 20)
        page.goto(f"{server.url}/apps/metrics-full/logs")
        card = page.get_by_role("region", name="Out of memory")
        expect(card.locator("#oom-limit")).to_have_text(
            "Out of memory: its limit of 8 MiB was full, and the kernel killed a process.",
        )
        card.locator("summary").focus()
        page.keyboard.press("Enter")
        expect(card.locator("#oom-lines")).to_contain_text("the last words")
        expect(card.locator("#oom-numbers")).to_contain_text("8 MiB")
        assert axe.found(page, "the card, opened", "#oom") == []
        shot(page, "oom-card")
        page.set_viewport_size({"width": 360, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        shot(page, "oom-card-narrow")
        page.reload()
        expect(card).to_be_visible()
        card.get_by_role("button", name="Put this away").click()
        expect(card).to_be_hidden()
        page.reload()
        expect(page.locator("#connection")).to_have_attribute("data-state", "live")
        expect(card).to_be_hidden()
    finally:
        one.remove(force=True)
