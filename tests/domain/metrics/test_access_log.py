"""A line of the access log read: what of it counts, and that nothing in it can do harm."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudbang.domain.metrics.access_log import METHODS, STATUSES, Request, Unreadable, read_request
from tests.monitoring.traffic.ground import line


def read(**how: Any) -> Request:
    found = read_request(line(at=1_764_444_600.25, **how))
    assert found is not None
    return found


def test_a_request() -> None:
    found = read(uri="/users/7?token=secret#part", took=0.25, client="2001:db8::1")
    assert found == Request(
        *("web", 1_764_444_600.25, 0.25, 200, 100, "GET", "/users/7", "2001:db8::1"),
        *("10.0.1.4:80", "answer"),
    )


@pytest.mark.parametrize(
    ("how", "kind", "status"),
    [
        ({"status": 0}, "left", 499),
        ({"status": 499}, "left", 499),
        ({"status": 101}, "stream", 101),
        ({"type": "text/event-stream"}, "stream", 200),
        ({"type": "Text/Event-Stream; charset=utf-8"}, "stream", 200),
        ({"type": "multipart/x-mixed-replace; boundary=x"}, "stream", 200),
        ({"method": "CONNECT", "status": 200, "took": 3600.0}, "stream", 200),
        ({"method": "CONNECT", "status": 0}, "left", 499),
        ({"type": "text/event-stream", "status": 0}, "left", 499),
        ({"type": "text/html"}, "answer", 200),
        ({"type": 7}, "answer", 200),
        ({"method": "HEAD"}, "head", 200),
        ({"uri": "/healthz?x=1"}, "probe", 200),
        ({"uri": "/healthz", "method": "POST"}, "answer", 200),
        ({"uri": "/healthz/more"}, "answer", 200),
        ({"status": 599}, "answer", 500),
        ({"status": 299}, "answer", 200),
        ({"status": 42}, "answer", 0),
        ({"status": -3}, "answer", 0),
        ({"status": 10**30}, "answer", 0),
    ],
)
def test_what_counts_as_what(how: dict[str, Any], kind: str, status: int) -> None:
    found = read(**how)
    assert (found.kind, found.status) == (kind, status)


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("/a/b?x", "/a/b"),
        ("/a/b#x?y", "/a/b"),
        ("", "/"),
        ("*", "*"),
        ("?secret", "/"),
        ("http://user:secret@host.example/a?b", "/a"),
        ("http://host.example", "/"),
        ("secret:443", "/"),
        ("/" + "x" * 5000, "/" + "x" * 1023),
    ],
)
def test_the_path_alone(uri: str, path: str) -> None:
    """Whatever else there is in an address, secrets before and behind it, is not in it."""
    assert read(uri=uri).path == path


@pytest.mark.parametrize("method", ["get", "BREW", "", "X" * 10_000])
def test_a_method_that_somebody_made_up(method: str) -> None:
    assert read(method=method).method == "(other)"


def test_nobodys() -> None:
    assert read_request(line(app=None)) is None


@pytest.mark.parametrize(
    "found",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"7",
        b'"x"',
        b'{"app":"web"}',
        b'{"app":"web","request":7,"ts":1,"duration":1,"status":200}',
        b'{"app":7,"request":{"uri":"/","method":"GET"},"ts":1,"duration":1,"status":200}',
        b'{"app":"","request":{"uri":"/","method":"GET"},"ts":1,"duration":1,"status":200}',
        b'{"app":"w","request":{"uri":7,"method":"GET"},"ts":1,"duration":1,"status":200}',
        b'{"app":"w","request":{"uri":"/","method":[]},"ts":1,"duration":1,"status":200}',
        b'{"app":"w","request":{"uri":"/","method":"GET"},"ts":"1","duration":1,"status":200}',
        b'{"app":"w","request":{"uri":"/","method":"GET"},"ts":NaN,"duration":1,"status":200}',
        b'{"app":"w","request":{"uri":"/","method":"GET"},"ts":1,"duration":true,"status":200}',
        b'{"app":"w","request":{"uri":"/","method":"GET"},"ts":1,"duration":1,"status":"200"}',
        b'{"app":"w","request":{"uri":"/","method":"GET"},"ts":1e300,"duration":1,"status":200}',
        b"\xff\xfe{}",
        b"[" * 100_000,
    ],
)
def test_what_is_no_request(found: bytes) -> None:
    with pytest.raises(Unreadable):
        read_request(found)


def test_a_half_line_before_it() -> None:
    """As a gateway leaves it that was killed: the one behind it is whole."""
    whole = line(uri="/b", at=1_764_444_600.0)
    found = read_request(line(uri="/a")[:80] + whole)
    assert found == read_request(whole)


def test_what_took_impossibly_long() -> None:
    """A duration below zero or beyond a day is a clock's fault, and so is beyond a year for a connection that was open."""
    assert read(took=-1.0).seconds == 0
    assert read(took=1e9).seconds == 86_400
    assert read(took=1e6, status=101).seconds == 1e6
    assert read(took=1e308, status=101).seconds == 366 * 86_400


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=50)
@given(st.sampled_from(["app", "ts", "duration", "status", "size", "upstream", "type"]), JSON)
def test_any_value_anywhere(name: str, value: object) -> None:
    """A request that is bounded, or Unreadable; nothing else, whatever stands where."""
    whole = json.loads(line(at=1_764_444_600.0))
    check(json.dumps({**whole, name: value}).encode())


@settings(max_examples=50)
@given(
    st.sampled_from(["uri", "method", "client_ip", "remote_ip", "host"]),
    JSON,
)
def test_any_value_in_the_request(name: str, value: object) -> None:
    whole = json.loads(line(at=1_764_444_600.0))
    whole["request"][name] = value
    check(json.dumps(whole).encode())


@given(st.binary(max_size=200))
def test_any_bytes(found: bytes) -> None:
    check(found)


def check(found: bytes) -> None:
    try:
        request = read_request(found)
    except Unreadable:
        return
    if request is not None:
        assert request.method in {*METHODS, "(other)"}
        assert request.status in {*STATUSES, 0, 499}
        assert len(request.path) <= 1024
        assert "?" not in request.path
        assert request.seconds >= 0
