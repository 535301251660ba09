"""A program in a pseudo terminal of its own, and the end of every process of its session."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import struct
import subprocess
import termios
import time
from collections import deque
from collections.abc import Mapping, Sequence

from cloudbang.domain.terminals import Size

READ = 64 * 1024  # bytes taken from the terminal at a time
GENTLY = 2.0  # seconds between SIGHUP and SIGKILL
AT_MOST = 4.5  # seconds until the end of a process that nothing ends is not waited for any more
STEP_EVERY = 0.02  # seconds
# What a terminal may keep back after its last process has gone before it says that this was all.
LAST_WORDS = 1.0  # seconds

# Nobody who looks at a terminal shall find the first password of the server in it.
SECRETS = ("CLOUDBANG_ADMIN_PASSWORD",)


class Program:
    """Runs ``command`` from the moment it is made. Raises OSError when it cannot be started.

    Its output and input never block; ``master`` is to be waited for. ``watchdog`` gets the
    number of its process session first thing, see :class:`Watchdog`.
    """

    def __init__(self, command: Sequence[str], size: Size, watchdog: Watchdog) -> None:
        self.master, self._slave = os.openpty()
        os.set_blocking(self.master, False)
        self.resize(size)
        self.drained = False  # all output was read
        self._input: deque[bytes] = deque()
        self.input_waits = 0  # bytes
        self._died = 0.0
        self._ending: Termination | None = None

        def prepare() -> None:  # in the child, which is the leader of a new process session
            watchdog.tell(os.getpid())
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            # Whoever runs this in the background or under nohup has some of them ignored.
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)

        try:
            self._process = subprocess.Popen(
                list(command),
                stdin=self._slave,
                stdout=self._slave,
                stderr=self._slave,
                start_new_session=True,
                # One thread: nothing can be locked that the child would wait for.
                preexec_fn=prepare,
                env=environment(os.environ),
            )
        except BaseException:
            os.close(self.master)
            os.close(self._slave)
            raise

    def read(self) -> bytes:
        """What it has printed, b"" when there is nothing (more, when ``drained``)."""
        parts: list[bytes] = []
        size = 0
        while size < READ and not self.drained:
            try:
                data = os.read(self.master, READ - size)
            except BlockingIOError:
                self.drained = not parts and self._is_silent()
                break
            except OSError:  # EIO: nobody has the other end any more, and nothing is left
                data = b""
            if not data:
                self.drained = True
            parts.append(data)
            size += len(data)
        return b"".join(parts)

    def hand_over(self) -> None:
        """Somebody else reads and types now: of its output nothing is ours any more."""
        self.drained = True

    def write(self, data: bytes) -> None:
        """Type. What its terminal does not take at once waits, see :meth:`write_more`."""
        if not self.drained:
            self._input.append(data)
            self.input_waits += len(data)

    def write_more(self) -> int:
        """Hand on what waits; gives the bytes that were taken."""
        taken = 0
        with contextlib.suppress(BlockingIOError, OSError):
            while self._input:
                count = os.write(self.master, self._input[0])
                taken += count
                if count < len(self._input[0]):
                    self._input[0] = self._input[0][count:]
                else:
                    self._input.popleft()
        self.input_waits -= taken
        return taken

    def resize(self, size: Size) -> None:
        """The window's size; the kernel tells the program (SIGWINCH)."""
        fcntl.ioctl(
            self.master, termios.TIOCSWINSZ, struct.pack("HHHH", size.rows, size.columns, 0, 0)
        )

    def end(self, *, hurry: bool = False) -> None:
        """Begin to end every process of it, ``hurry``: not gently; :meth:`step` goes on with
        that."""
        if self._ending is None:
            self._ending = Termination(self._process.pid)
        if hurry:
            self._ending.hurry()

    def step(self) -> bool:
        """Go on with what is under way. True: it has ended with everything it started, and all
        it printed was read."""
        if not self._died and self._process.poll() is not None:
            # Until now this end was kept open: a program may close its terminal and open it again.
            os.close(self._slave)
            self._died = time.monotonic()
            self.end()  # what it left in its session ends with it
        if self._ending is None or not self._ending.step():
            return False
        return self._ending.gave_up or (bool(self._died) and self.drained)

    def _is_silent(self) -> bool:
        """Whether nothing can come any more, although the kernel does not say so."""
        over = self._ending is not None and self._ending.step()
        return over and 0 < self._died < time.monotonic() - LAST_WORDS

    @property
    def busy(self) -> bool:
        """Whether :meth:`step` has to be called every ``STEP_EVERY`` seconds."""
        return self._ending is not None

    @property
    def dead(self) -> bool:
        """Whether its first process has ended."""
        return self._died > 0

    @property
    def left(self) -> list[int]:
        """Processes that could not be ended."""
        return members(self._process.pid) if self._ending is not None else []

    @property
    def status(self) -> int:
        """Its exit status; 128 and the signal's number where a signal ended it, as shells say."""
        code = self._process.returncode
        return 1 if code is None else code if code >= 0 else 128 - code

    def close(self) -> None:
        """Let go of the terminal."""
        os.close(self.master)


class Termination:
    """SIGHUP to a process session, after ``GENTLY`` seconds SIGKILL, until nobody is left."""

    def __init__(self, session: int) -> None:
        self._session = session
        self._since = time.monotonic()
        self._told: set[int] = set()
        self.gave_up = False

    def hurry(self) -> None:
        """Kill what is left, now."""
        self._since = min(self._since, time.monotonic() - GENTLY)

    def step(self) -> bool:
        """One look; True when nobody is left, or when ``AT_MOST`` seconds did not suffice."""
        found = members(self._session)
        passed = time.monotonic() - self._since
        for pid in found:
            if passed > GENTLY:
                _signal(pid, signal.SIGKILL)
            elif pid not in self._told:
                self._told.add(pid)
                _signal(pid, signal.SIGHUP)
                _signal(pid, signal.SIGCONT)  # who is stopped would not hear it
        self.gave_up = bool(found) and passed > AT_MOST
        return not found or self.gave_up


class Watchdog:
    """A child that ends the program should this process be killed.

    It waits at a pipe whose other end only this process holds, and looks for its death nowhere
    else: the kernel closes the pipe whatever happens. Once this is made, it is out of reach of
    what is sent to this process's group and terminal.
    """

    def __init__(self) -> None:
        reader, self._writer = os.pipe()
        is_ready, ready = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self._writer)
                os.close(is_ready)
                _watch(reader, ready)
            finally:
                os._exit(0)
        os.close(reader)
        os.close(ready)
        # On a busy machine it comes to run after the command, which a kill of the group would
        # leave behind then. Where it could not begin, this ends, too, with nothing.
        os.read(is_ready, 1)
        os.close(is_ready)

    def tell(self, session: int) -> None:
        """The number of the process session to end."""
        os.write(self._writer, b"%d\n" % session)

    def dismiss(self) -> None:
        """Its work is done; what is left of the session it still ends."""
        os.close(self._writer)
        os.waitpid(self.pid, 0)


def _watch(reader: int, ready: int) -> None:
    os.setsid()  # what is meant for the command at its terminal is not meant for its watchdog
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.write(ready, b"1")
    # Who reads what the command prints, and the server, shall see its end at once.
    os.closerange(3, reader)
    os.closerange(reader + 1, 1024)
    told = b""
    while part := os.read(reader, 100):
        told += part
    if told.strip():
        ending = Termination(int(told))
        while not ending.step():
            time.sleep(STEP_EVERY)


def members(session: int) -> list[int]:
    """The living processes of a process session (of Linux: from /proc).

    Its number cannot be another's while one of them lives, even when its leader has gone.
    """
    found = []
    for name in os.listdir("/proc"):
        if not name.isdecimal():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                # The name is in brackets and may hold anything, brackets too.
                state, _parent, _group, number = file.read().rpartition(b")")[2].split()[:4]
        except (OSError, ValueError):
            continue
        if int(number) == session and state not in (b"Z", b"X"):
            found.append(int(name))
    return found


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """What the program finds around it: a terminal as ours is, and no secret of ours."""
    left_out = (*SECRETS, "COLUMNS", "LINES")
    return {k: v for k, v in own.items() if k not in left_out} | {"TERM": "xterm-256color"}


def _signal(pid: int, number: int) -> None:
    # PermissionError: what sudo started ends with its terminal, which the kernel hangs up.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
