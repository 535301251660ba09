"""A terminal in a container: an exec, from the search for its shell to the end of its last job."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

import gevent
from gevent import Greenlet
from gevent.event import Event

from cloudbang.core.looks import looks
from cloudbang.domain.terminals import ExitStatus, Orphan, Size, TerminalTarget
from cloudbang.engine import Engine, ExecState, ExecStream
from cloudbang.errors import (
    CloudBangError,
    ContainerNotRunning,
    EngineRefused,
    EngineUnreachable,
    NoShell,
    NoSuchContainer,
    NotStarted,
)
from cloudbang.node.terminals import processes
from cloudbang.node.terminals.environment import of_terminal
from cloudbang.node.terminals.first_output import FirstOutput
from cloudbang.node.terminals.processes import ProcessSession
from cloudbang.node.terminals.reaper import LATE, Reaper

log = logging.getLogger(__name__)

END_KEYS = b"\x03\x04"  # ^C ^D
SETTLE = 2.0  # seconds the engine gets to know that an exec has ended whose output has
SEVERAL = 10  # times that it is asked at least: a busy one is slow to answer, and to know
GOING = 1.0  # seconds a container gets to be seen as stopped, and a stopped one as removed
# The best shell there is. A constant: nothing from outside ever becomes part of it. Where nothing
# says which characters there are, they are UTF-8: bash takes them for bytes else. Not so busybox,
# but Alpine's: told so, it shows most of them as question marks.
FIND_SHELL = """
lang=$LC_ALL$LC_CTYPE$LANG
is() { command -v "$1" > /dev/null 2>&1; }
know() { [ -n "$lang" ] || { LANG=C.UTF-8; export LANG; }; }
for shell in bash /bin/bash; do is $shell && know && exec $shell; done
[ ! -e /etc/alpine-release ] || know
for shell in ash /bin/ash sh /bin/sh; do is $shell && exec $shell; done
"""
SHELLS: list[list[str]] = [["sh", "-c", FIND_SHELL], ["bash"]]  # an image may have the latter only
SHELL_BY_PATH = ["/bin/sh", "-c", FIND_SHELL]  # for a PATH that leads elsewhere
NOT_FOUND, NOT_RUN = 127, 126  # exit codes, as shells have them, of what was never started
KILLED = 137  # exit code of what was killed: with its container, for instance
# A shell whose output is lost (see first_output) is ended and another one started in its place. That
# is not told what was typed: the first one has done it.
SHELL_NAMES = frozenset({"sh", "ash", "bash", "dash", "ksh", "zsh", "fish"})
MUTE_TIMES = 3  # in a row, of the same terminal
TYPED_KEPT = 1 << 20  # bytes; who has typed that much before the first output gets no other shell


class ExecSource:
    """See the module, and ``Source`` for what each method promises."""

    __slots__ = (
        *("_argv", "_asked_size", "_container", "_container_env", "_early", "_ended", "_engine"),
        *("_exec_id", "_failure", "_home", "_later", "_later_until", "_leader", "_mute", "_over"),
        *("_mutes", "_reaper"),
        *("_resizing", "_shells", "_started_at", "_starting", "_stream", "_sure", "_target"),
        *("_told", "_typed", "_visible", "__weakref__"),
    )

    def __init__(self, engine: Engine, target: TerminalTarget, reaper: Reaper) -> None:
        self._engine, self._target, self._reaper = engine, target, reaper
        self._container = target.container
        self._stream: ExecStream | None = None
        self._exec_id = ""
        self._leader: ProcessSession | None = None  # once it is known
        self._visible = False  # whether the container's processes can be seen from here
        self._home = ""  # where processes start in this container
        self._container_env: Mapping[str, str] = {}
        self._started_at = ""  # when the container was
        self._shells = list(SHELLS) if not target.request.command else []  # still to be tried
        self._argv: Sequence[str] = ()
        self._typed: bytearray | None = None  # what the next shell has to be told again
        self._mute: Event | None = None  # its output is lost; set once it is ended for another one
        self._mutes = 0  # how often that was so
        self._sure = False  # whether it is known that the process runs or ran
        self._over = False  # whether all output was read
        self._failure: ExitStatus | None = None
        self._asked_size = Size()
        self._told: tuple[str, Size] | None = None  # the size that the engine was told last
        self._early: bytearray | None = None  # typed before that; bounded by who sees `pending`
        self._resizing = False
        self._starting = False  # whether the engine was asked to start it and has said nothing yet
        self._ended: Event | None = None  # set once everything has been ended
        self._later: Greenlet | None = None  # ends what could not be ended at once
        self._later_until = 0.0

    # --- the beginning --------------------------------------------------------------------------

    def start(self, size: Size) -> None:
        """Begin. Raises NoSuchContainer, ContainerNotRunning, EngineRefused, EngineUnreachable.

        What the engine could not start is found out with the first output, see ``result``.
        """
        state = self._engine.container_state(self._container)
        if state.state != "running":
            raise ContainerNotRunning(self._name, state.state)
        self._visible = self._reaper.sees(state.pid, state.id)
        self._container, self._started_at = state.id, state.started_at
        self._home = self._target.request.folder or state.folder
        self._container_env = state.env
        self._asked_size = size
        if self._shells:
            if "/bin" not in state.env.get("PATH", "/bin").split(":"):
                self._shells.append(SHELL_BY_PATH)
            self._typed = bytearray()
            self._begin(self._shells.pop(0))
        else:
            if is_shell(self._target.request.command):
                self._typed = bytearray()
            self._begin(self._target.request.command)

    def _begin(self, argv: Sequence[str]) -> None:
        request, self._argv = self._target.request, argv
        if self._ended is not None:
            return  # ended while it was beginning
        try:
            self._exec_id = self._engine.exec_create(
                self._container,
                argv,
                user=request.user,
                folder=request.folder,
                env=of_terminal(self._container_env, self._target.session, argv[0]),
            )
        except EngineRefused as e:
            if e.engine_status not in (400, 500):
                raise
            self._refused(e)  # of a user that there is not, newer engines tell it here
            return
        if self._ended is not None:
            return
        # Where that fails by a timeout, for instance, the engine may start it later all the same.
        self._starting = True
        size = self._asked_size
        try:
            self._stream, sized = self._engine.exec_start(self._exec_id, size=size)
        except EngineRefused as e:
            # Newer engines tell it here what 20.10 tells in the output.
            self._starting = False
            self._refused(e)
            return
        self._starting = False
        if self._ended is not None:
            # It came just after it was ended.
            self._stream.hang_up()
            self._reaper.end_later(self._row)
            return
        # What is typed before it knows its size would be echoed by lines of another length.
        self._early = None if sized else bytearray()
        self._told = (self._exec_id, size) if sized else None
        self.resize(self._asked_size)
        if self._typed is not None:
            self._reaper.tasks.once("first-output", self._wait_for_output, self._exec_id)

    def _begin_again(self, argv: Sequence[str]) -> None:
        """Another shell in place of this one, told what was typed."""
        self._over = False
        try:
            self._begin(argv)
        except CloudBangError as e:
            self._fail(ExitStatus("not-started", None, str(e)))
        else:
            if self._typed:
                self._hand_on(bytes(self._typed))

    def _refused(self, e: EngineRefused) -> None:
        self._not_started(e.reason, NOT_FOUND if "not found" in e.reason else NOT_RUN)

    @property
    def _row(self) -> Orphan:
        """By which it is found again."""
        return Orphan(self._target.session, self._container, self._exec_id, self.pid)

    @property
    def _name(self) -> str:
        return self._target.container_name or self._container[:12]

    # --- output -----------------------------------------------------------------------------------

    def read(self, limit: int = 65536) -> bytes:
        while not self._over and self._stream is not None:
            data = self._stream.read(limit)
            if data and self._sure and self._mute is None:
                return data
            if (found := self._found(data)) is not None:
                return found
        return b""

    def read_now(self, limit: int = 65536) -> bytes | None:
        if self._over or self._stream is None:
            return b""
        data = self._stream.read_now(limit)
        return None if data is None else self._found(data)

    def _found(self, data: bytes) -> bytes | None:
        """Output to be shown; None when it was the engine's own and something else is tried."""
        if self._mute is not None:
            if data:
                return None  # it comes after all, now that it ends: the next one's does as well
            self._mute.wait()
            self._mute = self._leader = None
            self._sure, self._typed = False, self._typed or bytearray()
            self._close()
            self._begin_again(self._argv)
            return None if self._stream is not None else b""
        if not self._sure and not self._make_sure(data):
            return self._try_next(data)
        if not data:
            self._close()
        return data

    def _make_sure(self, said: bytes) -> bool:
        """Whether the first output is the process's own: the engine puts its error there, too."""
        with suppress(EngineRefused, EngineUnreachable):
            for _ in range(2):
                state = self._engine.exec_inspect(self._exec_id)
                if state.running or state.pid:
                    break
                failed = state.exit_code in (NOT_RUN, NOT_FOUND) and said.startswith(b"Error: ")
                if self._engine.is_podman and not failed:
                    break  # it forgets the number of what has ended
                gevent.sleep(0.05)  # it may have ended before its number was written down
            else:
                return False
            self._take_leader(state)
            if self._leader is None:  # output may come before the engine knows the number
                self._reaper.tasks.once("leader", self._find_leader)
        self._sure, self._typed = True, None
        return True

    def _try_next(self, said: bytes) -> bytes | None:
        assert self._stream is not None
        with gevent.Timeout(SETTLE, False):
            while said and len(said) < 65536 and (more := self._stream.read()):
                said += more
        self._close()
        code = None
        with suppress(CloudBangError):
            code = self._engine.exec_inspect(self._exec_id).exit_code
        self._not_started(said.decode("utf-8", "replace"), code)
        return None if self._stream is not None else b""

    def _not_started(self, reason: str, code: int | None) -> None:
        """The engine could not start it: try the next shell, or say so."""
        # Nothing but the text tells a missing shell from a missing user or folder.
        missing = "not found" in reason or "no such file" in reason
        no_shell = not self._target.request.command and missing and "chdir" not in reason
        if no_shell and self._shells:
            self._begin_again(self._shells.pop(0))
        elif no_shell:
            self._fail(ExitStatus("no-shell", code, str(NoShell(self._name))))
        else:
            self._fail(
                ExitStatus("not-started", code, str(NotStarted(self._name, in_words(reason))))
            )

    def _fail(self, end: ExitStatus) -> None:
        if self._failure is None:
            self._failure = end
        self._close()

    def _close(self) -> None:
        self._over = True
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _wait_for_output(self, exec_id: str) -> None:
        """Its output may be lost: another one is started then."""

        def is_awaited() -> bool:
            if self._exec_id != exec_id or self._stream is None or self._ended is not None:
                return False
            return not (self._sure or self._typed is None or self._mutes >= MUTE_TIMES)

        of = (self._engine, self._reaper, self._container, exec_id)
        silent = FirstOutput(*of, visible=self._visible).lost_after(is_awaited)
        if silent is None:
            return
        self._mutes += 1
        log.warning(
            "what %s prints in %s does not come, after %.0f s: another one is started",
            *(self._argv[0], self._name, silent),
        )
        # Whoever reads goes on from here, but not before this one is gone: both have one mark.
        self._mute = ended = Event()
        self._typed = bytearray()  # what is typed from now on is the next one's
        try:
            self._end_processes(typed=False)
        finally:
            self.hang_up()
            ended.set()

    # --- input and size ---------------------------------------------------------------------------

    def write(self, data: bytes) -> int:
        if self._typed is not None:
            self._typed += data
            if self._mute is not None:
                return len(self._typed)
            if len(self._typed) > TYPED_KEPT:
                self._typed = None
        return self._hand_on(data)

    def _hand_on(self, data: bytes) -> int:
        if self._stream is None:
            return 0
        if self._early is None:
            return self._stream.write(data)
        self._early += data
        return len(self._early)

    @property
    def pending(self) -> int:
        waits = len(self._early) if self._early else 0
        return waits + (self._stream.pending if self._stream is not None else 0)

    def resize(self, size: Size) -> None:
        self._asked_size = size
        if not self._resizing and self._stream is not None and not self._is_told:
            self._resizing = True
            self._reaper.tasks.once("resize", self._resize)

    @property
    def resizing(self) -> bool:
        return self._resizing

    @property
    def _is_told(self) -> bool:
        return self._told == (self._exec_id, self._asked_size)

    def _resize(self) -> None:
        """One at a time, until the newest has been told."""
        try:
            while self._stream is not None and not self._is_told:
                self._told = (self._exec_id, size := self._asked_size)
                # The engine refuses when it has ended.
                with suppress(EngineRefused, EngineUnreachable):
                    self._engine.exec_resize(self._exec_id, size.columns, size.rows)
                self._let_type()
        finally:
            self._resizing = False

    def _let_type(self) -> None:
        early, self._early = self._early, None
        if early and self._stream is not None:
            self._stream.write(bytes(early))

    # --- what it is -------------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        return self._leader.pid if self._leader is not None else 0

    @property
    def exec_id(self) -> str:
        return self._exec_id

    def _take_leader(self, state: ExecState) -> None:
        if not state.pid or (self._leader is not None and self._leader.pid == state.pid):
            return
        started = 0
        if self._visible:
            call = self._reaper.limited_calls
            started = call(0, processes.started_in, state.pid, self._container)
        self._leader = ProcessSession(state.pid, self._container, started, self._target.session)

    def _find_leader(self) -> ProcessSession | None:
        """Its first process, once there is one; None when there never was any."""
        until = time.monotonic() + SETTLE
        while self._leader is None and self._exec_id and self._failure is None:
            try:
                state = self._engine.exec_inspect(self._exec_id)
            except (EngineRefused, EngineUnreachable):
                break
            self._take_leader(state)
            if not state.running or time.monotonic() > until:
                break
            if self._leader is None:
                gevent.sleep(0.05)  # it is just being started
        return self._leader

    def folder(self) -> str:
        """The folder its foreground process works in, else the one it was started in."""
        target, reaper = self._target, self._reaper.in_containers
        if self._visible:
            return self.works_in() or self._home
        if self._find_leader() is None:
            return self._home
        return reaper.folder(self._container, target.session, target.request.user) or self._home

    def works_in(self, outside: bool = False) -> str:
        """What can be seen from here of the folder its foreground process works in, "" when that is
        nothing. ``outside``: only one that is not among that process's own files."""
        leader = self._find_leader()
        if leader is None:
            return ""
        return self._reaper.limited_calls("", processes.where, leader.pid, self._container, outside)

    # --- the end ----------------------------------------------------------------------------------

    def result(self) -> ExitStatus:
        """How it ended. What it started and left running is ended now."""
        if self._failure is not None:
            return self._failure
        end = self._how()
        if self._ended is None and end.reason in ("exit", "engine-lost"):
            gone = self._end_processes(typed=False)
            if not gone and self._leader is None:
                self._reaper.end_later(self._row)  # found by their environment
        return end

    def _how(self) -> ExitStatus:
        code = None
        try:
            state = self._exited()
            code = state.exit_code if state else None
            if reason := self._container_ended(sure=state is not None and code != KILLED):
                return ExitStatus(reason, code)
        except EngineUnreachable as e:
            return ExitStatus("engine-lost", code, str(e))
        if state is None or state.running:
            return ExitStatus("engine-lost", None, "the connection to it was lost")
        return ExitStatus("exit", code)

    def _exited(self) -> ExecState | None:
        """What the engine knows at the end, None when it knows nothing of it any more."""
        state = None
        for _ in looks(SETTLE, SEVERAL):
            try:
                state = self._engine.exec_inspect(self._exec_id)
            except EngineRefused:
                return None  # 404, or 409 while the container is being removed
            if not state.running:
                break
            gevent.sleep(0.02)
        return state

    def _container_ended(self, sure: bool) -> str:
        """Why the container took the terminal along, "" when it did not.

        ``sure``: nothing says that it did, so one look is enough.
        """
        stopped = False
        for _ in looks(GOING, SEVERAL):
            try:
                now = self._engine.container_state(self._container)
            except NoSuchContainer:
                return "container-removed"
            if now.state == "removing":
                return "container-removed"
            restarted = now.started_at != self._started_at
            stopped = stopped or restarted or now.state not in ("running", "paused")
            # One that runs again will not be removed.
            if restarted or (sure and not stopped):
                break
            gevent.sleep(0.05)
        return "container-stopped" if stopped else ""

    def end(self) -> None:
        if self._ended is None:
            self._ended = Event()
            gone = False
            try:
                if self._stream is not None:
                    # Whatever was still to be typed would keep these from coming through.
                    self._early = None
                    self._stream.drop_input()
                    self._stream.write(END_KEYS)
                gone = self._end_processes(typed=self._stream is not None)
                if not gone or not self._reads_its_end():
                    self.hang_up()
            finally:
                if not gone:
                    self._later = self._reaper.end_later(self._row, late=self._starting)
                    self._later_until = time.monotonic() + LATE
                self._ended.set()
        self._ended.wait()

    @property
    def may_start_late(self) -> bool:
        later = self._later
        if later is None or later.dead or self._leader is not None:
            return False
        return time.monotonic() < self._later_until

    def _reads_its_end(self) -> bool:
        """Whether the engine says that the output is over, and somebody reads that."""
        until = time.monotonic() + GOING
        while self._stream is not None and time.monotonic() < until:
            gevent.sleep(0.02)
        return self._stream is None

    def hang_up(self) -> None:
        """It is over, and the engine will not say so."""
        if self._stream is not None:
            self._stream.hang_up()

    def _end_processes(self, typed: bool) -> bool:
        """Whether it is certain that none is left."""
        leader = self._find_leader()
        if leader is None:
            never = self._failure is not None or not self._exec_id
            return never and not self._starting
        if self._visible:
            return self._reaper.end(leader, typed=typed)
        target = self._target
        return self._reaper.in_containers.end(self._container, target.session, target.request.user)


def is_shell(command: Sequence[str]) -> bool:
    """Whether somebody asked for an interactive shell: one more of it does nothing twice."""
    return len(command) == 1 and command[0].rpartition("/")[2] in SHELL_NAMES


def in_words(reason: str) -> str:
    """What the engine says against a start, without the names of the parts that say it."""
    text = reason.strip().removesuffix(": unknown")
    text = re.sub(r"^Error: (crun|runc): |: OCI (runtime|permission) [a-z ]+$", "", text)  # Podman
    text = re.sub(r"^(OCI runtime exec failed: |(runc )?exec failed: )+", "", text)
    return re.sub(r"^unable to start container process: ", "", text)
