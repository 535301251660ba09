"""A line of the gateway's access log as a request: what of it counts, and how.

Whatever strangers choose (paths, methods, statuses of an app that makes them up) comes out of here
bounded, and nothing of a query string comes out at all: that is where secrets stand.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from math import isfinite
from typing import Any, Literal, NamedTuple

OTHER = "(other)"
METHODS = frozenset(
    ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE")
)
STATUSES = frozenset(int(one) for one in HTTPStatus)
LEFT = frozenset((0, 499))  # the client went before the answer, as Caddy says it, before and since
UPGRADED = 101
STREAMS = ("text/event-stream", "multipart/x-mixed-replace")  # types of answers without an end
PATH_MOST = 1024  # characters of a path; what is longer is cut
DAY = 86_400.0  # the longest that an answer is believed to have taken
YEAR = 366 * DAY  # and that a connection is believed to have been open

_HEALTH = frozenset(
    (
        *("/healthz", "/livez", "/readyz", "/health", "/healthcheck", "/up", "/ping"),
        *("/health/live", "/health/ready", "/-/healthy", "/-/ready", "/_health"),
        *("/actuator/health", "/actuator/health/liveness", "/actuator/health/readiness"),
    )
)
_BEGINS = b'{"level":'

Kind = Literal["answer", "left", "stream", "head", "probe"]
"""Only the first is in percentiles. ``stream``: a WebSocket or event stream that has ended."""


class Request(NamedTuple):
    """``time``: when it ended, in seconds since 1970; ``seconds``: how long it took. ``status`` is 0
    where HTTP has no such one, 499 of every client that left. ``path`` is without its query.
    ``client`` is an address as it was logged."""

    app: str
    time: float
    seconds: float
    status: int
    sent: int
    method: str
    path: str
    client: str
    upstream: str
    kind: Kind


class Unreadable(ValueError):
    """A line that is no request as the gateway writes one."""


def read_request(line: bytes, loads: Callable[[bytes], Any] = json.loads) -> Request | None:
    """The request of a line; None of one that was nobody's. Raises Unreadable.

    A gateway that was killed leaves half a line, to which the next one's first is written: that
    one is read all the same.
    """
    try:
        found = loads(line)
    except (ValueError, RecursionError):
        begins = line.rfind(_BEGINS)
        if begins <= 0:
            raise Unreadable("a line that is no JSON") from None
        try:
            found = loads(line[begins:])
        except (ValueError, RecursionError):
            raise Unreadable("a line that is no JSON") from None
    try:
        app = found.get("app")
        if app is None:
            return None
        asked = found["request"]
        time, seconds, status = found["ts"], found["duration"], found["status"]
        uri, method = asked["uri"], asked["method"]
        client = asked.get("client_ip") or asked.get("remote_ip") or ""
    except (KeyError, AttributeError, TypeError):
        raise Unreadable("a line that is no request") from None
    if (
        type(app) is not str
        or not app
        or type(uri) is not str
        or type(method) is not str
        or type(client) is not str
        or type(status) is not int
        or not _is_number(time)
        or not _is_number(seconds)
        or not 0 < time < 1e11
    ):
        raise Unreadable("a line with values of other types")
    if method not in METHODS:
        method = OTHER
    path = _path_of(uri)
    if status in LEFT:
        kind: Kind = "left"
        status = 499
    # A WebSocket over HTTP/2 or 3 is asked for by CONNECT, and answered with 200.
    elif status == UPGRADED or method == "CONNECT" or _is_stream(found.get("type")):
        kind = "stream"
    elif method in ("GET", "HEAD") and path in _HEALTH:
        kind = "probe"
    elif method == "HEAD":
        kind = "head"
    else:
        kind = "answer"
    if status not in STATUSES and status != 499:
        # One that HTTP does not have is in the class that it claims: a server's fault stays one.
        status = status // 100 * 100 if 100 <= status <= 599 else 0
    sent, upstream = found.get("size"), found.get("upstream")
    longest = YEAR if kind == "stream" else DAY
    return Request(
        app,
        float(time),
        min(max(float(seconds), 0.0), longest),
        status,
        sent if type(sent) is int and 0 <= sent < 1 << 50 else 0,
        method,
        path,
        client[:64],
        upstream[:64] if type(upstream) is str else "",
        kind,
    )


def _is_stream(type_: object) -> bool:
    return isinstance(type_, str) and type_.lower().startswith(STREAMS)


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and isfinite(value)  # type: ignore[arg-type]


def _path_of(uri: str) -> str:
    """Without query and fragment; also of one that names the host as well, as proxies are asked."""
    path = uri.partition("?")[0].partition("#")[0]
    if not path.startswith("/"):
        _, found, rest = path.partition("://")
        path = "/" + rest.partition("/")[2] if found else "*" if path == "*" else "/"
    return path[:PATH_MOST]
