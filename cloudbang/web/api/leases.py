"""Memory for answers: each request has a lease of its account's share until its answer is gone.

A request that finds no room waits a while, and is then told so (:class:`NoRoom`). An answer that is
made in pieces makes the next one only when the last one is gone, and holds no more than that.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import cast

import gevent
from flask import Flask, Response, g, request
from gevent import GreenletExit
from werkzeug.wsgi import ClosingIterator

from cloudbang.core.budget import Lease
from cloudbang.storage.logs.reader import Lines
from cloudbang.web.security.authenticator import address, caller
from cloudbang.web.server.server import PEER_LEFT
from cloudbang.web.services import services

REQUEST = 64 * 1024  # bytes; the answers of most are smaller
PIECE = 2 * 1024 * 1024
"""Bytes that making a piece of an answer may take before it is known how large it is."""

# What tells how this process does has to answer whatever waits.
ALWAYS = frozenset({"status.healthz", "status.show_metrics"})


def install(app: Flask) -> None:
    """Lease memory to every request of this application, once it is known who asks."""
    app.before_request(_begin)
    app.after_request(_settle)
    app.teardown_request(_end)


def lease() -> Lease:
    """That of this request."""
    found: Lease = g.lease
    return found


def another_lease() -> Lease:
    """Of the same account, for the same request, beside that which it has: of nothing, at first."""
    return services().budget.share(caller().holder).lease(_left())


def piece_by_piece(pieces: Iterable[bytes], room: Lease) -> Generator[bytes, None, None]:
    """The same, each made only when there is room for it, which it then holds until the next. An
    empty one follows each: whoever handed it on has no more of it, while the next waits for room.
    Nothing more is made for who has left."""
    source = iter(pieces)
    while True:
        room.take(PIECE, unhurried=True)
        if room.left():
            raise GreenletExit
        piece = next(source, None)
        if piece is None:
            return
        room.resize(2 * len(piece))  # once more on its way out, behind the head of its chunk
        yield piece
        del piece
        yield b""


def emptied(encode: Callable[..., bytes], batch: Lines, *more: object) -> bytes:
    """The piece that a thread makes of these lines, which nobody has any more then: who makes the
    next one holds nothing while it waits for room."""
    made: bytes = gevent.get_hub().threadpool.apply(encode, (batch, *more))
    batch.clear()
    return made


def _begin() -> None:
    who = g.caller.holder if g.caller else f"stranger at {address()}"
    g.lease = services().budget.share(who).lease(_left())
    if request.endpoint not in ALWAYS:
        g.lease.take(REQUEST)


def _left() -> Callable[[], bool]:
    found: Callable[[], bool] = request.environ.get(PEER_LEFT, lambda: False)
    return found


def _settle(answer: Response) -> Response:
    found: Lease | None = g.pop("lease", None)
    if found is not None:
        if answer.is_sequence:
            found.resize(sum(map(len, answer.iter_encoded())))
        answer.call_on_close(found.close)
        if answer.direct_passthrough:
            # A file goes out as it is, and who is closed then is the file and not the answer.
            file = cast("Iterable[bytes]", answer.response)
            answer.response = ClosingIterator(file, [found.close])
    return answer


def _end(_error: BaseException | None) -> None:
    found: Lease | None = g.pop("lease", None)
    if found is not None:  # there was no answer
        found.close()
