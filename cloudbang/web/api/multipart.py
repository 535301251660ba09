"""``multipart/form-data`` (RFC 7578) read as it comes: small fields into memory, a file to whoever
takes it.

Werkzeug's own reader would put files into a folder of the machine's and block on its disk, and
takes the CR before a boundary for data where a piece ends between the two.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Protocol, TypeVar, cast

from flask import request
from werkzeug.http import parse_options_header

from cloudbang.core.loop import yield_to_loop
from cloudbang.errors import BadRequest, CloudBangError
from cloudbang.web.server.http_reader import RequestRefused

PIECE = 64 * 1024  # bytes
MOST_PARTS = 20
HEAD = 8 * 1024  # bytes of a part's head
LONGEST = 200  # characters of a boundary


class Source(Protocol):
    """Where the body comes from."""

    def read(self, size: int) -> bytes: ...


class FilePart:
    """The file's bytes, as they come."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def read(self, size: int) -> bytes:
        """The next of it, at most ``size`` bytes; nothing at its end."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = piece
        found, self._rest = self._rest[:size], self._rest[size:]
        return found


View = TypeVar("View", bound=Callable[..., Any])
Take = Callable[[FilePart, Mapping[str, str]], None]


def read_form(
    source: Source, content_type: str, files: Mapping[str, Take], *, most: int
) -> dict[str, str]:
    """The fields of a form by name, ``most`` bytes of them in all. A file that is named in ``files``
    is given to its function with the fields that came before it; what that leaves is skipped, as
    are other files. All of the body is read.

    Raises BadRequest, and what ``source`` and the functions raise.
    """
    parts, fields = _Parts(source, content_type), dict[str, str]()
    for name, is_file in parts:
        data = parts.data()
        if is_file:
            if (take := files.get(name)) is not None:
                take(FilePart(data), dict(fields))
            for _ in data:
                pass
            continue
        text = b""
        for piece in data:
            text += piece
            most -= len(piece)
            if most < 0:
                raise BadRequest(name[:100], "…", "shorter")
        try:
            fields[name] = text.decode()
        except UnicodeDecodeError:
            raise BadRequest(name[:100], "…", "text in UTF-8") from None
    return fields


def hearing(view: View) -> View:
    """A view whose caller hears why what they send is refused: answered in the midst of a large
    body, most would only see their connection break."""

    @functools.wraps(view)
    def read_to_its_end(*args: Any, **kwargs: Any) -> Any:
        try:
            return view(*args, **kwargs)
        except CloudBangError:
            with suppress(RequestRefused):
                while request.environ["wsgi.input"].read(PIECE):
                    pass
            raise

    return cast(View, read_to_its_end)


class _Parts:
    """The parts of a body, one after the other: each has to be read before the next."""

    def __init__(self, source: Source, content_type: str) -> None:
        boundary = parse_options_header(content_type)[1].get("boundary", "")
        if not 0 < len(boundary) <= LONGEST or not boundary.isascii():
            raise BadRequest("Content-Type", content_type, "multipart/form-data with a boundary")
        self._delimiter = b"\r\n--" + boundary.encode()
        self._source = source
        self._buffer = b"\r\n"  # what would stand before the first, were it not the first

    def __iter__(self) -> Iterator[tuple[str, bool]]:
        """Name of each, and whether it is a file."""
        for _ in self.data():  # what stands before the first boundary says nothing
            pass
        for _ in range(MOST_PARTS):
            line = self._until(b"\r\n")
            if line.startswith(b"--"):
                while self._source.read(PIECE):  # nor does what follows the last
                    pass
                return
            if line.strip(b" \t"):
                raise _wrong()
            yield self._head()
        raise _wrong()

    def data(self) -> Iterator[bytes]:
        """What a part holds, up to the next boundary."""
        kept = len(self._delimiter) - 1  # may be the beginning of one
        while (at := self._buffer.find(self._delimiter)) < 0:
            if len(self._buffer) > kept:
                yield self._buffer[:-kept]
                self._buffer = self._buffer[-kept:]
            self._fill()
        found, self._buffer = self._buffer[:at], self._buffer[at + len(self._delimiter) :]
        if found:
            yield found

    def _head(self) -> tuple[str, bool]:
        while (line := self._until(b"\r\n")) and (colon := line.find(b":")) > 0:
            if line[:colon].strip().lower() == b"content-disposition":
                said = line[colon + 1 :].decode("utf-8", "replace").strip()
                kind, facts = parse_options_header(said)
                if kind != "form-data" or "name" not in facts:
                    raise _wrong()
                while self._until(b"\r\n"):  # its other fields
                    pass
                return facts["name"], "filename" in facts
        raise _wrong()

    def _until(self, end: bytes) -> bytes:
        while (at := self._buffer.find(end)) < 0:
            if len(self._buffer) > HEAD:
                raise _wrong()
            if self._buffer == b"--":
                piece = self._source.read(PIECE)  # the last boundary needs no end of line
                self._buffer += piece or end
            else:
                self._fill()
        found, self._buffer = self._buffer[:at], self._buffer[at + len(end) :]
        return found

    def _fill(self) -> None:
        yield_to_loop()
        piece = self._source.read(PIECE)
        if not piece:
            raise _wrong()
        self._buffer += piece


def _wrong() -> BadRequest:
    return BadRequest("body", "…", "a form, each of its parts to its end")
