"""A terminal beside a container that has no shell: a container of our own in its namespaces.

It sees the target's processes, network and (where they can be shared) its inter-process
communication, and the target's files below ``/proc/1/root``; and nothing that root in the target
would not see. It goes with its session.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import gevent
from gevent.event import Event

from cloudbang.core.looks import looks
from cloudbang.core.supervise import backoff
from cloudbang.domain.names import HIDDEN
from cloudbang.domain.terminals import ExitStatus, Size, TerminalTarget
from cloudbang.engine import ContainerState, Engine
from cloudbang.errors import (
    CloudBangError,
    ContainerNotRunning,
    EngineRefused,
    NoSuchContainer,
    NotStarted,
)
from cloudbang.node.terminals import processes
from cloudbang.node.terminals.exec_source import FIND_SHELL, GOING, SEVERAL, ExecSource
from cloudbang.node.terminals.reaper import Reaper

log = logging.getLogger(__name__)

LABEL = "cloudbang.toolbox"  # its value: the session

# Constants: nothing from outside ever becomes part of them.
STAY = ["sh", "-c", "while :; do sleep 86400; done"]
# The target's files are outside of what the kernel names a path to, here: the shell has to know
# its folder by itself, and not ask again for each prompt.
SHELL_IN = """cd "$1" 2>/dev/null; export PWD PS1='toolbox:$PWD # '\n""" + FIND_SHELL

# What the engine gives every container that does not ask for more or less.
USUAL = frozenset(
    (
        *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD"),
        *("NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
    )
)

TELL_EVERY = 0.2  # seconds between two states of a pull
TAIL = 0.2  # seconds for the last output of a container that has stopped
GIVE_UP = 4.0  # seconds that an end waits for the beginning to be over
LATE = 60.0  # seconds in which an engine that did not answer may still make what it was asked to


class DebugContainerSource:
    """See the module, and ``Source`` for what each method promises."""

    def __init__(self, engine: Engine, target: TerminalTarget, reaper: Reaper, image: str) -> None:
        self._engine, self._target, self._reaper = engine, target, reaper
        self._image = image
        self._size = Size()
        self._lines = bytearray()  # said so far and not read; a pull says a line in 0.2 s at most
        self._typed = bytearray()  # before there is a shell; bounded by whoever looks at `pending`
        self._inner: ExecSource | None = None
        self._container = ""  # the id of our container
        self._left = False  # whether somebody is removing it until that succeeds
        self._asked = False  # whether the engine was asked for it
        self._root = "/proc/1/root"  # the target's files, as the toolbox sees them
        self._failure: ExitStatus | None = None
        self._unwanted = False
        self._changed = Event()
        self._begun: Event | None = None  # set once the beginning is over, well or not
        self._ended: Event | None = None

    # --- the beginning --------------------------------------------------------------------------

    def start(self, size: Size) -> None:
        """Begin; what takes long is told in the output.

        Raises NoSuchContainer, ContainerNotRunning, EngineUnreachable.
        """
        target = self._engine.container_state(self._target.container)
        if target.state != "running":
            raise ContainerNotRunning(self._name, target.state)
        self._size = size
        self._begun = Event()
        self._reaper.tasks.once("toolbox", self._begin, target, self._begun)

    @property
    def _name(self) -> str:
        return self._target.container_name or self._target.container[:12]

    @property
    def debug_container(self) -> str:
        """The id of our container, "" while there is none."""
        return self._container

    @property
    def root(self) -> str:
        """Where the target's files are in it."""
        return self._root

    def _begin(self, target: ContainerState, begun: Event) -> None:
        try:
            self._prepare(target)
        except CloudBangError as e:
            reason = e.reason if isinstance(e, EngineRefused) else str(e)
            message = str(NotStarted(self._name, f"no toolbox of {self._image}: {reason}"))
            self._failure = ExitStatus("not-started", None, message)
        finally:
            if self._inner is None and self._failure is None:
                self._failure = ExitStatus("closed")
            begun.set()
            self._changed.set()
            if self._failure is not None or self._unwanted:
                # Whoever ended it may have stopped waiting for this.
                if self._inner is not None:
                    self._inner.end()
                self._remove()

    def _prepare(self, target: ContainerState) -> None:
        if not self._unwanted and not self._engine.has_image(self._image):
            self._pull()
        if self._unwanted:
            return
        self._root = f"/proc/{_first_process(target)}/root"
        host = _host_config(target)
        self._asked = True
        try:
            self._container = self._engine.create_container(
                self._image,
                STAY,
                name=self._container_name,
                labels={LABEL: self._target.session, HIDDEN: "true"},
                host=host,
            )
        except EngineRefused:
            self._asked = False
            raise
        if self._unwanted:
            return
        self._engine.start_container(self._container)
        if self._unwanted:
            return
        if "IpcMode" not in host:
            self._say(
                f"{self._name} keeps its inter-process communication (IPC) to itself: not joined."
                f" · {self._name} 的进程间通信（IPC）不共享，未加入。"
            )
        if target.pid_mode:
            self._say(
                f"{self._name} shares its processes: its files are under {self._root}, as far as it "
                "may see them itself."
                f" · {self._name} 与他处共享进程：它的文件在 {self._root} 下，可见范围与它自身相同。"
            )
        else:
            self._say(
                f"The files of {self._name} are under {self._root}."
                f" · {self._name} 的文件在 {self._root} 下。"
            )
        request = self._target.request
        command = request.command or ("sh", "-c", SHELL_IN, "sh", self._root)
        inner = ExecSource(
            self._engine,
            replace(
                self._target, container=self._container, request=replace(request, command=command)
            ),
            self._reaper,
        )
        inner.start(self._size)
        inner.resize(self._size)  # it may have changed meanwhile
        if self._typed:
            inner.write(bytes(self._typed))
            self._typed.clear()
        self._inner = inner
        self._reaper.tasks.once("toolbox-stopped", self._watch, inner)

    def _watch(self, inner: ExecSource) -> None:
        """Our container ends with the target's first process, and the engine says nothing to the
        terminals in it: of an exec whose process namespace ended it misses the exit."""
        with suppress(CloudBangError):
            self._engine.wait_stopped(self._container)
        gevent.sleep(TAIL)
        inner.hang_up()

    def _pull(self) -> None:
        self._say(f"Fetching {self._image} … · 正在拉取 {self._image} …")
        layers: dict[str, tuple[int, int]] = {}
        told = 0.0
        for step in self._engine.pull(self._image, lambda: not self._unwanted):
            if step.status == "Downloading" and step.total:
                layers[step.layer] = (step.done, step.total)
            elif step.status in ("Download complete", "Pull complete") and step.layer in layers:
                layers[step.layer] = (layers[step.layer][1], layers[step.layer][1])
            if layers and time.monotonic() - told > TELL_EVERY:
                told = time.monotonic()
                done, total = (sum(of) / 1e6 for of in zip(*layers.values(), strict=True))
                self._put(f"\r\x1b[K{done:.1f} / {total:.1f} MB".encode())
        if layers:
            self._put(b"\r\x1b[K")

    def _say(self, line: str) -> None:
        self._put(f"\x1b[2m{line}\x1b[0m\r\n".encode())

    def _put(self, data: bytes) -> None:
        self._lines += data
        self._changed.set()

    # --- both ways --------------------------------------------------------------------------------

    def read(self, limit: int = 65536) -> bytes:
        while (data := self.read_now(limit)) is None:
            if self._inner is not None:
                return self._inner.read(limit)
            self._changed.wait()
            self._changed.clear()
        return data

    def read_now(self, limit: int = 65536) -> bytes | None:
        if self._lines:
            data = bytes(self._lines[:limit])
            del self._lines[:limit]
            return data
        if self._inner is not None:
            return self._inner.read_now(limit)
        return b"" if self._failure is not None or self._begun is None else None

    def write(self, data: bytes) -> int:
        if self._inner is not None:
            return self._inner.write(data)
        if self._failure is None:
            self._typed += data
        return len(self._typed)

    @property
    def pending(self) -> int:
        return self._inner.pending if self._inner is not None else len(self._typed)

    @property
    def resizing(self) -> bool:
        return self._inner is not None and self._inner.resizing

    def resize(self, size: Size) -> None:
        self._size = size
        if self._inner is not None:
            self._inner.resize(size)

    # --- what it is -------------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        return self._inner.pid if self._inner is not None else 0

    @property
    def exec_id(self) -> str:
        return self._inner.exec_id if self._inner is not None else ""

    @property
    def may_start_late(self) -> bool:
        return False  # it goes with its toolbox, which the next server finds by itself

    def folder(self) -> str:
        """In the target: "" while the shell works among the toolbox's own files."""
        return self._inner.works_in(outside=True) if self._inner is not None else ""

    # --- the end ----------------------------------------------------------------------------------

    def result(self) -> ExitStatus:
        if self._inner is None:
            return self._failure or ExitStatus("closed")
        end = self._inner.result()
        if end.reason in ("container-stopped", "container-removed"):
            end = replace(end, reason=self._why_stopped())
        self._remove()
        return end

    def _why_stopped(self) -> str:
        """Its processes end with the target's first one: what became of that counts."""
        try:
            for _ in looks(GOING, SEVERAL):
                if self._engine.container_state(self._target.container).state == "removing":
                    return "container-removed"
                gevent.sleep(0.05)
        except NoSuchContainer:
            return "container-removed"
        except CloudBangError:
            pass
        return "container-stopped"

    def end(self) -> None:
        if self._ended is not None:
            self._ended.wait()
            return
        self._ended = Event()
        try:
            self._unwanted = True
            if self._begun is not None:
                self._begun.wait(GIVE_UP)
            if self._inner is not None:
                self._inner.end()
            self._remove()
        finally:
            self._ended.set()

    @property
    def _container_name(self) -> str:
        return f"cloudbang-toolbox-{self._target.session}"

    def _remove(self) -> None:
        # By its name: one that the engine made without saying so goes as well.
        if not self._asked:
            return
        try:
            self._engine.remove_container(self._container_name)
            if self._container:
                return
        except CloudBangError as e:
            log.warning("the toolbox %s is left for now: %s", self._container_name, e)
        if not self._left:
            self._left = True
            self._reaper.tasks.once("toolbox-left", self._remove_later)

    def _remove_later(self) -> None:
        """Until it is gone, for as long as this server runs (the next one looks for it, too)."""
        until = 0.0 if self._container else time.monotonic() + LATE
        for wait in backoff(0.5, 60.0):
            gevent.sleep(min(wait, 5.0) if time.monotonic() < until else wait)
            with suppress(CloudBangError):
                self._engine.remove_container(self._container_name)
                if time.monotonic() >= until:
                    return


def remove_debug_containers(engine: Engine, gone: Callable[[str], bool]) -> set[str]:
    """Remove the toolboxes of the sessions that are ``gone``: a killed server left them behind.
    Gives the sessions whose toolbox could not be removed.

    Another server on the same engine has its own: nothing is done to those. Raises
    EngineUnreachable: try again.
    """
    left = set()
    for container, session in engine.labelled(LABEL).items():
        if gone(session):
            try:
                engine.remove_container(container)
            except EngineRefused as e:
                log.warning("the toolbox %s is left for now: %s", container[:12], e)
                left.add(session)
    return left


def _host_config(target: ContainerState) -> dict[str, object]:
    joined = f"container:{target.id}"
    added, dropped = _capabilities(target)
    found: dict[str, object] = {
        "PidMode": joined,
        "NetworkMode": joined,
        "AutoRemove": True,
        "CapAdd": added,
        "CapDrop": dropped,
        "LogConfig": {"Type": "none"},
    }
    # A private one cannot be joined; another container's, or the machine's, is joined as the
    # target joined it.
    if target.ipc == "shareable":
        found["IpcMode"] = joined
    elif target.ipc == "host" or target.ipc.startswith("container:"):
        found["IpcMode"] = target.ipc
    return found


def _capabilities(target: ContainerState) -> tuple[list[str], list[str]]:
    """What is added and dropped: never more than root in the target has, but for one thing, where
    that leads to nothing else than the target.

    With SYS_PTRACE another user's /proc/PID/root can be entered, and one that may do more than we.
    In a process namespace that is the target's own that is the target; in the machine's it would
    be the machine.
    """
    added = USUAL & target.caps_added if "ALL" in target.caps_dropped else set()
    if not target.pid_mode:
        added = added | {"SYS_PTRACE"}
    return sorted(added), sorted(target.caps_dropped - added)


def _first_process(target: ContainerState) -> int:
    """The number that the target's first process has in its own process namespace."""
    if not target.pid_mode:
        return 1
    if target.pid_mode == "host":
        return target.pid
    return processes.inner_pid(target.pid) or 1
