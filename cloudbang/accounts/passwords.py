"""Passwords: argon2id, off the hub, at most two at a time."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from gevent.lock import BoundedSemaphore
from gevent.threadpool import ThreadPool

from cloudbang.accounts.errors import TooBusy

AT_A_TIME = 2
MAX_WAITING = 40  # policy: one more is refused with TooBusy; these wait for 2 s at most
_TIME, _MEMORY = 3, 32 * 1024  # passes; KiB. About 50 ms, above what OWASP asks for


def _nobodys() -> str:
    """A hash no password fits, as costly to check as a real one."""
    salt, digest = (base64.b64encode(bytes(n)).decode().rstrip("=") for n in (16, 32))
    return f"$argon2id$v=19$m={_MEMORY},t={_TIME},p=1${salt}${digest}"


NOBODYS = _nobodys()


class Passwords:
    """Makes and checks hashes within :meth:`turn`."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=_TIME, memory_cost=_MEMORY, parallelism=1)
        self._turns = BoundedSemaphore(AT_A_TIME)
        self._waiting = 0
        # Threads of their own: the hub's are for the store, and hold no 32 MiB each.
        self._pool = ThreadPool(AT_A_TIME)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for one of the two places. Raises TooBusy when too many wait already."""
        if self._waiting >= MAX_WAITING:
            raise TooBusy
        self._waiting += 1
        try:
            self._turns.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._turns.release()

    def hash(self, password: str) -> str:
        """The hash to keep. Call it within a turn."""
        made: str = self._pool.apply(self._hasher.hash, (password.encode(),))
        return made

    def fits(self, kept: str | None, password: str) -> bool:
        """Whether ``password`` belongs to the hash ``kept``; as slow when there is none (None)."""
        return bool(self._pool.apply(self._verify, (kept or NOBODYS, password.encode())))

    def is_dated(self, kept: str) -> bool:
        """Whether ``kept`` was made with other costs than are used now."""
        return self._hasher.check_needs_rehash(kept)

    def close(self) -> None:
        """End the threads."""
        self._pool.kill()

    def _verify(self, kept: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False
