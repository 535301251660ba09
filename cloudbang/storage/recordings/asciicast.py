"""What a terminal printed, as lines of asciicast v2: one JSON value a line, pure.

https://docs.asciinema.org/manual/asciicast/v2/
"""

from __future__ import annotations

import shlex
from codecs import utf_8_decode
from collections.abc import Iterable, Iterator, Sequence

import orjson

from cloudbang.domain.lines import parse_time

Part = tuple[float, bytes | str]
"""Output (bytes) or a new size (``"80x24"``), and when: seconds since the recording began."""

SLICE = 64 * 1024  # bytes of output in one event at most: encoding it holds the GIL for < 1 ms
MERGE = 0.005  # seconds within which outputs become one event: less than a screen shows


def header(columns: int, rows: int, command: Sequence[str], title: str, started: str) -> bytes:
    """The first line. ``started`` is RFC 3339."""
    facts: dict[str, object] = {
        "version": 2,
        "width": columns,
        "height": rows,
        "timestamp": parse_time(started) // 1_000_000_000,
        "env": {"TERM": "xterm-256color"},
    }
    if command:
        facts["command"] = _clean(shlex.join(command))
    if title:
        facts["title"] = _clean(title)
    return orjson.dumps(facts) + b"\n"


def _clean(text: str) -> str:
    """Without halves of surrogate pairs, which JSON can name and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()


def marker(at: float, label: str) -> bytes:
    """A line that players show as a mark on their timeline."""
    return orjson.dumps([round(at, 3), "m", label]) + b"\n"


class Encoder:
    """Output becomes events. It may be cut anywhere: what is whole once joined comes out whole,
    what is not UTF-8 as U+FFFD."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""  # the beginning of a character

    def lines(self, parts: Iterable[Part]) -> Iterator[bytes]:
        for at, data in _slices(parts):
            if isinstance(data, str):
                yield orjson.dumps([round(at, 3), "r", data]) + b"\n"
                continue
            if self._rest:
                data = self._rest + data
            text, used = utf_8_decode(data, "replace", False)
            self._rest = data[used:]
            if text:
                yield orjson.dumps([round(at, 3), "o", text]) + b"\n"

    def last(self, at: float) -> bytes:
        """A character that was never completed."""
        rest, self._rest = self._rest, b""
        text = rest.decode("utf-8", "replace")
        return orjson.dumps([round(at, 3), "o", text]) + b"\n" if text else b""


def _slices(parts: Iterable[Part]) -> Iterator[Part]:
    """Small outputs that follow each other at once joined, big ones cut."""
    held: list[bytes] = []
    size, begun = 0, 0.0
    for at, data in parts:
        if held and (isinstance(data, str) or size + len(data) > SLICE or at - begun > MERGE):
            yield begun, held[0] if len(held) == 1 else b"".join(held)
            held, size = [], 0
        if isinstance(data, str):
            yield at, data
        elif len(data) > SLICE:
            for cut in range(0, len(data), SLICE):
                yield at, data[cut : cut + SLICE]
        else:
            begun = begun if held else at
            held.append(data)
            size += len(data)
    if held:
        yield begun, b"".join(held)


def stopped(at: float, reason: str) -> bytes:
    """The marker of a recording that ends before its terminal."""
    return marker(at, f"recording-stopped: {reason}")
