"""Answers that are files: named as RFC 6266 has it, sent piece by piece, cut off as soon as who
asked may not have them any more."""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol
from urllib.parse import quote

from flask import Response

from cloudbang.errors import CloudBangError
from cloudbang.web.api.leases import lease, piece_by_piece
from cloudbang.web.security.authenticator import caller
from cloudbang.web.services import services

log = logging.getLogger(__name__)

_UNSAFE = re.compile(r"[^ !#-$&-\[\]-~]|[/\\]")  # in a quoted name: no quotes, no percent, no slash


class Pieces(Protocol):
    """What is sent: read to its end, or closed, or both."""

    def __iter__(self) -> Iterator[bytes]: ...
    def close(self) -> None: ...


def send(
    pieces: Pieces,
    name: str,
    kind: str,
    size: int | None = None,
    allow: Callable[[], object] = lambda: None,
) -> Response:
    """The answer that sends ``pieces`` as a file. ``size`` in bytes, None where nobody knows.

    ``allow`` is asked before each piece, as is whether they are still signed in: it raises a
    CloudBangError when they may not have the rest.
    """
    is_good, login = services().accounts.credentials.is_good, caller().login

    def check() -> None:
        if not is_good(login):
            raise cut_off("signed out")
        allow()

    held = piece_by_piece(pieces, lease())
    answer = Response(while_good(held, check), content_type=kind)
    if size is not None:
        answer.content_length = size
    answer.headers["Content-Disposition"] = disposition(name)
    # Also when nobody asks for the first piece, as with HEAD.
    answer.call_on_close(pieces.close)
    return answer


def disposition(name: str) -> str:
    """``attachment`` with a file's name: any name, whatever characters are in it."""
    plain = _UNSAFE.sub("_", name)
    if plain == name:
        return f'attachment; filename="{name}"'
    encoded = quote(name.encode("utf-8", "replace"), safe="")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


def cut_off(reason: str) -> OSError:
    """Raised while an answer is sent: the connection is closed without its proper end, so that
    nobody takes a part for the whole. The server takes it for a peer that has gone."""
    return OSError(errno.EPIPE, reason)


def while_good(pieces: Iterable[bytes], check: Callable[[], object]) -> Iterator[bytes]:
    """The same until ``check`` or what makes them raises a CloudBangError: then it is cut off."""
    try:
        for piece in pieces:
            if piece:  # after each an empty one follows, of which nothing is sent
                check()
            yield piece
    except CloudBangError as e:
        # The head of the answer is gone: there is no other way to say that this is not the whole.
        log.warning("an answer was cut off while it was sent: %s", e)
        raise cut_off(str(e)) from None
