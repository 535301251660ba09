"""A process of its own that is asked, and answers: for what takes a processor, and gives way.

``AskedProcess`` has it, while somebody asks; ``answer`` is what it does. They speak in lines of JSON,
or where it is asked with what only Python has in pickled ones (:data:`PICKLED`): both ends are ours,
and nobody else has the pipe. It ends with who started it. It is the first that gives way where somebody needs the processor or the memory: what it
knows can be found out again.
"""

from __future__ import annotations

import ctypes
import logging
import os
import pickle
import resource
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any, NamedTuple

import gevent
import orjson

log = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1
MEMORY = 512 * 1024 * 1024  # bytes it may have
NICE = 10
START = 5.0  # seconds that a stop waits for one that is being started
_SIZE = struct.Struct("<Q")


class Codec(NamedTuple):
    """How a question and an answer are written. ``read``: the bytes of one, b"" where there is none."""

    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]
    read: Callable[[IO[bytes]], bytes]


def _json(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


def _json_line(file: IO[bytes]) -> bytes:
    line = file.readline()
    return line if line.endswith(b"\n") else b""


def pickled(value: Any) -> bytes:
    return with_size(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))


def with_size(content: bytes) -> bytes:
    return _SIZE.pack(len(content)) + content


def _sized(file: IO[bytes]) -> bytes:
    head = file.read(_SIZE.size)
    if len(head) < _SIZE.size:
        return b""
    (size,) = _SIZE.unpack(head)
    content = file.read(size)
    return content if len(content) == size else b""


JSON_LINES = Codec(_json, orjson.loads, _json_line)
PICKLED = Codec(pickled, pickle.loads, _sized)


class ProcessEnded(Exception):
    """It ended, twice, or did not answer in time."""


class AskedProcess:
    """Runs ``module`` with ``arguments``. One greenlet at a time may ask: who has it sees to that.
    ``limit``: seconds after which one that does not answer has none; ``idle``: seconds without a
    question after which it ends, unless it is ``in_use``, since it keeps something for somebody."""

    def __init__(
        self,
        module: str,
        *arguments: str,
        limit: float,
        idle: float,
        codec: Codec = JSON_LINES,
        in_use: Callable[[], bool] = lambda: False,
    ) -> None:
        self._module, self._arguments = module, arguments
        self._name = module.rpartition(".")[2]
        self._limit, self._idle_after = limit, idle
        self._codec, self._in_use = codec, in_use
        self._process: subprocess.Popen[bytes] | None = None
        self._asking = self._stopped = False
        self._last = 0.0
        self._idle: gevent.Greenlet | None = None
        self._starting: gevent.Greenlet | None = None

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """None while nobody has asked for some time."""
        return self._process

    def stop(self) -> None:
        """For good: who asks then, or waits for an answer, is told that it ended."""
        self._stopped = True
        if self._starting is not None:
            self._starting.join(START)
        if self._idle is not None:
            self._idle.kill(block=False)
        self._end()

    def ask(self, asked: Any) -> Any:
        """What it answers. Raises ProcessEnded."""
        self._asking = True
        try:
            return self._told(asked)
        finally:
            self._asking = False
            self._last = time.monotonic()

    def _told(self, asked: Any) -> Any:
        pool = gevent.get_hub().threadpool
        question = pool.apply(self._codec.encode, (asked,))
        answer = b""
        for _ in range(2):
            process = self._running()
            if process is None:
                break
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                with gevent.Timeout(self._limit, False):
                    process.stdin.write(question)
                    process.stdin.flush()
                    answer = self._codec.read(process.stdout)
            except OSError as e:
                log.debug("%s: %s", self._module, e)
            except BaseException:
                # What it answers to who is gone would be taken for the next answer.
                self._end()
                _close(process)
                raise
            if answer:
                return pool.apply(self._codec.decode, (answer,))
            # It was killed, for want of memory for instance, or hangs: another one may do.
            self._end()
            _close(process)
        raise ProcessEnded

    def _running(self) -> subprocess.Popen[bytes] | None:
        if self._stopped:
            return None
        if self._process is None or self._process.poll() is not None:
            # Not by this greenlet, which may be killed: until a process has begun, it holds what we
            # have open, the lock on the data folder too.
            self._starting = gevent.spawn(self._start)
            self._starting.name = f"{self._name} starts"
            self._starting.join()
        return self._process

    def _start(self) -> None:
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self._module, *self._arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        except OSError as e:
            self._process = None
            log.warning("%s cannot be started: %s", self._module, e)
            return
        self._idle = gevent.spawn(self._end_when_idle, self._process)
        self._idle.name = self._name

    def _end_when_idle(self, process: subprocess.Popen[bytes]) -> None:
        while self._process is process:
            gevent.sleep(self._idle_after / 10)
            idle = time.monotonic() - self._last > self._idle_after
            if idle and not self._asking and not self._in_use():
                self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(OSError):
            process.send_signal(signal.SIGKILL)
        if not self._asking:  # else who asks is reading from it, and sees its end
            _close(process)
        process.wait()


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):
            if pipe is not None:
                pipe.close()


def answer(
    answer_to: Callable[[Any], Any],
    *,
    expendable: int,
    idle: bool = False,
    codec: Codec = JSON_LINES,
) -> int:
    """Answer one question after the other, until there are no more. ``expendable``: how much sooner
    than others it goes where memory ends (``oom_score_adj``); ``idle``: it has a processor only when
    nobody else wants it. Gives the exit code."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return 1
    os.nice(NICE)
    if idle:
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write(str(expendable))
    while asked := codec.read(sys.stdin.buffer):
        told = codec.encode(answer_to(codec.decode(asked)))
        try:
            sys.stdout.buffer.write(told)
            sys.stdout.buffer.flush()
        except BrokenPipeError:  # who asked was killed: a moment ago, else this one were, too
            # What was not taken is not tried again, and not lamented, as the interpreter ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
    return 0
