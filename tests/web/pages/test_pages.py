"""What the HTML of a page holds: what it is about, and nothing that grows with all apps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from cloudbang.web.flask_app import TEMPLATES
from tests.web.web_support import Client, WebGround

NASTY = "</script><script>alert(1)</script><!-- & \u2028 é 你好"


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebGround]:
    made = WebGround(tmp_path_factory.mktemp("web"))
    made.log("web", [f"line {i}" for i in range(1, 301)])
    made.log("nasty", [NASTY])
    made.log("long", ["x" * 10_000 for _ in range(20)])
    made.log("longest", ["short", "x" * 100_000])
    yield made
    made.close()


@pytest.fixture(scope="module")
def browser(full: WebGround) -> Client:
    return full.person()


def data(html: str, id: str) -> Any:
    found = re.search(rf'<script type="application/json" id="{id}">(.*?)</script>', html, re.S)
    assert found, f"no {id}"
    return orjson.loads(found[1])


def first_lines(browser: Client, app: str) -> Any:
    return data(browser.get(f"/apps/{app}/logs").text, "log-lines")


def test_a_log_page_comes_with_the_end_of_its_log(full: WebGround, browser: Client) -> None:
    """The last 200 lines as the live socket sends them, up to the next seq."""
    drawn = first_lines(browser, "web")
    assert (drawn["first"], drawn["next"]) == (1, 301)
    lines = browser.get("/api/v1/apps/web/lines?after=100").json["lines"]
    assert drawn["lines"] == lines
    full.log("web", ["one more"])
    drawn = first_lines(browser, "web")
    assert drawn["next"] == 302
    assert drawn["lines"][-1][0::4] == [301, "one more"]


def test_what_a_container_wrote_is_data_and_never_markup(browser: Client) -> None:
    """It comes back as it was, and nothing in it ends the element that it stands in."""
    html = browser.get("/apps/nasty/logs").text
    assert data(html, "log-lines")["lines"][0][4] == NASTY
    assert "alert(1)</script>" not in html
    assert "<!--" not in html


def test_first_lines_are_few_bytes(browser: Client) -> None:
    """As many as fit, the newest; none when the last alone is too long."""
    assert len(first_lines(browser, "long")["lines"]) == 6
    drawn = first_lines(browser, "longest")
    assert (drawn["lines"], drawn["next"]) == ([], 3)


def test_no_page_holds_a_list_of_all_apps(full: WebGround, browser: Client) -> None:
    """A page knows the app that it is about; a hundred others make it no longer."""
    paths = ("/", "/apps/web/logs", "/apps/web/terminal", "/terminals", "/settings")
    before = [len(browser.get(path).data) for path in paths]
    for i in range(100):
        full.log(f"other-{i}", ["hello"])
    for path, size in zip(paths, before, strict=True):
        answer = browser.get(path)
        assert answer.status_code == 200
        assert "other-" not in answer.text, path
        assert abs(len(answer.data) - size) < 100, path
    assert data(browser.get("/apps/web/logs").text, "app-data")["name"] == "web"


def test_the_csrf_token_is_written_differently_in_each_page(browser: Client) -> None:
    """What is the same in each answer could be guessed from how small they get; each is good."""
    tokens = [
        found[1]
        for _ in range(3)
        if (found := re.search(r'csrf-token" content="([^"]+)"', browser.get("/").text))
    ]
    assert len(set(tokens)) == 3
    for i in range(20, len(tokens[0]) - 20, 20):  # no stretch of it stays
        assert len({token[i : i + 20] for token in tokens}) == 3
    for token in tokens:
        answer = browser.post("/api/v1/tokens", {"name": "x"}, headers={"X-CSRF-Token": token})
        assert answer.status_code == 201, answer.text


def test_no_form_is_sent_by_the_browser_itself() -> None:
    """A password would be in the address bar, and in the log of every proxy on the way: each form
    names the method post, and what sends it waits for the script."""
    forms = [
        (path.name, form)
        for path in TEMPLATES.rglob("*.html")
        for form in re.findall(r"<form\b.*?</form>", path.read_text(), re.S)
    ]
    assert len(forms) >= 6
    for name, form in forms:
        assert 'method="post"' in form.partition(">")[0], name
        buttons = [b for b in re.findall(r"<button\b[^>]*>", form) if 'type="button"' not in b]
        assert buttons, name
        assert all(" disabled" in button for button in buttons), name


@pytest.mark.parametrize(
    "wanted", ["/\r\nSet-Cookie: x", "/a\tb", "/\x00", "/\x7f", "//evil.example", "/\\evil.example"]
)
def test_a_way_back_that_is_no_path_leads_to_the_apps(browser: Client, wanted: str) -> None:
    """Control characters among others: no header can carry them."""
    answer = browser.get("/sign-in", query_string={"next": wanted})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_a_doubled_slash_leads_to_the_path_alone(browser: Client) -> None:
    """A proxy in front knows better by which scheme and name the browser asked."""
    answer = browser.get("/apps//web?a=b", base_url="http://inside:8188")
    assert (answer.status_code, answer.headers["Location"]) == (308, "/apps/web?a=b")
