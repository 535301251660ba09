"""What comes again is one row that counts; what is said how often stands beside the log."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_logs import open_log, row
from tests.support import ServerProcess

__all__ = ["open_log"]
pytestmark = [pytest.mark.browser, pytest.mark.engine]

AGAIN = r"""
echo listening on 0.0.0.0:8080
for n in 1 2 3 4 5; do echo "ERROR $(date -u +%H:%M:%S) no database"; done
for n in 1 2 3; do echo "INFO order $n of ana$n@shop.de took 1$n ms"; done
echo "the last of them"
while [ ! -e /more ]; do sleep 0.1; done
for n in 1 2 3 4; do echo "INFO order 9$n of li@shop.de took 7 ms"; done
while :; do echo "waiting for the database"; sleep 0.2; done
"""


@pytest.mark.slow("lines come one after the other, and a row is opened in five ways")
def test_what_comes_again_is_one_row(
    open_log: Callable[..., Page], container: Callable[..., Any]
) -> None:
    """It counts while more comes; it opens by a click, by a key, by a link and by a search, and is
    copied whole."""
    name = f"logs-again-{uuid.uuid4().hex[:8]}"  # the engine tells of earlier runs' containers too
    one = container(AGAIN, name=name)
    page = open_log(name, lines=10)
    again = row(page, "no database").locator(".row-again")
    expect(again).to_contain_text("×5")
    rows = page.locator(".row:not(.row-marker)")
    expect(rows).to_have_count(6)
    again.click()
    expect(rows).to_have_count(10)
    expect(again).to_have_attribute("aria-expanded", "true")
    row(page, "no database").locator(".row-text").click()
    page.keyboard.press("Enter")
    page.keyboard.press("r")
    expect(rows).to_have_count(6)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.keyboard.press("c")
    expect(page.locator("#log-said")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").count("no database") == 5

    # Those that differ in numbers and names alone, where one wants them so.
    page.keyboard.press(".")
    page.get_by_label("… and what differs in numbers and names alone").check()
    page.keyboard.press("Escape")
    expect(row(page, "INFO order 1 ").locator(".row-again")).to_contain_text("×3")
    expect(rows).to_have_count(4)
    page.locator("#log-find").fill("order 3")
    page.keyboard.press("Enter")
    expect(row(page, "INFO order 3 ")).to_have_class(re.compile("row-cursor"))
    page.locator("#log-find").fill("")
    row(page, "INFO order 1 ").locator(".row-again").click()
    expect(rows).to_have_count(4)

    # Live, the row counts; nothing moves but its number.
    page.keyboard.press("Escape")
    page.locator("#log-follow").focus()
    assert one.exec_run(["touch", "/more"]).exit_code == 0
    page.locator("#log-new").click() if page.locator("#log-new").is_visible() else None
    waiting = row(page, "waiting for the database").locator(".row-again")
    expect(waiting).to_contain_text("×3")
    expect(waiting).to_contain_text("×7")
    expect(row(page, "INFO order 91 ").locator(".row-again")).to_contain_text("×4")
    # A link into it opens it.
    page.goto(f"{page.url.split('#')[0]}#L4")
    expect(page.locator('.row[data-seq="4"]')).to_be_visible()


def test_patterns_beside_the_log(
    open_log: Callable[..., Page], container: Callable[..., Any], server: ServerProcess
) -> None:
    """Errors first; a click shows their lines alone; by keyboard, and what is new since the container
    was made."""
    name = f"logs-patterns-{uuid.uuid4().hex[:8]}"
    container(AGAIN, name=name)
    page = open_log(name, lines=10)
    page.keyboard.press("p")
    texts = page.locator("#patterns-list .pattern-text")
    expect(texts).to_have_text(
        [
            "ERROR <time> no database",
            "INFO order <n> of <mail> took <duration>",
            "listening on <ip>",
            "the last of them",
        ]
    )
    expect(page.locator(".pattern-count")).to_have_text(["5", "3", "1", "1"])
    expect(page.locator(".pattern-change")).to_have_text(["new"] * 4)
    page.get_by_role("button", name="New since the last deployment").click()
    expect(texts).to_have_count(4)
    expect(page.locator("#patterns-new")).to_have_attribute("aria-pressed", "true")
    page.locator("#patterns-find").fill("info order")
    expect(texts).to_have_count(1)
    page.keyboard.press("ArrowDown")
    expect(texts.first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".row-text")).to_have_text(
        [f"INFO order {n} of ana{n}@shop.de took 1{n} ms" for n in (1, 2, 3)]
    )
    chips = page.locator("#log-terms-list > *")
    expect(chips).to_have_count(1)
    page.locator("#log-clear").click()
    page.get_by_role("button", name="Leave them out").click()
    expect(chips).to_have_count(1)
    expect(page.locator(".row-text", has_text="order")).to_have_count(0)
    expect(page.locator(".row-text", has_text="listening")).to_have_count(1)
    page.locator("#patterns-find").focus()
    page.keyboard.press("Escape")
    expect(page.locator("#log-patterns")).to_be_hidden()
    page.set_viewport_size({"width": 360, "height": 700})
    page.locator("#log-patterns-button").click()
    page.get_by_role("button", name="Show the last one").first.click()
    expect(page.locator("#log-patterns")).to_be_hidden()
    expect(page.locator(".row-linked")).to_contain_text("INFO order 3")
