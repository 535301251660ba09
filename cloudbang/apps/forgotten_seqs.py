"""Where the seqs of a forgotten app would go on, for very many of them.

A name that comes back must not give a seq a second time, and must not wait for the database with
its first line. So what is kept of a forgotten app is here, in 16 bytes: a digest of its name and
the next seq. Two names with one digest (in 2**64) would cost the second a start above 1.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from hashlib import blake2b


class ForgottenSeqs:
    """A map from names to seqs, sorted by digest."""

    def __init__(self, known: Iterable[tuple[str, int]] = ()) -> None:
        pairs = sorted((_digest(name), seq) for name, seq in known)
        self._keys = array("Q", (key for key, _ in pairs))
        self._seqs = array("Q", (seq for _, seq in pairs))

    def __len__(self) -> int:
        return len(self._keys)

    def get(self, name: str) -> int:
        """The seq that this name's next line gets: 1 where nothing is known of it."""
        at, found = self._find(_digest(name))
        return self._seqs[at] if found else 1

    def add(self, name: str, seq: int) -> None:
        """Remember it; a seq of 1 is not worth it."""
        key = _digest(name)
        at, found = self._find(key)
        if found:
            self._seqs[at] = seq
        elif seq > 1:
            self._keys.insert(at, key)
            self._seqs.insert(at, seq)

    def _find(self, key: int) -> tuple[int, bool]:
        at = bisect_left(self._keys, key)
        return at, at < len(self._keys) and self._keys[at] == key


def _digest(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest())
