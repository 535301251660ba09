"""The loop between a program and the server that shows it."""

from __future__ import annotations

import os
import re
import select
import signal
import time
from collections.abc import Callable, Sequence
from typing import Any

from cloudbang.cli.share.errors import NoServer, NotStartable, Refused
from cloudbang.cli.share.handover import Handover
from cloudbang.cli.share.program import STEP_EVERY, Program, Watchdog
from cloudbang.cli.share.server_connection import ServerConnection
from cloudbang.domain.terminals import Size

# Overload: with so many bytes on their way the program's output is not read, and its terminal
# makes it wait.
UNSENT = 256 * 1024
ANSWER_WITHIN = 10.0  # seconds from our first message to the server's
SILENT = 70.0  # seconds without a word; the server pings every 20
FAREWELL = 3.0  # seconds that the tail may take to the server once somebody has ended the share
# The path of a session's page, and the key that opens it.
LINK = re.compile(r"/terminals/[0-9a-f]{16}#[A-Za-z0-9_-]{1,64}")
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Sharing:
    """One command, shared. ``say(what)`` tells a person what happens; see ``cli`` for the words."""

    def __init__(self, server: ServerConnection, say: Callable[[str], None]) -> None:
        self._server, self._say = server, say
        self._write = False
        self._size = Size()
        self._program: Program | None = None
        self._shared: str | None = None
        self._offer: dict[str, Any] | None = None  # where its terminal may be handed over
        self._handover: Handover | None = None  # while nobody knows whether it is taken
        self._refusal: Refused | None = None
        self._typed = 0  # bytes of input that the program's terminal has taken
        self._signalled = 0  # the signal that ended the share
        self._ended_there = False  # somebody has ended it on the server
        self._lost = False  # the server went before the program had ended
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._waker, False)

    def ask(self, command: Sequence[str], title: str, write: bool, size: Size) -> str:
        """Ask the server for a session. Gives the path and fragment of its link.

        Raises Refused, NoServer.
        """
        self._write, self._size = write, size
        self._server.tell(
            op="share",
            command=list(command),
            title=title,
            write=write,
            pty=True,
            columns=size.columns,
            rows=size.rows,
        )
        end = time.monotonic() + ANSWER_WITHIN
        while self._shared is None:
            self._wait(end - time.monotonic())
            self._hear()
            if self._refusal is not None:
                raise self._refusal
            if time.monotonic() > end or self._server.closing:
                raise NoServer(self._server.address, "it does not answer")
        return self._shared

    def run(self, command: Sequence[str]) -> int:
        """Run it until it has ended and all it printed is with the server. Gives the exit status.

        Whatever ends this ends the command, and at once: a session whose socket has broken has
        ended on the server and cannot be gone on with. Raises NotStartable, Refused.
        """
        try:
            status = self._run(command)
        except NotStartable as e:
            self._server.tell(op="ended", code=e.exit_status)
            self._part()
            raise
        self._server.tell(op="ended", code=status)
        self._part()
        if self._refusal is not None:
            raise self._refusal
        if self._signalled:
            return 128 + self._signalled
        return 1 if self._lost else status

    def _run(self, command: Sequence[str]) -> int:
        watchdog = Watchdog()  # first: once it is there, nothing can leave the program behind
        try:
            self._take_signals()
            program = self._program = _started(command, self._size, watchdog)
            self._hand_over(program)
            while not program.step():
                self._wait(STEP_EVERY if program.busy else None)
                self._hear()
                self._pump(program)
        finally:
            # Now and not when the tail has arrived: the number it knows may be another's by then.
            watchdog.dismiss()
        if program.left:
            self._say("left")
        self._program = None
        program.close()
        return program.status

    # --- the loop ---------------------------------------------------------------------------------

    def _wait(self, seconds: float | None) -> None:
        """Until something can be done, for so long at most."""
        server, program = self._server, self._program
        readers: list[Any] = [self._woken]
        writers: list[Any] = []
        if not server.closing:
            readers.append(server.socket)
            if server.unsent:
                writers.append(server.socket)
            silent_in = server.heard + SILENT - time.monotonic()
            seconds = silent_in if seconds is None else min(seconds, silent_in)
        if program is not None and not program.drained:
            if self._handover is not None:
                readers.append(self._handover.socket)
            elif self._may_read(program):
                readers.append(program.master)
            if program.input_waits:
                writers.append(program.master)
        ready = select.select(readers, writers, [], None if seconds is None else max(seconds, 0))
        if self._woken in ready[0]:
            for number in os.read(self._woken, 100):
                self._on_signal(number)

    def _hear(self) -> None:
        """What the server says, and whether it still does."""
        server = self._server
        for message in server.receive():
            if isinstance(message, bytes):
                if self._write and self._program is not None:
                    self._program.write(message)
            elif (handler := HANDLERS.get(str(message.get("op")))) is not None:
                handler(self, message)  # others are of a server newer than this
        if server.heard + SILENT < time.monotonic():
            server.give_up()
        server.flush()
        if server.closing and self._program is not None and not self._lost:
            self._lost = True
            if not self._ended_there and self._refusal is None:
                self._say("stopped" if server.code == 1001 else "lost")
            self._program.end()

    def _hand_over(self, program: Program) -> None:
        """Offer the program's terminal to the server, if that takes it."""
        if self._offer is None:
            return
        try:
            self._handover = Handover(self._offer, program.master)
        except (OSError, KeyError):
            self._server.tell(op="keep")

    def _settle(self, handover: Handover, program: Program) -> None:
        """Go on with it once the server has said whether it has the terminal."""
        if (taken := handover.taken()) is None:
            return
        handover.close()
        self._handover = None
        if taken:
            program.hand_over()
        else:
            self._server.tell(op="keep")

    def _pump(self, program: Program) -> None:
        if self._handover is not None:
            self._settle(self._handover, program)
        if self._handover is not None or program.drained:
            self._server.flush()
            return
        if program.input_waits and (taken := program.write_more()):
            self._typed += taken
            self._server.tell(op="input", offset=self._typed)
        if self._may_read(program) and (data := program.read()):
            self._server.send(data)
        self._server.flush()

    def _may_read(self, program: Program) -> bool:
        # Of a program that has ended little is left, and its end must not wait for a slow reader.
        return self._server.unsent < UNSENT or program.dead

    def _part(self) -> None:
        """Wait until the server has everything and says good-bye. After the program's own end that
        may take its time: the tail is not thrown away because somebody reads it slowly."""
        since = time.monotonic()
        while not self._server.closing:
            hurry = self._signalled or self._ended_there
            left = since + FAREWELL - time.monotonic() if hurry else None
            if left is not None and left <= 0:
                return
            self._wait(left)
            self._hear()
        self._server.start_close()
        self._server.flush()
        if not (self._lost or self._signalled or self._ended_there) and self._server.code != 1000:
            self._say("tail-lost")

    # --- what happens -----------------------------------------------------------------------------

    def _take_signals(self) -> None:
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _noted)
        for number in STOPS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup means what it says
                signal.signal(number, _noted)

    def _on_signal(self, number: int) -> None:
        if number not in STOPS:
            return
        if self._program is not None:
            if not self._signalled and not self._program.busy:
                self._say("ending")
            self._program.end(hurry=bool(self._signalled))
        self._signalled = self._signalled or number

    def _on_shared(self, message: dict[str, Any]) -> None:
        url = str(message.get("url"))
        if not LINK.fullmatch(url):
            raise Refused("bad-link", "the server answers with what is no link")
        self._shared = url
        self._offer = message.get("pty")

    def _on_resize(self, message: dict[str, Any]) -> None:
        size = Size.of(message.get("columns"), message.get("rows"))
        if size is not None:
            self._size = size
            if self._program is not None:
                self._program.resize(size)

    def _on_end(self, _message: dict[str, Any]) -> None:
        self._ended_there = True
        if self._program is not None:
            self._say("ended-there")
            self._program.end()

    def _on_error(self, message: dict[str, Any]) -> None:
        said = "".join(c if c.isprintable() else "\ufffd" for c in str(message.get("message")))
        self._refusal = Refused(str(message.get("code")), said)


HANDLERS: dict[str, Callable[[Sharing, dict[str, Any]], None]] = {
    "shared": Sharing._on_shared,
    "resize": Sharing._on_resize,
    "end": Sharing._on_end,
    "error": Sharing._on_error,
}


def _noted(_number: int, _frame: object) -> None:
    """The wake-up pipe tells of it."""


def _started(command: Sequence[str], size: Size, watchdog: Watchdog) -> Program:
    try:
        return Program(command, size, watchdog)
    except OSError as e:
        missing = isinstance(e, FileNotFoundError)
        raise NotStartable(command[0], e.strerror or str(e), 127 if missing else 126) from None
