"""Memory for what waits on a slow or silent peer, shared out fairly between accounts.

All of it together is bounded, and an account holds at most as much as is still free: the first one
that takes much leaves half, a second one a quarter. Who has nothing always finds room beside who
has everything they may have.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Hashable
from weakref import WeakValueDictionary

from gevent import GreenletExit
from gevent.event import Event

from cloudbang.core.counters import export
from cloudbang.errors import CloudBangError

IN_ALL = 40 * 1024 * 1024  # bytes
EACH = 10 * 1024 * 1024  # for one account, however much is free
WAIT = 20.0  # seconds
LOOK = 0.5  # seconds after which it is looked whether who waits is still there


class NoRoom(CloudBangError):
    """Too much waits for this account already."""

    code = "too-busy"
    status = 503
    title = "Too much at once"
    sentence = (
        "{bytes} bytes wait for you already, in answers and sockets that are not read: read or close "
        "some of them, then try again"
    )
    retry_after = 5  # seconds

    def __init__(self, held: int) -> None:
        self.held = held
        super().__init__(held)

    def facts(self) -> dict[str, object]:
        return {"bytes": self.held}


class Budget:
    """So many bytes ``in_all``, and at most so many for ``each`` account."""

    def __init__(self, in_all: int = IN_ALL, each: int = EACH, patience: float = WAIT) -> None:
        self.in_all, self.each, self.patience = in_all, each, patience
        self.held = 0  # bytes
        self.refused = 0
        self._shares: WeakValueDictionary[Hashable, Share] = WeakValueDictionary()
        self._waiting: dict[Share, None] = {}  # whose turn it is first
        waits = "Bytes that wait for peers: answers, pages of lines, and what sockets have queued."
        refused = "Requests refused: too much waited for their account already."
        export(self, "peers", gauges={"held": waits}, counters={"refused": refused})

    def share(self, account: Hashable) -> Share:
        """What this account has of it."""
        found = self._shares.get(account)
        if found is None:
            found = self._shares[account] = Share(self)
        return found

    def has_room(self, share: Share, size: int) -> bool:
        """Whether that account may hold so much more now."""
        if not share.held:
            return self.held + size <= self.in_all
        return share.held + size <= min(self.each, self.in_all - self.held)

    def change(self, share: Share, size: int) -> None:
        """The account holds so much more, or less; who waits may go on."""
        share.held += size
        self.held += size
        if size < 0 and self._waiting:
            self._let_in()

    def wait(
        self, share: Share, size: int, timeout: float | None, left: Callable[[], bool]
    ) -> None:
        """Take so many bytes for this account, once there is room. Raises NoRoom, and GreenletExit where
        whoever it was for has ``left``: they are not to stand before others."""
        if not share.waiting and self.has_room(share, size):
            self.change(share, size)
            return
        told = Event()
        share.waiting.append((size, told))
        self._waiting[share] = None
        granted = False
        try:
            granted = _granted(told, timeout, left)
        except BaseException:
            if told.is_set():
                self.change(share, -size)
            raise
        finally:
            if not told.is_set():
                share.waiting.remove((size, told))
                self._let_in()  # who stood behind it may need less
        if not granted:
            self.refused += 1
            raise NoRoom(share.held)

    def _let_in(self) -> None:
        """Those that waited: in turns between accounts, in order within each."""
        let_in = True
        while let_in:
            let_in = False
            for share in tuple(self._waiting):
                if share.waiting and self.has_room(share, share.waiting[0][0]):
                    size, told = share.waiting.popleft()
                    self.change(share, size)
                    told.set()
                    let_in = True
                    del self._waiting[share]
                    self._waiting[share] = None  # the others first, next time
                if not share.waiting:
                    del self._waiting[share]


def _granted(told: Event, timeout: float | None, left: Callable[[], bool]) -> bool:
    ends = None if timeout is None else time.monotonic() + timeout
    while not told.wait(LOOK if ends is None else min(LOOK, max(ends - time.monotonic(), 0))):
        if left():
            raise GreenletExit
        if ends is not None and time.monotonic() >= ends:
            return False
    return True


class Share:
    """What one account holds of a :class:`Budget`."""

    __slots__ = ("__weakref__", "_budget", "_objects", "held", "waiting")

    def __init__(self, budget: Budget) -> None:
        self.held = 0  # bytes
        self.waiting: deque[tuple[int, Event]] = deque()
        self._budget = budget
        self._objects: dict[int, int] = {}  # by id: how many of this account hold it

    def lease(self, left: Callable[[], bool] = lambda: False) -> Lease:
        """Of nothing, at first. ``left`` says whether whoever it is for has gone."""
        return Lease(self, self._budget, left)

    def hold(self, data: bytes, *, force: bool = False) -> bool:
        """Hold these very bytes, which others may hold as well: an account pays for them once.
        False, and they are not held, when there is no room; ``force`` makes some."""
        key = id(data)  # nobody else's while somebody holds it
        count = self._objects.get(key, 0)
        if not count:
            if not (force or self._budget.has_room(self, len(data))):
                return False
            self._budget.change(self, len(data))
        self._objects[key] = count + 1
        return True

    def let_go(self, data: bytes) -> None:
        """Hold them no more: once for each :meth:`hold`."""
        key = id(data)
        if count := self._objects[key] - 1:
            self._objects[key] = count
        else:
            del self._objects[key]
            self._budget.change(self, -len(data))


class Lease:
    """Some bytes of a share, until they are given back. A context that gives them back."""

    __slots__ = ("_budget", "_share", "_size", "left")

    def __init__(self, share: Share, budget: Budget, left: Callable[[], bool]) -> None:
        self._share, self._budget, self._size, self.left = share, budget, 0, left

    def take(self, size: int, *, unhurried: bool = False) -> Lease:
        """Have ``size`` bytes, or all that an account may have, once there is room. What it had is
        given back first: who waits holds nothing that another waits for.

        Raises NoRoom after the seconds of the budget's patience; ``unhurried`` waits for as long as
        it takes. Raises GreenletExit where whoever it is for has left meanwhile.
        """
        self.close()
        size = min(size, self._budget.each)
        timeout = None if unhurried else self._budget.patience
        self._budget.wait(self._share, size, timeout, self.left)
        self._size = size
        return self

    def resize(self, size: int) -> None:
        """Have exactly so many: what is needed is known now, and there already. Never waits."""
        if size != self._size:
            self._budget.change(self._share, size - self._size)
            self._size = size

    def close(self) -> None:
        """Give them back. A second call does nothing."""
        self.resize(0)

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
