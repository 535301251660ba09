"""Where a reader of a container's log goes on: the answer of whoever keeps the lines."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b

from cloudbang.domain.lines import TEXT_AT

SHORT = 200  # bytes of a record that is its own fingerprint


def fingerprint(raw: bytes) -> bytes:
    """Stands for a record where very many are compared, which may have a megabyte each. It begins as
    the record does."""
    if len(raw) <= SHORT:
        return raw
    return raw[:TEXT_AT] + blake2b(raw[TEXT_AT:], digest_size=16).digest()


@dataclass(frozen=True)
class ResumePoint:
    """``since``: ns to read from, that moment included. ``stored``: all records of the container
    from then on. ``last``: the newest of them in the order of seq; None when that one is not
    among them, which takes a clock that jumped back and a deletion."""

    since: int
    last: bytes | None
    stored: Counter[bytes]

    @property
    def newest(self) -> bytes | None:
        """The newest by its time: another than ``last`` where what was missing came late."""
        return max(self.stored, key=lambda raw: raw[:30], default=self.last)
