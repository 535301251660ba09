"""What a row of the log shows is what is found, marked and counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_logs import open_log, row
from tests.support import ServerProcess

__all__ = ["open_log"]
pytestmark = [pytest.mark.browser, pytest.mark.engine]

LINES = r"""
printf '%s\n' '{"level":"info","message":"\u5e93\u5b58\u4e0d\u8db3","status":503,"order":812345678901234567}'
printf '%s\n' '{"level":"ERROR","fields":{"message":"no stock"},"target":"shop"}'
printf '%s\n' '{"@mt":"User {Name} took {Ms} ms","Name":"Li","Ms":12}'
printf 'see https://example.org/\033[1mfoo\033[0m-bar/7 now\n'
printf '19 plots done\r\n'
printf '\033[31mERROR\033(B\033[m: queue is full\n'
sleep 1000000
"""


def test_what_a_row_shows_is_found_and_marked(
    open_log: Callable[..., Page], container: Callable[..., Any], server: ServerProcess
) -> None:
    """JSON decoded, every digit, links whole; what only the line as it was written has is said."""
    container(LINES, name="logs-rows")
    page = open_log("logs-rows", lines=6)
    texts = page.locator("#log-slice .row-text")
    expect(texts).to_have_text(
        [
            "库存不足 status=503 order=812345678901234567",
            "no stock target=shop",
            "User Li took 12 ms",
            "see https://example.org/foo-bar/7 now",
            "19 plots done",
            "ERROR: queue is full",
        ]
    )
    find, marks = page.locator("#log-find"), page.locator("#log-slice mark")
    for words, marked in (
        ("库存", ["库存"]),
        ("status=503", ["status=", "503"]),
        ("812345678901234567", ["812345678901234567"]),
        ("bar", ["bar"]),
        ("ERROR: queue", ["ERROR", ": queue"]),
    ):
        find.fill(words)
        expect(marks).to_have_text(marked)
        expect(page.locator("#log-count")).to_have_text("1 found")
    href = page.locator(".row-text a")
    expect(href).to_have_attribute("href", "https://example.org/foo-bar/7")
    find.fill('"status":503')
    expect(row(page, "库存不足").locator(".row-inside")).to_have_text("match inside")
    row(page, "库存不足").locator(".row-text").click()
    expect(page.locator(".detail-raw mark")).to_have_text('"status":503')
    # The server finds the same.
    for words in ("status=503", '"status":503', "库存不足 status"):
        answer = server.client.get("/api/v1/apps/logs-rows/lines", params={"q": words})
        assert [line[0] for line in answer.json()["lines"]] == [1], words
    page.get_by_role("button", name="Filter for it").click()
    expect(find).to_have_value("库存不足")
    expect(texts).to_have_count(1)
