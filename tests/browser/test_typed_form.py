"""The form of a new app under a keyboard: letter by letter, as people fill it in."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_new_app import spec_of
from tests.support import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.engine]

ROWS = [
    ("A variable", ("GREETING", "hello")),
    ("A variable", ("GREET", "you")),
    ("A secret", ("API_KEY", "s3cret")),
    ("A secret", ("API", "taken away")),
    ("A volume", ("data", "/var/lib/data")),
    ("A volume", ("/srv/shop", "/shop")),
    ("A port", ("8053", "53")),
    ("A label", ("com.example.team", "shop")),
]
FIELDS = {
    "Command": "sh -c 'echo hi there'",
    "Release command": "migrate --all",
    "Instances": "12",
    "Memory": "256m",
    "Processors": "0.25",
    "Networks": "front, back",
    "Seconds to stop": "15",
}
SPEC = """\
image: nginx:1.27
env:
  GREETING: hello
  GREET: you
secrets:
  API_KEY: null
volumes:
  - name: data
    path: /var/lib/data
  - source: /srv/shop
    path: /shop
ports:
  - published: 8053
    target: 53
labels:
  com.example.team: shop
command: sh -c 'echo hi there'
release_command: migrate --all
replicas: 12
memory: 256m
cpus: 0.25
networks:
  - front
  - back
stop_grace: 15
"""


def test_a_form_that_is_typed_says_what_was_typed(
    page: Page, server: ServerProcess, sign_in: Any
) -> None:
    """Of no field is anything left of what was there on the way, and what is taken away is gone."""
    sign_in(page, server)
    page.goto(f"{server.url}/new")
    image = page.get_by_role("textbox", name="Image", exact=True)
    image.focus()
    page.keyboard.type("nginx:1.27")
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    for add, texts in ROWS:
        page.get_by_role("button", name=add, exact=True).click()
        page.keyboard.type(texts[0])
        page.keyboard.press("Tab")
        page.keyboard.type(texts[1])
    key = page.get_by_role("textbox", name="Secrets: Key")
    expect(key).to_have_count(2)
    key.nth(1).locator("..").get_by_role("button").click()
    expect(key).to_have_count(1)
    for name, text in FIELDS.items():
        page.get_by_role("textbox", name=name, exact=True).first.focus()
        page.keyboard.type(text)
    assert spec_of(page) == SPEC
