"""An entry of a log: where it begins and ends, and how far it may go."""

from __future__ import annotations

from cloudbang.domain.lines import TEXT_AT, record_ns

NEAR_NS = 1_500_000_000  # lines of one entry come at once; what comes later is something else
LINES_AT_MOST = 1_000
BYTES_AT_MOST = 1024 * 1024


def comes_later(raw: bytes, before: bytes) -> bool:
    """Whether a line comes too long after one of its stream to belong to it."""
    return raw[:19] != before[:19] and abs(record_ns(raw) - record_ns(before)) > NEAR_NS


class Entry:
    """Lines from ``first`` to ``last`` (seqs) of one container and stream."""

    __slots__ = ("container", "first", "last", "level", "lines", "size", "stream")

    def __init__(self, seq: int, raw: bytes, level: str | None) -> None:
        self.first = self.last = seq
        self.container, self.stream = raw[31:43], raw[44:50]
        self.level = level
        self.lines, self.size = 1, len(raw)

    @property
    def extent(self) -> tuple[int, int, str | None, str, str]:
        """As the API and the live socket say it."""
        container, stream = (
            self.container.decode("ascii", "replace"),
            self.stream.decode("ascii", "replace"),
        )
        return (self.first, self.last, self.level, container, stream)

    def take(self, seq: int, size: int) -> None:
        self.last = seq
        self.lines += 1
        self.size += size


def is_as_deep(raw: bytes, head: bytes) -> bool:
    """Whether a line is indented as much as the head of its entry, which mostly is not at all."""
    indents = head[TEXT_AT] in b" \t"
    return not indents or _indent(raw) >= _indent(head)


def _indent(raw: bytes) -> int:
    text = raw[TEXT_AT:]
    return len(text) - len(text.lstrip(b" \t"))


class Waiting:
    """A line that stands alone until a frame proves otherwise."""

    __slots__ = ("blank", "failure", "raw", "seq")

    def __init__(self, seq: int, raw: bytes, *, failure: bool, blank: bool = False) -> None:
        self.seq, self.raw, self.failure, self.blank = seq, raw, failure, blank
