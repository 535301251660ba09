"""What moves a file inside a container: a constant script, run by an exec without a terminal.

The container's own ``sh`` runs it, whatever that is: nothing that it says is believed before it was
looked at, and whatever it says and how long it takes has a limit.

It ends by itself when its connection does, also when this server is killed. Whether it has is
looked after, as at the end of a terminal.
"""

from __future__ import annotations

import posixpath
import re
import secrets
import struct
import time
from collections.abc import Callable

import gevent
from gevent.event import Event

from cloudbang.domain.terminals import Orphan
from cloudbang.engine import Engine, ExecStream
from cloudbang.errors import (
    ContainerNotRunning,
    EngineRefused,
    EngineUnreachable,
    FileRefused,
    NoSuchContainer,
    NotUpgraded,
)
from cloudbang.node.terminals.environment import of_script
from cloudbang.node.terminals.file_commands import (
    BROKEN_OFF,
    FOLDER,
    MESSAGES,
    NO_FOLDER,
    NO_SHELL,
    REASONS,
    UNINTELLIGIBLE,
)
from cloudbang.node.terminals.processes import MARKER
from cloudbang.node.terminals.reaper import Reaper

ROOM = 256 * 1024  # bytes that the engine has not taken yet, with which nothing more is handed on
STALLED = 60.0  # seconds the engine may take for that, or the script for its next words
SETTLE = 5.0  # seconds for the end of a script that has nothing more to do
ALONE = 1.0  # seconds for one to end by itself that nobody listens to any more
LINE = 200  # bytes of a script's first line
# Bytes of complaints: before it begins a script has hardly any, and a program that is none many.
COMPLAINS_FIRST, COMPLAINS = 16 * 1024, 1024 * 1024
KEPT = 16 * 1024  # of these, the first and the last
FRAME = 2**24  # bytes of one piece of output at most: more is no head but the engine's own words

_HEAD = struct.Struct(">BxxxI")  # of a piece of output: its stream, its size


class FileScript:
    """One run. ``close`` always. ``path`` is what it is about, for people; ``over`` is called once
    it has been closed and has ended."""

    def __init__(
        self,
        engine: Engine,
        reaper: Reaper,
        container: str,
        user: str,
        path: str,
        over: Callable[[], None],
        script: str,
        *arguments: str,
    ) -> None:
        self._engine, self._reaper, self._path, self._over = engine, reaper, path, over
        self._raw = b""
        self._kind = self._left = 0  # of the piece that is being read: its stream, bytes to come
        self._complaint = bytearray()
        self._complained, self._may_complain = 0, COMPLAINS_FIRST
        self._said = b""  # of the output, read and not asked for yet
        self._written = Event()
        self._ended = False  # whether that is known
        self._closed = False
        # A name of its own: what belongs to the terminal's session ends with that, and this alone.
        mark = "file-" + secrets.token_hex(8)[:11]
        argv = ["sh", "-c", script, "sh", *arguments]
        try:
            env = {MARKER: mark, **of_script(engine.container_state(container).env)}
            self._exec = engine.exec_create(container, argv, user=user, env=env, tty=False)
            self._row = Orphan(mark, container, self._exec)
            try:
                self._stream: ExecStream
                self._stream, _ = engine.exec_start(self._exec, tty=False)
            except (EngineUnreachable, NotUpgraded):
                reaper.end_later(self._row, late=True)  # it may start it all the same
                raise
        except (NoSuchContainer, ContainerNotRunning) as e:
            raise FileRefused(self._path, str(e)) from None
        except EngineRefused as e:
            raise FileRefused(self._path, _not_started(e.reason)) from None
        self._stream.on_written = self._written.set

    def first_line(self, expected: re.Pattern[bytes]) -> str:
        """What it says before it begins. Raises FileRefused when that is not what is ``expected``,
        or when it does not come in time, whatever else does."""
        line = b""
        until = time.monotonic() + STALLED
        while b"\n" not in line:
            more = self._read(LINE, until)
            if not more or len(line) > LINE:
                raise self._refusal(line)
            line += more
        found, _, self._said = line.partition(b"\n")
        if not expected.fullmatch(found):
            raise self._refusal(line)
        self._may_complain = COMPLAINS
        return found.decode("ascii")

    def read(self, size: int) -> bytes:
        """The next bytes of its output, ``b""`` at the end. Raises EngineUnreachable, FileRefused."""
        return self._read(size, time.monotonic() + STALLED)

    def _read(self, size: int, until: float) -> bytes:
        if self._said:
            data, self._said = self._said[:size], self._said[size:]
            return data
        while True:
            if not self._left and len(self._raw) >= _HEAD.size:
                self._kind, self._left = _HEAD.unpack_from(self._raw)
                if self._kind not in (1, 2) or self._left > FRAME:
                    # The engine's own words, without any heads.
                    self._complain(self._raw[:KEPT])
                    return b""
                self._raw = self._raw[_HEAD.size :]
            if self._left and self._raw:
                data = self._raw[: min(self._left, size)]
                self._raw = self._raw[len(data) :]
                self._left -= len(data)
                if self._kind == 1:
                    return data
                self._complain(data)
                continue
            if self._left or len(self._raw) < _HEAD.size:
                more = self._more(size, until)
                if not more:
                    return b""
                self._raw += more

    def _more(self, size: int, until: float) -> bytes:
        silent = EngineUnreachable(self._engine.host, "nothing comes from the container")
        with gevent.Timeout(max(0.001, until - time.monotonic()), silent):
            return self._stream.read(max(size, 4096))

    def _complain(self, data: bytes) -> None:
        self._complained += len(data)
        self._complaint += data
        if len(self._complaint) > 3 * KEPT:
            self._complaint[KEPT:-KEPT] = b"\n...\n"
        if self._complained > self._may_complain:
            raise FileRefused(self._path, UNINTELLIGIBLE)

    @property
    def complaint(self) -> str:
        """What it has complained of so far; of much the beginning and the end."""
        text = self._complaint.decode("utf-8", "replace")
        return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text).strip()

    def write(self, data: bytes) -> None:
        """Hand on input, and wait until most of it was taken. Raises EngineUnreachable."""
        self._stream.write(data)
        while self._stream.pending > ROOM:
            self._written.clear()
            if not self._written.wait(STALLED):
                raise EngineUnreachable(self._engine.host, "the container takes nothing more")

    def finish(self) -> None:
        """Wait for its end. Raises FileRefused when it could not do its work."""
        if self.end() != 0:
            raise self._refusal()

    def end(self) -> int | None:
        """Wait for its end; the exit status, None when it does not come. Nothing more is expected
        of its output."""
        until = time.monotonic() + STALLED
        while self._read(4096, until):
            if time.monotonic() > until:
                return None
        return self._code()

    def abort(self) -> bool:
        """No more input comes. Whether it has ended, so that nothing half is left."""
        self._stream.drop_input()
        self._stream.hang_up()
        return self._code() is not None

    def close(self) -> None:
        """May be called twice. What still runs of it is ended, which nobody waits for."""
        if self._closed:
            return
        self._closed = True
        self._stream.close()
        if self._ended:
            self._over()
        else:
            self._reaper.tasks.once("file-end", self._end)

    def _end(self) -> None:
        """It ends by itself, unless something holds it or what it runs."""
        try:
            if self._code(ALONE) is None and not self._reaper.end_left(self._row):
                self._reaper.end_later(self._row)
        finally:
            self._over()

    def _code(self, within: float = SETTLE) -> int | None:
        until = time.monotonic() + within
        while True:
            try:
                state = self._engine.exec_inspect(self._exec)
            except (EngineRefused, EngineUnreachable):
                return None
            if not state.running and state.exit_code is not None:
                self._ended = True
                return state.exit_code
            if time.monotonic() > until:
                return None
            gevent.sleep(0.02)

    def _refusal(self, unexpected: bytes = b"") -> FileRefused:
        """Why it did not do its work; ``unexpected``: what it said in place of its first line."""
        code = self._code()
        reason = self._reason(code, unexpected)
        if code != FOLDER:
            return FileRefused(self._path, reason)
        missing = reason == MESSAGES["No such file or directory"]
        return FileRefused(posixpath.dirname(self._path), NO_FOLDER if missing else reason)

    def _reason(self, code: int | None, unexpected: bytes) -> str:
        said = self.complaint
        if reason := REASONS.get(code or 0, ""):
            return reason
        if code in (126, 127):
            return _not_started(said or unexpected.decode("utf-8", "replace"))
        if not said:
            return UNINTELLIGIBLE if unexpected else BROKEN_OFF
        last = said.splitlines()[-1]
        return next((words for sign, words in MESSAGES.items() if sign in last), last[:300])


def _not_started(said: str) -> str:
    missing = "not found" in said or "no such file" in said
    return NO_SHELL if missing and "user" not in said else said[:300] or NO_SHELL
