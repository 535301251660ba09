"""What moves a file inside a container: a constant script, run by an exec without a terminal.

It ends by itself when its connection does, also when this server is killed. Whether it has is
looked after, as at the end of a terminal.
"""

from __future__ import annotations

import secrets
import struct
import time
from collections.abc import Callable

import gevent
from gevent.event import Event

from cloudbang.engine import Engine, ExecStream
from cloudbang.errors import (
    ContainerNotRunning,
    EngineRefused,
    EngineUnreachable,
    FileRefused,
    NoSuchContainer,
)
from cloudbang.node.terminals.file_texts import BROKEN_OFF, NO_SHELL, REASONS, SAYINGS
from cloudbang.node.terminals.processes import MARKER
from cloudbang.node.terminals.reaper import Orphan, Reaper

ROOM = 256 * 1024  # bytes that the engine has not taken yet, with which nothing more is handed on
STALLED = 60.0  # seconds the engine may take for that, or the script for its next words
SETTLE = 5.0  # seconds for the end of a script that has nothing more to do
ALONE = 1.0  # seconds for one to end by itself that nobody listens to any more
LINE = 200  # characters of a script's first line
SAID = 2_000  # bytes of what it complains

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
        self._left = 0  # bytes of the piece of output that is being read
        self._complaint = bytearray()
        self._said = b""  # of the output, read and not asked for yet
        self._written = Event()
        self._ended = False  # whether that is known
        self._closed = False
        # A name of its own: what belongs to the terminal's session ends with that, and this alone.
        mark = "file-" + secrets.token_hex(8)[:11]
        argv = ["sh", "-c", script, "sh", *arguments]
        try:
            self._exec = engine.exec_create(
                container, argv, user=user, env={MARKER: mark}, tty=False
            )
            self._row: Orphan = (mark, container, self._exec, 0)
            try:
                self._stream: ExecStream = engine.exec_start(self._exec, tty=False)
            except EngineUnreachable:
                reaper.end_later(self._row, late=True)  # it may start it all the same
                raise
        except (NoSuchContainer, ContainerNotRunning) as e:
            raise FileRefused(path, str(e)) from None
        except EngineRefused as e:
            raise FileRefused(path, _not_started(e.reason)) from None
        self._stream.on_written = self._written.set

    def first_line(self) -> str:
        """What it says before it begins. Raises FileRefused when it does not begin."""
        line = b""
        while b"\n" not in line:
            more = self.read(LINE)
            if not more or len(line) > LINE:
                raise FileRefused(self._path, self._reason())
            line += more
        found, _, self._said = line.partition(b"\n")
        if found.split(b" ")[0] not in (b"ready", b"file", b"folder", b"large"):
            # The engine's own words: it says here what it could not start.
            self._complaint += line
            raise FileRefused(self._path, self._reason())
        return found.decode("ascii")

    def read(self, size: int) -> bytes:
        """The next bytes of its output, ``b""`` at the end. Raises EngineUnreachable."""
        if self._said:
            data, self._said = self._said[:size], self._said[size:]
            return data
        while True:
            if self._raw and self._left:
                data = self._raw[: min(self._left, size)]
                self._raw = self._raw[len(data) :]
                self._left -= len(data)
                return data
            if len(self._raw) >= _HEAD.size and not self._left:
                kind, length = _HEAD.unpack_from(self._raw)
                if kind == 1:
                    self._raw, self._left = self._raw[_HEAD.size :], length
                    continue
                if kind != 2 or length > 2**24:  # the engine's own words, without any heads
                    self._complaint += self._raw[:SAID]
                    return b""
                if len(self._raw) >= _HEAD.size + length:
                    self._complaint += self._raw[_HEAD.size : _HEAD.size + length]
                    del self._complaint[:-SAID]
                    self._raw = self._raw[_HEAD.size + length :]
                    continue
            more = self._more(size)
            if not more:
                return b""
            self._raw += more

    def _more(self, size: int) -> bytes:
        silent = EngineUnreachable(self._engine.host, "nothing comes from the container")
        with gevent.Timeout(STALLED, silent):
            return self._stream.read(max(size, 4096))

    def write(self, data: bytes) -> None:
        """Hand on input, and wait until most of it was taken. Raises EngineUnreachable."""
        self._stream.write(data)
        while self._stream.pending > ROOM:
            self._written.clear()
            if not self._written.wait(STALLED):
                raise EngineUnreachable(self._engine.host, "the container takes nothing more")

    def finish(self) -> None:
        """Wait for its end. Raises FileRefused when it could not do its work."""
        while self.read(4096):
            pass
        if self._code() != 0:
            raise FileRefused(self._path, self._reason())

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

    def _reason(self) -> str:
        code = self._code()
        said = self._complaint.decode("utf-8", "replace").strip()
        if reason := REASONS.get(code or 0, ""):
            return reason
        if code in (126, 127):
            return _not_started(said)
        last = said.splitlines()[-1] if said else BROKEN_OFF
        return next((words for sign, words in SAYINGS.items() if sign in last), last[:300])


def _not_started(said: str) -> str:
    missing = "not found" in said or "no such file" in said
    return NO_SHELL if missing and "user" not in said else said[:300] or NO_SHELL
