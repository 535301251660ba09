"""A process inside a container, with a terminal or without: made, started, sized, asked about."""

from __future__ import annotations

import ssl
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import gevent
import orjson
from gevent.hub import get_hub

from cloudbang.domain.terminals import Size
from cloudbang.engine.connection import NOT_YET, Address, EngineConnection
from cloudbang.engine.http import EngineHttp
from cloudbang.errors import ContainerNotRunning, EngineRefused, NoSuchContainer, NotUpgraded

# The engine takes a key sequence for "detach" out of what is typed, and unless another one is
# named that is ctrl-p ctrl-q: a ctrl-p, which every shell's history uses, would show only after
# the next key. It cannot be turned off, and only keys of ASCII can be named. So it is a long one
# that nobody types by accident, and begins with a key hardly anybody uses: ctrl-^, the only one
# that now waits for the next.
DETACH_KEYS = ",".join(f"ctrl-{key}" for key in r"^]^_^\^@^]^_^\^@")

# A TTY's output comes in pieces of some 4 KB. In a flood a short pause lets them gather, so that
# a read takes ten of them: a tenth of the turns of the loop for the same bytes, no slower. Nobody
# who types waits for it: a key ends the flood, until there are so many bytes again.
FLOOD = 2048  # bytes, in one read or in several in a row, that make it a flood
WITHIN = 0.004  # seconds in which they have to come
PAUSE = 0.0005  # seconds; the engine's side of the socket holds more than it can say in that time

SIZE_AT_START = "1.42"  # of the API: from this on, the start of an exec takes the size

# Whoever hands in input looks at `pending` and stops when it grows: this only catches a mistake.
MAX_PENDING = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ExecState:
    """What the engine knows of an exec."""

    running: bool
    exit_code: int | None
    pid: int  # as on the engine's machine; 0: it was never started (or, if running, not yet)


class ExecStream(EngineConnection):
    """The terminal of one exec, both ways. One greenlet reads; writing never waits."""

    def __init__(self, address: Address, path: str, timeout: float, body: bytes) -> None:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: docker\r\nUser-Agent: cloudbang\r\n"
            "Connection: Upgrade\r\nUpgrade: tcp\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.pending = 0  # bytes of input that the engine has not taken yet
        self.on_written: Callable[[], None] | None = None  # called whenever `pending` became less
        self._waiting: deque[memoryview] | None = None
        self._writable: Any = None
        self._counted = 0  # bytes read since the last key, or since the last look at the clock
        self._counted_from = 0.0  # that look, in monotonic seconds
        super().__init__(address, head.encode() + body, timeout)
        if self.status == 101:
            self.fields = {}  # a terminal may stay for days: nothing more is asked of these

    def read(self, limit: int = 65536) -> bytes:
        # As few steps as there can be: the echo of a key takes them all.
        gathered = self._counted >= FLOOD and self._gather()
        if self._taken:
            self._taken = False
            if not gathered and self._arrival is not None:
                self._arrival.wait()
        while (data := self.read_now(limit)) is None:
            self.wait()
        self._counted += len(data)
        return data

    def _gather(self) -> bool:
        """Whether what came was a flood; then more of it has had time to come."""
        now = time.monotonic()
        flood = now - self._counted_from < WITHIN
        self._counted, self._counted_from = 0, now
        if flood:
            gevent.sleep(PAUSE)
        return flood

    # --- input --------------------------------------------------------------------------------

    def write(self, data: bytes) -> int:
        """Send at once what goes; the rest follows in order as the engine takes it. Gives
        ``pending``.

        Bounded by whoever writes: they look at ``pending``. Raises BufferError past all reason.
        """
        self._counted = 0
        if self._waiting:
            if self.pending + len(data) > MAX_PENDING:
                raise BufferError("input for a terminal that takes none")
            self._waiting.append(memoryview(data))
            self.pending += len(data)
            return self.pending
        try:
            sent = self._send_now(data)  # nearly always all of it
        except OSError:
            sent = self._send(data)
        if sent < len(data):
            self._waiting = deque([memoryview(data)[sent:]])
            self.pending = len(data) - sent
            if self._writable is None:
                self._writable = get_hub().loop.io(self._sock.fileno(), 2)
            self._writable.start(self._drain)
        return self.pending

    def _send(self, data: bytes | memoryview) -> int:
        """Bytes taken; an engine that is gone takes all, the reader finds out."""
        try:
            return int(self._send_now(data))
        except NOT_YET:
            return 0
        except (OSError, ssl.SSLError):
            return len(data)

    def _drain(self) -> None:
        """On the hub, while the engine takes input: it never waits."""
        waiting = self._waiting
        while waiting:
            sent = self._send(waiting[0])
            self.pending -= sent
            if sent < len(waiting[0]):
                waiting[0] = waiting[0][sent:]
                break
            waiting.popleft()
        if not waiting:
            self._forget_input()
        if self.on_written is not None:
            self.on_written()

    def _forget_input(self) -> None:
        self._waiting, self.pending = None, 0
        if self._writable is not None:
            self._writable.close()
            self._writable = None

    # --- the end ------------------------------------------------------------------------------

    def drop_input(self) -> None:
        """Forget what the engine has not taken yet."""
        self._forget_input()

    def hang_up(self) -> None:
        """End it under a reader, who then reads ``b""``."""
        with suppress(OSError):  # it may have ended already
            self._sock.shutdown(2)

    def close(self) -> None:
        """Only by whoever reads, or when nobody does."""
        self._forget_input()
        super().close()


class ExecCalls(EngineHttp):
    """The engine's calls about execs."""

    def exec_create(
        self,
        container: str,
        argv: Sequence[str],
        *,
        user: str = "",
        folder: str = "",
        env: Mapping[str, str] | None = None,
        tty: bool = True,
        stdin: bool = True,
        privileged: bool = False,
    ) -> str:
        """The id of an exec that is ready to start.

        Raises NoSuchContainer, ContainerNotRunning.
        """
        body: dict[str, Any] = {
            "Cmd": list(argv),
            "Tty": tty,
            "AttachStdin": stdin,
            "AttachStdout": True,
            "AttachStderr": True,
            "Env": [f"{name}={value}" for name, value in (env or {}).items()],
        }
        if stdin:
            body["DetachKeys"] = DETACH_KEYS
        if user:
            body["User"] = user
        if folder:
            body["WorkingDir"] = folder
        if privileged:
            body["Privileged"] = True
        path = f"/containers/{quote(container, safe='')}/exec"
        try:
            what = f"a command in {container[:12]}"
            return str(self._json(path, method="POST", body=body, what=what, call="exec")["Id"])
        except EngineRefused as e:
            if e.engine_status == 404:
                raise NoSuchContainer(container[:12]) from None
            if e.engine_status == 409:
                state = "paused" if "paused" in e.reason else "not running"
                raise ContainerNotRunning(container[:12], state) from None
            raise

    def exec_start(
        self, exec_id: str, *, tty: bool = True, size: Size | None = None
    ) -> tuple[ExecStream, bool]:
        """Start it; whether its terminal has the ``size`` from its beginning, which older engines
        cannot give it. Raises EngineRefused, with what the engine says against it, and NotUpgraded.

        Of most failures the engine tells in the output only: then ``exec_inspect`` has no pid.
        Without a TTY the output has the 8-byte frame heads.
        """
        path = f"/exec/{quote(exec_id, safe='')}/start"
        asked: dict[str, Any] = {"Detach": False, "Tty": tty}
        where = self.path(path)
        sized = size is not None and tty and self.speaks(SIZE_AT_START)
        if size is not None and sized:
            asked["ConsoleSize"] = [size.rows, size.columns]
        stream = ExecStream(self.address, where, self.timeout, orjson.dumps(asked))
        if stream.status == 101:
            return stream, sized
        try:
            # Every engine answers 101 to who asks for that. Who answers 200 has not heard it: what
            # is typed would go nowhere.
            if stream.status == 200:
                raise NotUpgraded(self.host)
            raise stream.refusal("to start a command", "exec")
        finally:
            stream.close()

    def exec_resize(self, exec_id: str, columns: int, rows: int) -> None:
        """The size of its terminal, in characters. Waits up to 10 s for one that is starting.

        Raises EngineRefused when it has ended.
        """
        query = {"w": str(columns), "h": str(rows)}
        path = f"/exec/{quote(exec_id, safe='')}/resize"
        self._json(path, query, method="POST", what="the size of a terminal", call="exec")

    def exec_inspect(self, exec_id: str) -> ExecState:
        """Raises EngineRefused (404) when the engine knows it no more: with its container."""
        path = f"/exec/{quote(exec_id, safe='')}/json"
        found = self._json(path, what="the state of a command", call="exec")
        code = found.get("ExitCode")
        return ExecState(
            running=bool(found.get("Running")),
            exit_code=None if code is None else int(code),
            pid=int(found.get("Pid") or 0),
        )
