"""What CloudBang says about itself, written off the hub.

Standard error may be a pipe that nobody empties; a write to it would then stop the whole process.
So records are put into a queue and a native thread writes them.
"""

from __future__ import annotations

import _queue  # the C queue: unlike queue.SimpleQueue it is never patched, so a native thread may wait on it
import linecache
import logging
import re
import sys
import time
from collections.abc import Iterable
from typing import Any, TextIO

from gevent import events, get_hub, monkey

from cloudbang.config import LogSettings
from cloudbang.core.counters import export

_start_thread = monkey.get_original("_thread", "start_new_thread")
_new_lock = monkey.get_original("_thread", "allocate_lock")
_new_rlock = monkey.get_original("_thread", "RLock")


class OffHubHandler(logging.Handler):
    """Hands finished texts to a native thread.

    Overload: more than ``limit`` waiting records, the newest are dropped and counted; the next
    one that fits says how many were lost.
    """

    def __init__(self, stream: TextIO, limit: int = 10_000) -> None:
        super().__init__()
        self.dropped = self._said = 0  # and of these, those that the log itself has told of
        export(self, "own_log", counters={"dropped": "Messages of our own log that were lost."})
        self._limit = limit
        self._stream = stream
        self._queue: _queue.SimpleQueue[str | None] = _queue.SimpleQueue()
        self._closed = False
        self._done = _new_lock()
        self._done.acquire()
        _start_thread(self._write, ())

    def createLock(self) -> None:
        """A native one, see :func:`threads_may_log`; no message is kept waiting under it."""
        self.lock = _new_rlock()

    def emit(self, record: logging.LogRecord) -> None:
        if self._queue.qsize() >= self._limit:
            self.dropped += 1
            return
        try:
            text = self.format(record)
        except Exception:
            self.handleError(record)
            return
        if lost := self.dropped - self._said:
            text = f"({lost} messages were lost here: the log was not read)\n{text}"
            self._said += lost
        self._queue.put(text)

    def close(self) -> None:
        """Write what waits, for half a second at most."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._done.acquire(timeout=0.5)
        super().close()

    def write(self, text: str) -> None:
        """Put a finished text into the queue, from any thread."""
        if self._queue.qsize() < self._limit:
            self._queue.put(text)

    def _write(self) -> None:
        while (text := self._queue.get()) is not None:
            try:
                self._stream.write(text + "\n")
                if self._queue.empty():
                    self._stream.flush()
            except (OSError, ValueError):
                self.dropped += 1
        self._done.release()


# What would end a line or steer a terminal: C0 and C1 controls, and the two line ends of Unicode.
_STEERING = {n: f"\\x{n:02x}" for n in (*range(32), *range(127, 160))}
_STEERING |= {0x2028: "\\u2028", 0x2029: "\\u2029"}


class OneLine(logging.Formatter):
    """A message is one line, whatever a stranger put into it; only a traceback has more, and none of
    its lines, which may hold what a stranger sent as well, begins as a message does."""

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # what another formatter made of it
        return super().format(record)

    def formatMessage(self, record: logging.LogRecord) -> str:
        return super().formatMessage(record).translate(_STEERING)

    def formatException(self, ei: Any) -> str:
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:
        return _indented(super().formatStack(stack_info))


def _indented(text: str) -> str:
    return "\n".join(f"  {line.translate(_STEERING)}" for line in text.split("\n"))


def threads_may_log() -> None:
    """Give ``logging`` the native lock that it had before gevent's patches.

    A gevent lock that another thread holds may never wake the one who waits for it
    (https://github.com/gevent/gevent/issues/2013): the store's threads hung when they logged in
    the same moment as the hub.
    """
    setattr(logging, "_lock", _new_rlock())  # noqa: B010 - not in the type stubs
    logging.logThreads = False  # the name of a thread is looked up under another such lock


def set_up(settings: LogSettings) -> None:
    """Send every logger to the place the settings name. Called once, at start."""
    threads_may_log()
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    stream: TextIO = sys.stderr
    if settings.file:
        stream = open(settings.file, "a", encoding="utf-8")  # noqa: SIM115 - lives as long as we do
    handler = OffHubHandler(stream)
    handler.setFormatter(OneLine("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)
    root.setLevel(settings.level.upper())
    # What no greenlet caught: gevent would print it past the log, with a stranger's bytes as they are.
    get_hub().print_exception = _log_uncaught
    for chatty in ("alembic", "docker", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _log_uncaught(context: object, kind: Any, value: Any, traceback: Any) -> None:
    logging.getLogger("gevent").error(
        "%.200s failed",
        "something" if context is None else context,
        exc_info=(kind, value, traceback),
    )


def tell_of_blocking(every: float = 10.0) -> None:
    """From now on write down who kept the hub too long: where, at most once in ``every`` seconds, and
    the whole stack where debugging is logged. Not before the port is open: until then modules are
    imported, which takes as long as it takes.

    gevent's monitor thread calls this, so it goes past ``logging``: who keeps the hub may have a lock.
    """
    last = 0.0
    root = logging.getLogger()

    def blocked(event: object) -> None:
        nonlocal last
        if isinstance(event, events.EventLoopBlocked) and time.monotonic() - last > every:
            last = time.monotonic()
            stack = _stack_of(event.info)
            where = _where(stack)
            text = f"WARNING cloudbang: the hub was kept longer than {event.blocking_time:g} s: {where}"
            if root.level <= logging.DEBUG:
                text += "\n" + _indented(stack)
            for handler in root.handlers:
                if isinstance(handler, OffHubHandler):
                    handler.write(text)
            linecache.clearcache()  # the sources of all that stood in the stack: 1 to 2 MB

    events.subscribers[:] = [blocked]


_FRAME = re.compile(r'File "([^"]+)", line (\d+), in (\S+)')


def _stack_of(info: Iterable[str]) -> str:
    """The stack of who keeps the hub, out of gevent's report."""
    report = "\n".join(line for part in info for line in part.splitlines())
    stack = report.partition("Blocked Stack")[2].partition("\n")[2]
    return stack.partition("Info:")[0].strip("\n")


def _where(stack: str) -> str:
    """The innermost place in it that is ours, in words; else the innermost."""
    frames: list[tuple[str, str, str]] = _FRAME.findall(stack)
    ours = [frame for frame in frames if "/cloudbang/" in frame[0]]
    if not frames:
        return "nobody knows where"
    path, line, name = (ours or frames)[-1]
    return f"{name} at {path.rpartition('/cloudbang/')[2]}:{line}"
