"""What ``GET /containers/ID/logs?timestamps=1`` sends, turned into records.

Two shapes exist. A container without a TTY sends frames (*multiplexed*): eight bytes ``kind 0 0 0
size`` (size: 32 bits, big end first), then ``time SP text``, mostly with LF. A container with a TTY
sends the same without frames and with CR LF.

The engine cuts a line every 16,384 bytes. A part has no LF, and every part of a line carries the
time of the first one; that is how parts are told from lines. A shorter piece without LF is the end
of a stream that ended within a line, or the tail of a long line as the ``local`` driver keeps it:
either way a line ends there.

Podman (its conmon) cuts wherever a read of 8,192 bytes ends, in a flood within every hundredth line or
so, and each part has a time of its own. So a piece without LF goes on until one comes, if it comes
soon; the line has the time of its last part, which is known of that alone as well. What the last
line of a run lacks, the first of the next one ends: the log does not tell them from parts. (Of a TTY
no part can be told from text, and each line keeps the times of its parts.)

Progress that a program prints over and over with CR, and never an LF, would be one line without end,
seen by nobody. So of each full part what stands before its last CR is a record: what a terminal
would have overwritten by then, but for its newest state. That is told as a partial line, and so is
whatever else has not ended (``partial``).

What comes out depends only on the bytes, never on how they were cut into chunks: resuming after a
crash compares records byte by byte.
"""

from __future__ import annotations

import re
from struct import Struct

from cloudbang.domain.lines import MAX_TEXT, format_time, parse_time
from cloudbang.domain.long_text import LongText
from cloudbang.domain.partial_line import LONGEST, PartialLine, newest_state

PART = 16 * 1024
"""Bytes after which the engine cuts a line. A part can be longer: bytes that are not UTF-8 grow to
three in a json-file."""

SOON = 500_000_000
"""Nanoseconds in which all parts of a line come that Podman cut, or the next whole second where it gives
whole ones. As long as a reader goes back that reads a log again: so it finds the first part."""

MAX_FRAME = 64 * 1024 * 1024
"""No engine sends a frame as large as this: the stream is not what it was taken for."""

_HEADER = Struct(">II")
_STDOUT, _STDERR, _STDIN, _ENGINE = 0x01000000, 0x02000000, 0x00000000, 0x03000000
_STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z ")
_STAMP_WIDTH = 31
_SHORT = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,8}))?Z ")
_WHOLE = b".000000000Z"
_LOOK = PART + 2 * _STAMP_WIDTH  # bytes in which a full part may be followed by another's time
_NO_TIME = b"1970-01-01T00:00:00.000000000Z"


class StreamGarbled(ValueError):
    """These bytes are not the stream they were taken for."""


class MultiplexedDecoder:
    """Frames in, records out. ``problems`` collects what the engine itself said went wrong."""

    def __init__(self, container: str, *, podman: bool = False) -> None:
        out, err = (b"%b %b " % (container.encode(), s) for s in (b"stdout", b"stderr"))
        self._tags = {_STDOUT: out, _STDIN: out, _STDERR: err}
        self._rest = b""
        self._open: dict[bytes, _Line] = {}  # by tag: the line whose parts are coming
        self._podman = podman
        self._last_time = _NO_TIME
        self.problems: list[str] = []

    def feed(self, data: bytes) -> list[bytes]:
        """The records completed by these bytes. Raises StreamGarbled."""
        if self._rest:
            data = self._rest + data
        out: list[bytes] = []
        add, find, header, tags = out.append, data.find, _HEADER.unpack_from, self._tags
        quick = not self._open
        at, end = 0, len(data)
        while end - at >= 8:
            kind, size = header(data, at)
            body = at + 8
            stop = body + size
            if stop > end:
                if size > MAX_FRAME:
                    raise StreamGarbled(f"a frame of {size} bytes")
                break
            # Nearly every frame is one whole line with a time of the usual width.
            if (
                quick
                and kind in tags
                and _STAMP_WIDTH < size <= MAX_TEXT
                and find(b"\n", body, stop) == stop - 1
                and data[body + 29 : body + 31] == b"Z "
            ):
                add(data[body : body + 31] + tags[kind] + data[body + 31 : stop])
            else:
                self._unusual(kind, data[body:stop], out)
                quick = not self._open
            at = stop
        self._rest = data[at:]
        return out

    @property
    def is_open(self) -> bool:
        """Whether there is a line that is not ended."""
        return bool(self._open)

    def partial(self) -> list[PartialLine]:
        """The lines that are not ended, as a terminal would show them now."""
        return [line.partial() for line in self._open.values()]

    def flush(self) -> list[bytes]:
        """The records still open, when the container has ended and no more bytes will come."""
        out = [line.record() for line in self._open.values()]
        self._open.clear()
        self._rest = b""
        return out

    def _unusual(self, kind: int, body: bytes, out: list[bytes]) -> None:
        if kind == _ENGINE:
            self.problems.append(body.decode("utf-8", "replace").strip())
            return
        tag = self._tags.get(kind)
        if tag is None:
            raise StreamGarbled(f"a frame of kind {kind:#010x}")
        time, text = split_time(body, self._last_time)
        self._last_time = time
        whole = text.endswith(b"\n")
        *lines, last = (text[:-1] if whole else text).split(b"\n")
        if self._podman and self._open:
            self._end_old(time, out)
        line = self._open.pop(tag, None)
        if self._podman and line is not None:
            line.time = time
        for part in lines:  # journald keeps LF within a message
            line = _continue(line, time, tag, part, out)
            out.append(line.record())
            line = None
        if self._podman and not whole:
            self._open[tag] = _continue(line, time, tag, last, out)
        elif whole or len(last) < PART:
            out.append(_continue(line, time, tag, last, out).record())
        else:
            self._open[tag] = _overwritten(line, time, tag, last, out)

    def _end_old(self, now: bytes, out: list[bytes]) -> None:
        """Give out the lines whose rest did not come soon, of both streams: who reads the log again
        goes back that far before the newest line."""
        for tag, line in list(self._open.items()):
            whole = line.began.endswith(_WHOLE) and now.endswith(_WHOLE)
            if parse_time(now.decode()) - parse_time(line.began.decode()) > (
                10**9 if whole else SOON
            ):
                out.append(line.record())
                del self._open[tag]


class TtyDecoder:
    """The bytes of a TTY in, records out: all of them ``stdout``."""

    def __init__(self, container: str) -> None:
        self._tag = b"%b stdout " % container.encode()
        self._rest: list[bytes] = []  # chunks that are in no record yet, from a time on
        self._rest_size = 0
        self._look_at = _LOOK  # the size of the rest at which there may be a full part in it
        self._open: _Line | None = None  # the full parts before it
        self._last_time = _NO_TIME
        self.problems: list[str] = []

    def feed(self, data: bytes) -> list[bytes]:
        """The records completed by these bytes."""
        if b"\n" not in data:
            self._rest.append(data)
            self._rest_size += len(data)
            return self._take_parts() if self._rest_size >= self._look_at else []
        if self._rest:
            data = b"".join(self._rest) + data
        lines = data.split(b"\n")
        rest = lines.pop()
        self._keep(rest)
        out: list[bytes] = []
        tag = self._tag
        for line in lines:
            if (
                line[29:31] == b"Z "
                and len(line) <= PART
                and line.find(b"Z ", 31) < 0
                and self._open is None
            ):
                text = line[31:-1] if line[-1:] == b"\r" else line[31:]
                out.append(line[:31] + tag + text + b"\n")
            else:
                self._unusual(line, out)
        if self._rest_size >= self._look_at:
            out += self._take_parts()
        return out

    @property
    def is_open(self) -> bool:
        """Whether there is a line that is not ended, or not here to its end."""
        return self._rest_size > 0 or self._open is not None

    def partial(self) -> list[PartialLine]:
        """The line that is not ended, as a terminal would show it now."""
        if not self._rest_size:
            return [self._open.partial()] if self._open is not None else []
        # The last line of what is here: each of its parts begins with a time.
        *_, piece = _pieces(b"".join(self._rest))
        time, text = split_time(piece, self._last_time)
        goes_on = self._open is not None and self._open.time == time
        line = self._open if goes_on and self._open is not None else _Line(time, self._tag)
        return [line.partial(text.replace(piece[: len(piece) - len(text)] or b"\n", b""))]

    def flush(self) -> list[bytes]:
        """The record still open, when the container has ended and no more bytes will come."""
        out: list[bytes] = []
        if self._rest_size:
            self._unusual(b"".join(self._rest), out)
        elif self._open is not None:
            out.append(self._open.record())
        self._keep(b"")
        self._open = None
        return out

    def _keep(self, rest: bytes) -> None:
        self._rest = [rest] if rest else []
        self._rest_size, self._look_at = len(rest), _LOOK

    def _unusual(self, line: bytes, out: list[bytes]) -> None:
        """A line with parts, or several that no LF divides: a last line without one, restarted."""
        for piece in _pieces(line):
            _, last = self._parts(piece, out)
            self._open = _continue(self._open, self._last_time, self._tag, last, out)
            out.append(self._open.record(b"\r"))
            self._open = None

    def _parts(self, piece: bytes, out: list[bytes]) -> tuple[bytes, bytes]:
        """Take the full parts of what stands between two times in one line. Gives the time as it
        is written, which each further part has, too, and what is left."""
        time, text = split_time(piece, self._last_time)
        self._last_time = time
        written = piece[: len(piece) - len(text)]
        if len(piece) <= PART or not written:
            return written, text
        *parts, last = text.split(written)
        for part in parts:
            self._open = _overwritten(self._open, time, self._tag, part, out)
        return written, last

    def _take_parts(self) -> list[bytes]:
        """Of a line that goes on: its full parts, so that it is seen, and memory is bounded."""
        out: list[bytes] = []
        *whole, line = _pieces(b"".join(self._rest))
        for piece in whole:
            self._unusual(piece, out)
        written, last = self._parts(line, out)
        if len(last) > 2 * MAX_TEXT:  # an engine that cuts no parts
            end = len(last) - 64  # the last bytes may be the start of a time
            self._open = _continue(self._open, self._last_time, self._tag, last[:end], out)
            last = last[end:]
        took = len(written) + len(last) < len(line)
        self._keep(written + last)
        if not took:
            self._look_at = self._rest_size + _LOOK
        return out


Decoder = MultiplexedDecoder | TtyDecoder


def decoder_for(container: str, *, tty: bool, podman: bool = False) -> Decoder:
    """The decoder of one log stream; ``container`` is the short id. ``podman``: it tells of it."""
    return TtyDecoder(container) if tty else MultiplexedDecoder(container, podman=podman)


def split_time(body: bytes, otherwise: bytes) -> tuple[bytes, bytes]:
    """``time SP text`` taken apart, the time in its 30-byte form; ``otherwise`` if there is none.

    Other engines write local zones, or leave out the zeros at the end of the fraction.
    """
    if body[29:31] == b"Z ":
        return body[:30], body[31:]
    if found := _SHORT.match(body):  # a tenth of what parsing takes
        time = b"%b.%bZ" % (found[1], (found[2] or b"").ljust(9, b"0"))
        return time, body[found.end() :]
    word, _, text = body[:64].partition(b" ")
    try:
        time = format_time(parse_time(word.decode("ascii"))).encode()
    except ValueError:
        return otherwise, body
    return time, text + body[64:]


class _Line:
    """A line whose parts are coming."""

    __slots__ = ("_text", "began", "blank", "tag", "time", "under")

    def __init__(self, time: bytes, tag: bytes, under: bytes = b"") -> None:
        self.time, self.tag = time, tag
        self.began = time  # of its first part
        self.blank = True  # nothing in it but CR
        self.under = under  # what it is being written over
        self._text = LongText()

    def add(self, part: bytes) -> None:
        self.blank = self.blank and not part.strip(b"\r")
        self._text.add(part)

    def partial(self, more: bytes = b"") -> PartialLine:
        """As it is now, with ``more`` at its end."""
        container, stream = self.tag.split()
        end = (self._text.end(2 * LONGEST) + more)[-2 * LONGEST :]
        start = self._text.start(LONGEST) if self._text.size + len(more) > len(end) else b""
        text = newest_state(end, start, self.under)
        return PartialLine(self.began.decode(), container.decode(), stream.decode(), text)

    def last_state(self) -> bytes:
        """What stands after its last CR, as far as that is of use."""
        return self._text.end(LONGEST).rpartition(b"\r")[2]

    def record(self, without: bytes = b"") -> bytes:
        """``without``: what is no part of the text at its end."""
        text = self._text.text()
        if without:
            text = text.removesuffix(without)
        return b"%b %b%b\n" % (self.time, self.tag, text)


def _continue(line: _Line | None, time: bytes, tag: bytes, part: bytes, out: list[bytes]) -> _Line:
    """The open line with this part, or a new one: parts of one line share their time."""
    if line is not None and line.time != time:
        out.append(line.record())
        line = None
    line = line or _Line(time, tag)
    line.add(part)
    return line


def _overwritten(
    line: _Line | None, time: bytes, tag: bytes, part: bytes, out: list[bytes]
) -> _Line:
    """The same with a full part, after which the line goes on. What a CR in it overwrites is a
    record of its own; one at its very end may be that of a CR LF."""
    at = part.rfind(b"\r", 0, len(part) - 1)
    if at >= 0:
        before = _continue(line, time, tag, part[:at], out)
        if not before.blank:
            out.append(before.record())
            line, part = _Line(time, tag, before.last_state()), part[at:]
        else:
            line, part = before, part[at:]
    return _continue(line, time, tag, part, out)


def _pieces(line: bytes) -> list[bytes]:
    """Divide bytes without LF where a later time stands: there the next line begins.

    An application's own time, printed before the engine stamped the line, is never later.
    """
    found, start = [], 0
    for stamp in _STAMP.finditer(line, _STAMP_WIDTH):
        if stamp.group() > line[start : start + _STAMP_WIDTH]:
            found.append(line[start : stamp.start()])
            start = stamp.start()
    found.append(line[start:])
    return found
