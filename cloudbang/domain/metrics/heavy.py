"""What there is most of, in bounded memory, with how far off a count may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Heavy(Generic[K, V]):
    """Values by key, at most ``most`` of them; what there is no room for goes into ``rest``.

    ``missed``: how many were counted there, so that no key's count is more than that too small.
    Two are put together by adding up; then the lightest go into ``rest`` again.
    """

    __slots__ = ("_make", "missed", "most", "rest", "values")

    def __init__(self, most: int, make: Callable[[], V]) -> None:
        self.most, self._make = most, make
        self.values: dict[K, V] = {}
        self.rest = make()
        self.missed = 0

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[tuple[K, V]]:
        return iter(self.values.items())

    def of(self, key: K) -> V:
        """What is counted for a key, to be added to once: the rest, where there is no room."""
        found = self.values.get(key)
        if found is None:
            if len(self.values) >= self.most:
                self.missed += 1
                return self.rest
            found = self.values[key] = self._make()
        return found

    def merge(
        self,
        other: Heavy[K, V],
        add: Callable[[V, V], None],
        name: Callable[[K], K] = lambda key: key,
    ) -> None:
        """Take over what the other has, by ``add(mine, theirs)``, its keys by what they are called
        now. May have more than ``most`` afterwards: see :meth:`cut`."""
        for key, value in other.values.items():
            key = name(key)
            mine = self.values.get(key)
            if mine is None:
                mine = self.values[key] = self._make()
            add(mine, value)
        add(self.rest, other.rest)
        self.missed += other.missed

    def cut(
        self,
        add: Callable[[V, V], None],
        orders: tuple[Callable[[V], float], ...],
        count: Callable[[V], int],
        most: int = 0,
    ) -> None:
        """Keep ``most`` of them, those first that are first by any of the ``orders``."""
        most = most or self.most
        if len(self.values) <= most:
            return
        keys = [
            sorted(self.values, key=lambda key: order(self.values[key]), reverse=True)
            for order in orders
        ]
        kept: dict[K, V] = {}
        for row in zip(*keys, strict=True):
            for key in row:
                if len(kept) < most:
                    kept[key] = self.values[key]
        for key, value in self.values.items():
            if key not in kept:
                add(self.rest, value)
                self.missed += count(value)
        self.values = kept
