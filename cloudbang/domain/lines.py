"""A line of log: as a value, as a line of a file, as a row of JSON.

On disk a line is ``time SP container SP stream SP text LF`` in bytes; everything before the text
has a fixed width, so that no part of it has to be searched for:

====================  =====  ========================================================
``RECORD[0:30]``      time   RFC 3339 in UTC with nine digits and ``Z``; sorts as bytes
``RECORD[31:43]``     who    the engine's short id, 12 hex digits
``RECORD[44:50]``     where  ``stdout``, ``stderr``, or ``marker`` for a line of CloudBang's own
``RECORD[51:-1]``     text   as the container wrote it: any bytes but LF
====================  =====  ========================================================

Such a line is called a *record*. The seq of a record is not in it: it is the number of records
before it in the app's segments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

TIME_WIDTH = 30
CONTAINER = slice(31, 43)
TEXT_AT = 51  # where the text of a record starts
STREAMS = ("stdout", "stderr", "marker")

MAX_TEXT = 1024 * 1024
"""Bytes of text a line may have; what is longer is cut and says so at its end."""


class LogLine(NamedTuple):
    """One line. ``time`` is the engine's RFC 3339 text; ``text`` is valid UTF-8 without LF."""

    app: str
    seq: int
    time: str
    container: str
    stream: str
    text: str


def record(time: bytes, container: bytes, stream: bytes, text: bytes) -> bytes:
    """The line of a file for one line of log. ``text`` must not contain LF."""
    return b"%b %b %b %b\n" % (time, container, stream, text)


def row(seq: int, raw: bytes) -> tuple[int, str, str, str, str]:
    """``[seq, time, container, stream, text]`` of one record, as the API and the socket show it.

    Bytes that are not UTF-8 become U+FFFD here and only here; the file keeps them.
    """
    end = -1 if raw.endswith(b"\n") else len(raw)
    head = raw[:TEXT_AT].decode("ascii", "replace")
    return (seq, head[0:30], head[31:43], head[44:50], raw[TEXT_AT:end].decode("utf-8", "replace"))


def rows(first: int, records: Sequence[bytes]) -> list[tuple[int, str, str, str, str]]:
    """:func:`row` for consecutive records, the first of which has seq ``first``.

    Written for speed: one decode of the whole batch where it is plain UTF-8, which it nearly
    always is.
    """
    try:
        text = b"".join(records).decode("utf-8")
    except UnicodeDecodeError:
        return [row(seq, raw) for seq, raw in enumerate(records, first)]
    return [
        (seq, s[0:30], s[31:43], s[44:50], s[51:])
        for seq, s in enumerate(text.split("\n")[:-1], first)
    ]


def line(app: str, seq: int, raw: bytes) -> LogLine:
    """The value of one record."""
    return LogLine(app, *row(seq, raw))


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = -62_135_596_800, 253_402_300_799  # seconds of the years 1 to 9999
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?"
    r"(?:([Zz])|([+-])([01]\d|2[0-3]):?([0-5]\d))",
    re.ASCII,
)


def parse_time(text: str) -> int:
    """Nanoseconds since 1970 of an RFC 3339 time in any zone, up to ±23:59. Raises ValueError."""
    found = _RFC3339.fullmatch(text.strip())
    if not found:
        raise ValueError(f"not an RFC 3339 time: {text[:60]!r}")
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    # A leap second is shown as :60; it has no moment of its own in POSIX time.
    moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    seconds = (moment - _EPOCH) // timedelta(seconds=1) + (1 if second == 60 else 0)
    if found[9]:
        offset = int(found[10]) * 3600 + int(found[11]) * 60
        seconds -= offset if found[9] == "+" else -offset
    if not _FIRST <= seconds <= _LAST:  # in UTC it has a year that nobody can write
        raise ValueError(f"not an RFC 3339 time: {text[:60]!r}")
    return seconds * 1_000_000_000 + int((found[7] or "0").ljust(9, "0")[:9])


def record_ns(raw: bytes) -> int:
    """Nanoseconds since 1970 of a record's time; 0 for one that is damaged, as after a power cut:
    older than everything, so whoever goes on from there begins at the beginning."""
    fraction = raw[20:29]
    try:
        if raw[19:20] + raw[29:30] == b".Z" and len(fraction) == 9 and fraction.isdigit():
            return _second_ns(raw[:19]) + int(fraction)
        return parse_time(raw[:TIME_WIDTH].decode("ascii"))
    except ValueError:  # UnicodeDecodeError is one too
        return 0


@lru_cache(64)
def _second_ns(to_the_second: bytes) -> int:
    """Of the part that a thousand lines have in common. Raises ValueError."""
    return parse_time(to_the_second.decode("ascii") + "Z")


def format_time(ns: int) -> str:
    """RFC 3339 in UTC with nine digits: 30 characters that sort by time. Raises ValueError."""
    seconds, rest = divmod(ns, 1_000_000_000)
    try:
        moment = _EPOCH + timedelta(seconds=seconds)
    except OverflowError as e:
        raise ValueError(f"no such time: {ns} ns since 1970") from e
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest:09d}Z".rjust(TIME_WIDTH, "0")


def is_record(raw: bytes) -> bool:
    """Whether ``raw`` has the shape of a whole record (with its LF). Looks at the frame only."""
    return (
        len(raw) > TEXT_AT
        and raw[-1:] == b"\n"
        and raw[4:5] == b"-"
        and raw[29:31] == b"Z "
        and raw[43:44] == b" "
        and raw[44:51] in (b"stdout ", b"stderr ", b"marker ")
    )


def total_bytes(records: Iterable[bytes]) -> int:
    """Bytes these records take in a file."""
    return sum(map(len, records))
