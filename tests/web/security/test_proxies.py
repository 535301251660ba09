"""Who is at the other end, through the proxies that are trusted, and what the others are told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudbang.config import ServerSettings
from cloudbang.errors import SettingError
from cloudbang.web.security.proxies import ClientInfo, CrossSite, Proxies
from tests.web.api.test_account import code
from tests.web.web_support import PASSWORD, WebGround


@pytest.fixture
def behind_proxy(tmp_path: Path) -> Iterator[WebGround]:
    """A web side that trusts the proxy on this machine."""
    made = WebGround(tmp_path, server={"trusted_proxies": ["127.0.0.1"]})
    yield made
    made.close()


def environ(**values: str) -> dict[str, Any]:
    return {
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "HTTP_HOST": "cloud.example:8188",
        **values,
    }


def proxies(*trusted: str, public_url: str = "") -> Proxies:
    return Proxies(ServerSettings(trusted_proxies=trusted, public_url=public_url))


@pytest.mark.parametrize(
    ("trusted", "forwarded", "expected"),
    [
        ((), "203.0.113.9", "127.0.0.1"),
        (("10.0.0.0/8",), "203.0.113.9", "127.0.0.1"),
        (("127.0.0.1",), "203.0.113.9", "203.0.113.9"),
        (("127.0.0.1",), "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (("127.0.0.1", "10.0.0.0/8"), "6.6.6.6, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
        (("127.0.0.1",), "203.0.113.9:41000", "203.0.113.9"),
        (("127.0.0.1",), "[2001:db8::1]:41000", "2001:db8::1"),
        (("127.0.0.1",), "2001:db8::1", "2001:db8::1"),
        (("127.0.0.1",), "unknown", "127.0.0.1"),
        (("127.0.0.1",), "203.0.113.9, <script>", "127.0.0.1"),
        (("127.0.0.1",), "", "127.0.0.1"),
        (("127.0.0.0/8",), "127.0.0.5, 127.0.0.9", "127.0.0.5"),
    ],
)
def test_the_guest_seen_through_trusted_proxies(
    trusted: tuple[str, ...], forwarded: str, expected: str
) -> None:
    """From the right, the first hop that is not trusted is the guest; the rest is made up."""
    found = proxies(*trusted).client_info(environ(HTTP_X_FORWARDED_FOR=forwarded))
    assert found.address == expected


def test_scheme_and_host_of_a_trusted_proxy() -> None:
    """What the browser's address bar has, when the proxy says so; else what came."""
    sent = environ(HTTP_X_FORWARDED_PROTO="https", HTTP_X_FORWARDED_HOST="cloud.example")
    assert proxies("127.0.0.1").client_info(sent) == ClientInfo(
        "127.0.0.1", "https", "cloud.example"
    )
    assert proxies().client_info(sent) == ClientInfo("127.0.0.1", "http", "cloud.example:8188")


@pytest.mark.parametrize(
    "origin",
    ["http://cloud.example:8188", "https://cloud.example:8188", "HTTP://CLOUD.EXAMPLE:8188"],
)
def test_pages_of_this_server_may_ask(origin: str) -> None:
    """Origin and Host name the same place, whatever their case; TLS may end at a proxy."""
    proxies().check_origin(environ(HTTP_ORIGIN=origin))


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("cloud.example", "https://cloud.example"),
        ("cloud.example", "https://cloud.example:443"),
        ("cloud.example:443", "https://cloud.example"),
        ("cloud.example:80", "http://cloud.example"),
        ("[::1]:8188", "http://[::1]:8188"),
    ],
)
def test_the_port_a_scheme_implies_may_be_left_out(host: str, origin: str) -> None:
    """cloud.example and cloud.example:443 are one place over https."""
    proxies().check_origin(environ(HTTP_HOST=host, HTTP_ORIGIN=origin))


@pytest.mark.parametrize(
    "origin",
    [
        "http://cloud.example",
        "http://cloud.example:8189",
        "http://evil.example",
        "http://cloud.example:8188.evil.example",
        "http://cloud.example:8188@evil.example",
        "chrome-extension://cloud.example:8188",
        "null",
        "",
        "http://[",
        "http://cloud.example:99999999",
    ],
)
def test_pages_of_other_sites_may_not(origin: str) -> None:
    """Another host, port, scheme or nothing at all."""
    with pytest.raises(CrossSite):
        proxies().check_origin(environ(HTTP_ORIGIN=origin))


@pytest.mark.parametrize(
    ("sent", "host"),
    [
        ({"HTTP_X_FORWARDED_HOST": "cloud.example", "HTTP_X_FORWARDED_PORT": "8342"}, "8342"),
        ({"HTTP_HOST": "cloud.example", "HTTP_X_FORWARDED_PORT": "8342"}, "8342"),
        ({"HTTP_X_FORWARDED_HOST": "cloud.example:1", "HTTP_X_FORWARDED_PORT": "8342"}, "1"),
    ],
)
def test_the_port_that_a_trusted_proxy_was_asked_at_counts(sent: dict[str, str], host: str) -> None:
    """Where it hands on the name without it; a stranger's word does not count."""
    origin = f"https://cloud.example:{host}"
    proxies("127.0.0.1").check_origin(environ(HTTP_ORIGIN=origin, **sent))
    with pytest.raises(CrossSite):
        proxies().check_origin(environ(HTTP_ORIGIN=origin, **sent))


def test_a_refused_page_says_what_a_proxy_has_to_do(ground: WebGround) -> None:
    """``Host $host`` on another port, or a bare proxy_pass: nobody can sign in, and the answer and a
    notice name the setting. A page of another site makes no notice."""
    body = {"username": "ada", "password": PASSWORD}
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    answer = ground.nobody().post("/api/v1/session", body, headers=foreign)
    assert code(answer) == (403, "cross-site")
    assert ground.notices.now() == []
    for headers in (
        {"Origin": "https://localhost:8342"},
        {"Origin": "https://cloud.example", "Sec-Fetch-Site": "same-origin"},
    ):
        answer = ground.nobody().post("/api/v1/session", body, headers=headers)
        assert code(answer) == (403, "cross-site")
        for words in (headers["Origin"], "asked as localhost", "$http_host", "server.public_url"):
            assert words in answer.json["detail"]
        (notice,) = ground.notices.now()
        assert (notice.code, notice.setting) == ("proxy-host", "server.public_url")
        ground.notices.end("proxy-host", "")


@pytest.mark.parametrize(
    ("peer", "told"),
    [("127.0.0.1", True), ("172.18.0.1", True), ("::1", True), ("8.8.8.8", False), ("", False)],
)
def test_a_proxy_that_is_not_trusted_is_told(ground: WebGround, peer: str, told: bool) -> None:
    """Where one of one's own hands on whom it saw; a stranger can say so, too."""
    ground.nobody().get(
        "/healthz", headers={"X-Forwarded-For": "1.2.3.4"}, environ_base={"REMOTE_ADDR": peer}
    )
    found = [(one.code, one.setting) for one in ground.notices.now()]
    assert found == ([("proxy-untrusted", "server.trusted_proxies")] if told else [])


def test_a_proxy_that_is_trusted_is_not_told(behind_proxy: WebGround) -> None:
    behind_proxy.nobody().get("/healthz", headers={"X-Forwarded-For": "1.2.3.4"})
    behind_proxy.nobody().get("/healthz")
    assert behind_proxy.notices.now() == []


def test_a_made_up_forwarded_host_does_not_help() -> None:
    """Only a trusted proxy says under which name it was asked."""
    sent = environ(HTTP_ORIGIN="http://evil.example", HTTP_X_FORWARDED_HOST="evil.example")
    with pytest.raises(CrossSite):
        proxies().check_origin(sent)
    proxies(public_url="http://evil.example").check_origin(sent)


def test_a_wrong_proxy_stops_the_start() -> None:
    """A setting that cannot be used is said as such."""
    with pytest.raises(SettingError, match="trusted_proxies"):
        proxies("localhost")


def test_the_throttle_sees_the_guest_behind_the_proxy(behind_proxy: WebGround) -> None:
    """One guest's guesses do not lock out everybody behind the same proxy."""
    behind_proxy.accounts.create("ada", PASSWORD, "admin")
    guesser = {"X-Forwarded-For": "203.0.113.9"}
    client = behind_proxy.nobody()
    for n in range(10):
        body = {"username": f"name{n}", "password": "guess"}
        client.post("/api/v1/session", body, headers=guesser)
    body = {"username": "ada", "password": PASSWORD}
    assert client.post("/api/v1/session", body, headers=guesser).status_code == 429
    other = {"X-Forwarded-For": "203.0.113.10"}
    assert client.post("/api/v1/session", body, headers=other).status_code == 204
