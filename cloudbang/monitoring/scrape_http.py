"""One request to a program for what it exposes: to an address that the engine has given it, with a
bound on everything, and nowhere else: no redirect is followed, no proxy asked.
"""

from __future__ import annotations

import http.client
import zlib
from contextlib import closing
from typing import Any, NamedTuple

import gevent
from gevent import socket

from cloudbang.core.bounded_file import bounded
from cloudbang.core.loop import yield_to_loop
from cloudbang.domain.metrics import exposed as said
from cloudbang.domain.metrics.exposed import Exposed, NotExposed

WITHIN = 5.0  # seconds for all of it
MOST = 2 * 1024**2  # bytes of an answer, as it comes and unpacked
AT_ONCE = 64 * 1024  # bytes that are read, and unpacked, before others have their turn
SAYS = 4 * MOST  # bytes that may come in all: with its head, and the marks of its chunks
AGENT = "CloudBang"
ACCEPT = "text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1"


class _Response(http.client.HTTPResponse):
    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fp = bounded(self.fp, SAYS)


class Answer(NamedTuple):
    """``body`` unpacked."""

    body: bytes
    openmetrics: bool


def ask(address: str, what: Exposed, within: float = WITHIN) -> Answer:
    """What the program exposes there. Raises NotExposed."""
    facts = {"path": what.path, "port": what.port}
    limit = gevent.Timeout(within)
    try:
        with limit:
            return _asked(address, what, within)
    except gevent.Timeout as e:
        if e is not limit:
            raise
        raise NotExposed(said.TOO_SLOW, **facts, seconds=f"{within:g}") from None
    except (TimeoutError, http.client.HTTPException, OSError, ValueError) as e:
        if isinstance(e, TimeoutError):
            raise NotExposed(said.TOO_SLOW, **facts, seconds=f"{within:g}") from None
        if isinstance(e, http.client.IncompleteRead | http.client.RemoteDisconnected | OSError):
            raise NotExposed(said.CLOSED, **facts, reason=_reason(e)) from None
        raise NotExposed(said.NO_HTTP, **facts) from None


def _asked(address: str, what: Exposed, within: float) -> Answer:
    facts = {"path": what.path, "port": what.port}
    connection = http.client.HTTPConnection(address, what.port, timeout=within)
    connection.response_class = _Response
    try:
        try:
            connection.sock = socket.create_connection((address, what.port), within)
        except TimeoutError:
            raise
        except OSError as e:
            raise NotExposed(said.UNREACHED, port=what.port, reason=_reason(e)) from None
        headers = {
            "User-Agent": AGENT,
            "Accept": ACCEPT,
            "Accept-Encoding": "gzip",
            "X-Prometheus-Scrape-Timeout-Seconds": f"{within:g}",
            "Connection": "close",
        }
        connection.request("GET", what.path, headers=headers)
        # It has the socket for itself where the connection ends with it.
        with closing(connection.getresponse()) as answer:
            if answer.status != 200:
                raise NotExposed(said.NO_SUCCESS, **facts, status=answer.status)
            kind = answer.getheader("Content-Type", "").partition(";")[0].strip().lower()
            return Answer(_body(answer, what), kind == "application/openmetrics-text")
    finally:
        connection.close()


def _body(answer: http.client.HTTPResponse, what: Exposed) -> bytes:
    facts = {"path": what.path, "port": what.port}
    encoding = (answer.getheader("Content-Encoding") or "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise NotExposed(said.PACKED, **facts, encoding=encoding[:40])
    unpacking = None if encoding == "identity" else zlib.decompressobj(16 + zlib.MAX_WBITS)
    body, came = bytearray(), 0
    while data := answer.read1(AT_ONCE):
        came += len(data)
        if unpacking is None:
            body += data
        else:
            try:
                while data := data.lstrip(b"\0") if unpacking.eof else data:
                    if unpacking.eof:  # it is made of several, one behind the other
                        unpacking = zlib.decompressobj(16 + zlib.MAX_WBITS)
                    body += unpacking.decompress(data, AT_ONCE)
                    data = unpacking.unconsumed_tail or unpacking.unused_data
                    if len(body) > MOST:
                        break
                    yield_to_loop()
            except zlib.error:
                raise NotExposed(said.PACKED, **facts, encoding=encoding) from None
        if max(len(body), came) > MOST:
            raise NotExposed(said.TOO_LONG, **facts, most=f"{MOST:,}")
    if answer.length:  # it had said that there is more
        raise http.client.IncompleteRead(b"")
    if unpacking is not None and not unpacking.eof:
        raise NotExposed(said.PACKED, **facts, encoding=encoding)
    return bytes(body)


def _reason(error: Exception) -> str:
    if isinstance(error, http.client.IncompleteRead | http.client.RemoteDisconnected):
        return "the connection was closed"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
