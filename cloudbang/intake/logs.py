"""Lines that other programs want kept and shown: ``put/log/<app>/`` in, fact out.

What comes is looked through, stored, and then published like the lines of a container. A message
is taken whole or, when anything in it does not parse, dropped and counted; it is never fatal.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import gevent
import orjson

from cloudbang.bus import Dropped, Malformed, Message, read_header
from cloudbang.core.counters import export
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.loop import yield_to_loop
from cloudbang.core.notices import Notices
from cloudbang.core.supervise import Supervisor
from cloudbang.domain.lines import format_time, parse_time, record
from cloudbang.domain.long_text import shortened
from cloudbang.domain.names import is_app_name, is_container_id
from cloudbang.errors import shown
from cloudbang.intake.drop_notices import DropNotices
from cloudbang.intake.log_sink import StoreSink
from cloudbang.intake.metrics import TOPIC as METRICS
from cloudbang.intake.metrics import MetricIntake
from cloudbang.intake.new_names import NewNames
from cloudbang.intake.put_queue import PutQueue
from cloudbang.storage.logs.log_store import Append

log = logging.getLogger(__name__)

TOPIC = "put/log/"
MAX_LINES = 5_000  # in one message
MAX_BYTES = 256 * 1024  # of its body
STOP_WITHIN = 0.5  # seconds that what has been received may take to be stored

TURN = 0.002  # seconds of looking through messages after which others have their turn
PORTION = 512 * 1024  # bytes of records that are handed over together
PATIENCE = 0.5  # seconds that a disk which is well may take to make room

TOO_FAST = "they come faster than they can be stored"

NOBODY = b"0" * 12  # stands for the container where the publisher did not name itself


class Source(Protocol):
    """What is asked of the bus."""

    drops: Dropped
    wanted: bool

    def batches(self) -> Iterator[list[Message]]: ...
    def close(self) -> None: ...


class LogIntake:
    """Receives what is put and gives it to the sink, which stores and publishes it.

    What comes is taken at once, into a queue of its own; it is looked through, and waits for the
    disk, behind that, each app by itself. Overload: of an app for which too much waits the newest
    is dropped, counted, and said: unlike an engine, a publisher keeps nothing for us.
    """

    def __init__(
        self,
        sink: StoreSink,
        source: Source,
        notices: Notices,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._sink, self._source = sink, source
        self._notices = DropNotices(notices)
        self._clock = clock
        self._new = NewNames()
        self._queue = PutQueue()
        self.metrics: MetricIntake | None = None
        """Who takes what is put on ``put/metric/``; it waits in the same queue, and is as fair."""
        self._closed = False
        self._patient = True
        self._stored = 0
        self._waiting: list[tuple[Append, int, int]] = []  # handed over and not yet decided
        self._supervisor = Supervisor("log intake")
        self._working: gevent.Greenlet | None = None
        export(self, "put", counters={"lines": "Lines of other programs that were stored."})
        waiting = {"waiting_bytes": "Bytes of messages that were not looked through yet."}
        export(self._queue, "put", gauges=waiting)

    def start(self) -> None:
        """Begin to receive."""
        self._source.wanted = True
        self._supervisor.run("receive", self._receive)
        self._working = self._supervisor.run("work", self._work)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        """Stop; what has been received is stored first."""
        self._source.close()
        self._closed = True
        self._queue.wake()
        if self._working is not None:
            self._working.join(deadline.at_most(STOP_WITHIN))
        with gevent.Timeout(deadline.at_most(STOP_WITHIN), False):
            for receipt, *_ in self._waiting:
                receipt.wait()
        self._supervisor.stop(deadline)

    @property
    def lines(self) -> int:
        """Lines stored since the start."""
        self._settle()
        return self._stored

    @property
    def dropped(self) -> Dropped:
        """Messages that were dropped, by their cause."""
        return self._source.drops

    def _receive(self) -> None:
        for batch in self._source.batches():
            for message in batch:
                if len(message.body) > MAX_BYTES:
                    self.dropped.add(message.topic, "size")
                elif not self._queue.offer(message):
                    self.dropped.add(message.topic, "room")
                    self._notices.tell("puts-dropped", TOO_FAST)

    def _work(self) -> None:
        while self._queue or not self._closed:
            self._queue.wait()
            found: dict[str, _Found] = {}
            size = 0
            turn_ends = time.monotonic() + TURN
            for message in self._queue.take(PORTION):
                size += self._look_through(message, found)
                if size >= PORTION:
                    self._hand_over(found)
                    size = 0
                if time.monotonic() >= turn_ends:
                    yield_to_loop()
                    turn_ends = time.monotonic() + TURN
            self._hand_over(found)

    def _look_through(self, message: Message, found: dict[str, _Found]) -> int:
        """Add its lines to what was found; gives their bytes."""
        try:
            if self.metrics is not None and message.topic.startswith(METRICS):
                if not self.metrics.take(message):
                    self.dropped.add(message.topic, "new")
                return 0
            app, program, records = read_put(message, self._clock())
        except Malformed as e:
            self.dropped.add(message.topic, "body")
            log.debug("dropped a message on %s: %s", message.topic[:200], e)
            return 0
        known = found.get(app)
        if known is None:
            if not self._sink.knows(app) and not self._new.admits(program, len(self._sink)):
                self.dropped.add(message.topic, "new")
                who = f"the program {program[:60]!r}" if program else "one that says no source"
                why = f"they are for too many names that are no apps yet, from {who}"
                self._notices.tell("puts-too-many-apps", f"{why}, such as {app[:60]}")
                return 0
            known = found[app] = _Found()
        known.records += records
        known.messages += 1
        return sum(map(len, records))

    def _hand_over(self, found: dict[str, _Found]) -> None:
        for app, one in found.items():
            if not one.records:
                continue
            receipt = self._sink.offer(app, one.records, PATIENCE if self._patient else 0.0)
            self._patient = receipt is not None  # who waited in vain does not wait again at once
            if receipt is None:
                self._dropped_for_want_of_room(app, one.messages)
            else:
                self._waiting.append((receipt, len(one.records), one.messages))
        found.clear()
        if len(self._waiting) > 1_000:
            self._settle()

    def _dropped_for_want_of_room(self, app: str, messages: int) -> None:
        whose = ""
        if trouble := self._sink.trouble:
            why = trouble
        elif self._sink.refuses(app):
            whose, why = app, f"the folder of {app} takes no lines"
        else:
            why = TOO_FAST
        self.dropped.add(TOPIC, "room", messages)
        self._notices.tell("puts-dropped", why, messages=messages, app=whose)

    def _settle(self) -> None:
        waiting: list[tuple[Append, int, int]] = []
        for receipt, lines, messages in self._waiting:
            if not receipt.decided:
                waiting.append((receipt, lines, messages))
            elif receipt.error is None:
                self._stored += lines
            else:  # the store broke off, or was closed
                self.dropped.add(TOPIC, "room", messages)
        self._waiting = waiting


class _Found:
    """The lines for one app, and how many messages they came in."""

    __slots__ = ("messages", "records")

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.messages = 0


def read_put(message: Message, now: int) -> tuple[str, str, list[bytes]]:
    """The app, the program and the records of a ``put/log/<app>/`` message. Raises Malformed.

    ``now``, in nanoseconds since 1970, is the time of lines that have none.
    """
    app = message.topic.removeprefix(TOPIC).removesuffix("/")
    if not is_app_name(app):
        raise Malformed("the topic names no app")
    source = read_header(message.header).get("source", "")
    if not isinstance(source, str):
        raise Malformed("the header's source is not a text")
    try:
        body = orjson.loads(message.body)
    except orjson.JSONDecodeError as e:
        raise Malformed(f"the body is not JSON: {e}") from None
    who = hashlib.sha256(source.encode()).hexdigest()[:12].encode() if source else NOBODY
    moment = format_time(now).encode()
    records: list[bytes] = []
    for line in body if isinstance(body, list) else [body]:
        records += _records(line, moment, who)
        if len(records) > MAX_LINES:
            raise Malformed(f"more than {MAX_LINES} lines in one message")
    return app, source, records


def _records(line: Any, moment: bytes, who: bytes) -> list[bytes]:
    """The records of one element: several, when its text has several lines."""
    stream = b"stdout"
    if isinstance(line, dict):
        moment, who, stream = _time(line, moment), _container(line, who), _stream(line)
        line = line.get("text")
    if not isinstance(line, str):
        raise Malformed("a line is neither a text nor an object with a text")
    texts = line.encode().removesuffix(b"\n").split(b"\n")
    if len(texts) > MAX_LINES:
        raise Malformed(f"more than {MAX_LINES} lines in one message")
    return [record(moment, who, stream, shortened(text.removesuffix(b"\r"))) for text in texts]


def _time(line: dict[str, Any], moment: bytes) -> bytes:
    value = line.get("time")
    if value is None:
        return moment
    try:
        return format_time(parse_time(value)).encode()
    except (ValueError, TypeError, AttributeError):
        raise Malformed(f"{shown(value, 60)!r} is not an RFC 3339 time") from None


def _container(line: dict[str, Any], who: bytes) -> bytes:
    value = line.get("container")
    if value is None:
        return who
    if not is_container_id(value):
        raise Malformed(f"{shown(value, 80)!r} is not a container's id")
    return str(value)[:12].encode()


def _stream(line: dict[str, Any]) -> bytes:
    value = line.get("stream", "stdout")
    if value not in ("stdout", "stderr"):  # a marker is CloudBang's own
        raise Malformed(f"{shown(value, 20)!r} is neither stdout nor stderr")
    return bytes(value.encode())
