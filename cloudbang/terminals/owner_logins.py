"""The logins that a session's owner has it with: it ends with the last of them."""

from __future__ import annotations

from collections.abc import Iterable


class OwnerLogins:
    """``kept`` opened it, or has had it when the one that did ended; ``used`` typed last."""

    __slots__ = ("_gone", "_kept", "used")

    def __init__(self, opened: str) -> None:
        self._kept = {opened}
        self._gone: set[str] = set()
        self.used = ""  # written for each key: nothing but this

    def came(self, login: str) -> None:
        """Its owner looks at it, by a login that is good (again)."""
        self._gone.discard(login)

    def lose(self, login: str, looking: Iterable[str]) -> bool:
        """That login has ended; ``looking`` are those of its owner that look at it. Whether a good
        one is left, which keeps it then: somebody who signs out elsewhere ends no work here."""
        self._gone.add(login)
        if login in self._kept:
            self._kept = (self._kept | set(looking) | {self.used}) - self._gone - {""}
        return bool(self._kept)
