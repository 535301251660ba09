"""A terminal's values, and what the rooms of the terminals ask of each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

Kind = Literal["exec", "toolbox", "share"]
Mode = Literal["own", "type", "watch"]

COLUMNS = range(2, 1001)  # what a terminal's size may be; beyond it is clamped
ROWS = range(1, 501)

SizedBy = Literal["smallest", "owner", "typing"]
"""Whose window is the size of a terminal: the smallest of all who may type, the owner's, or that of
who typed last."""

SIZED_BY: tuple[SizedBy, ...] = ("smallest", "owner", "typing")


@dataclass(frozen=True, slots=True)
class Size:
    """A window, in characters."""

    columns: int = 80
    rows: int = 24

    @classmethod
    def of(cls, columns: object, rows: object) -> Size | None:
        """The size a client names, clamped; None when it names none (text, lists, NaN, …)."""
        found = []
        for value, allowed in ((columns, COLUMNS), (rows, ROWS)):
            if isinstance(value, bool) or not isinstance(value, int | float):
                return None
            if value != value or value in (float("inf"), float("-inf")):
                return None
            found.append(min(max(int(value), allowed.start), allowed.stop - 1))
        return cls(*found)


@dataclass(frozen=True, slots=True)
class TerminalRequest:
    """What somebody wants to have opened. Empty: the best shell there is, the image's own user
    and folder."""

    kind: Kind = "exec"
    command: tuple[str, ...] = ()
    user: str = ""
    folder: str = ""


@dataclass(frozen=True, slots=True)
class TerminalTarget:
    """One terminal to be opened: where, and what in it."""

    session: str  # 16 hex digits
    team: str
    app: str
    container: str  # 64 hex digits; "" for a command of the host
    container_name: str = ""
    image: str = ""
    request: TerminalRequest = field(default_factory=TerminalRequest)


@dataclass(frozen=True, slots=True)
class ExitStatus:
    """How a session ended.

    ``reason``: exit, closed, signed-out, detached, idle, lifetime, container-stopped,
    container-removed, engine-lost, server-stopped, server-lost, no-shell, not-started,
    command-ended, admin. ``code`` is the exit code where there is one.
    """

    reason: str
    code: int | None = None
    message: str = ""  # for a person: what the engine said when nothing could be started


class Orphan(NamedTuple):
    """By which what is left of a session is found again."""

    session: str
    container: str
    exec_id: str = ""
    pid: int = 0  # of its first process, 0: not known
    kind: Kind = "exec"


class Source(Protocol):
    """What a session shows: an exec in a container, or a command of the host.

    One greenlet reads; any may write, resize and end.
    """

    def start(self, size: Size) -> None:
        """Begin. Raises a CloudBangError that says why not."""

    def read(self, limit: int = 65536) -> bytes:
        """The next bytes of output, waiting for them; ``b""`` once, and from then on, when all
        of it has been read."""

    def read_now(self, limit: int = 65536) -> bytes | None:
        """What there is without waiting, None when there is nothing."""

    def write(self, data: bytes) -> int:
        """Hand on input; never waits. What is not taken at once waits in order; gives how much
        that is now, see ``pending``."""

    @property
    def pending(self) -> int:
        """Bytes of input that were not taken yet."""

    def resize(self, size: Size) -> None:
        """Tell the process its window's size; never waits, the newest wins."""

    @property
    def resizing(self) -> bool:
        """Whether a size is on its way that was not told yet."""

    def result(self) -> ExitStatus:
        """How it ended; asked once, after the end of the output. May wait a moment."""

    def end(self) -> None:
        """End every process of it, within 5 s: gently, then for certain. May be called in any
        state and more than once; waits until it is done."""

    def folder(self) -> str:
        """The folder that its foreground process works in now, "" when nobody knows."""

    @property
    def pid(self) -> int:
        """The first process on this node, 0 when it is not known."""

    @property
    def exec_id(self) -> str:
        """The engine's name of it, "" for none."""

    @property
    def may_start_late(self) -> bool:
        """Whether, though it was ended, the engine may still start it; for a minute at most. It is
        ended then, and the next server has to know of it if this one does not live so long."""


class Recorder(Protocol):
    """What writes down what a session prints; see ``storage.recordings``."""

    @property
    def full(self) -> bool: ...
    def output(self, data: bytes) -> None: ...
    def resize(self, columns: int, rows: int) -> None: ...
    def wait_for_room(self) -> bool: ...
    def end(self) -> int: ...
