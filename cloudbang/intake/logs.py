"""Lines that other programs want kept and shown: ``put/log/<app>/`` in, fact out.

What comes is looked through, stored, and then published like the lines of a container. A message
is taken whole or, when anything in it does not parse, dropped and counted; it is never fatal.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections.abc import Callable
from typing import Any

import gevent
import orjson

from cloudbang.bus import Malformed, Message, Subscriber, read_header
from cloudbang.core.counters import export
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.supervise import Supervisor
from cloudbang.domain.docker_stream import CUT
from cloudbang.domain.lines import MAX_TEXT, format_time, parse_time, record
from cloudbang.intake.log_sink import StoreSink

log = logging.getLogger(__name__)

TOPIC = "put/log/"
MAX_LINES = 5_000  # in one message
STOP_WITHIN = 0.5  # seconds that what has been received may take to be stored

NOBODY = b"0" * 12  # stands for the container where the publisher did not name itself

_APP = re.compile(r"(?!\.+$)[A-Za-z0-9_.-]{1,128}")
_CONTAINER = re.compile(r"[0-9a-f]{12}(?:[0-9a-f]{52})?")


class LogIntake:
    """Receives what is put and gives it to the sink, which stores and publishes it.

    Overload: while the store has no room this waits; ZeroMQ holds what comes meanwhile, up to its
    queue's end, and then drops the newest. Unlike an engine, a publisher keeps nothing for us.
    """

    def __init__(
        self,
        sink: StoreSink,
        subscriber: Subscriber,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.lines = 0  # stored since the start
        self._sink, self._subscriber = sink, subscriber
        self._clock = clock
        self._supervisor = Supervisor("log intake")
        self._receiving: gevent.Greenlet | None = None
        export(self, "put", counters={"lines": "Lines of other programs that were stored."})

    def start(self) -> None:
        """Begin to receive."""
        self._subscriber.subscribe(TOPIC)
        self._receiving = self._supervisor.run("receive", self._receive)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        """Stop; what has been received is stored first."""
        self._subscriber.close()
        if self._receiving is not None:
            self._receiving.join(deadline.at_most(STOP_WITHIN))
        self._supervisor.stop(deadline)

    @property
    def malformed(self) -> int:
        """Messages that were dropped because they do not parse."""
        return self._subscriber.drops.total()

    def _receive(self) -> None:
        for batch in self._subscriber.batches():
            found: dict[str, list[bytes]] = {}
            for message in batch:
                try:
                    app, records = read_put(message, self._clock())
                except Malformed as e:
                    self._subscriber.drops.add(message.topic, "body")
                    log.debug("dropped a message on %s: %s", message.topic[:200], e)
                    continue
                found.setdefault(app, []).extend(records)
            for app, records in found.items():
                if records:
                    self._keep(app, records)

    def _keep(self, app: str, records: list[bytes]) -> None:
        receipt = self._sink.append(app, records)
        receipt.wait()
        if receipt.error is None:
            self.lines += len(records)


def read_put(message: Message, now: int) -> tuple[str, list[bytes]]:
    """The app and the records of a ``put/log/<app>/`` message. Raises Malformed.

    ``now``, in nanoseconds since 1970, is the time of lines that have none.
    """
    app = message.topic.removeprefix(TOPIC).removesuffix("/")
    if not _APP.fullmatch(app):
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
    return app, records


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
    return [record(moment, who, stream, _cut(text)) for text in texts]


def _time(line: dict[str, Any], moment: bytes) -> bytes:
    value = line.get("time")
    if value is None:
        return moment
    try:
        return format_time(parse_time(value)).encode()
    except (ValueError, TypeError, AttributeError):
        raise Malformed(f"{str(value)[:60]!r} is not an RFC 3339 time") from None


def _container(line: dict[str, Any], who: bytes) -> bytes:
    value = line.get("container")
    if value is None:
        return who
    if not isinstance(value, str) or not _CONTAINER.fullmatch(value):
        raise Malformed(f"{str(value)[:80]!r} is not a container's id")
    return value[:12].encode()


def _stream(line: dict[str, Any]) -> bytes:
    value = line.get("stream", "stdout")
    if value not in ("stdout", "stderr"):  # a marker is CloudBang's own
        raise Malformed(f"{str(value)[:20]!r} is neither stdout nor stderr")
    return bytes(value.encode())


def _cut(text: bytes) -> bytes:
    text = text.removesuffix(b"\r")
    if len(text) <= MAX_TEXT:
        return text
    whole = text[: MAX_TEXT - len(CUT)].decode("utf-8", "ignore")  # not in the middle of a letter
    return whole.encode() + CUT
