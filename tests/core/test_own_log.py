"""What CloudBang says about itself."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import gevent
import pytest
from gevent import events
from gevent.threadpool import ThreadPool

from cloudbang.core import own_log
from cloudbang.core.own_log import OffHubHandler, OneLine, tell_of_blocking, threads_may_log
from tests.support import patient, wait_until


def test_a_stranger_cannot_write_lines_into_our_log() -> None:
    """A path may hold %0a and escape codes: one message stays one line, and steers no terminal."""
    said = logging.makeLogRecord(
        {"msg": "GET %s", "args": ("/a\nINFO all is well\x1b[2J\x9b\u2028",)}
    )
    assert OneLine("%(message)s").format(said) == "GET /a\\x0aINFO all is well\\x1b[2J\\x9b\\u2028"


def test_a_traceback_keeps_its_lines() -> None:
    """Only the message is held to one line."""
    try:
        raise ValueError("on purpose")
    except ValueError as e:
        said = logging.makeLogRecord({"msg": "failed", "exc_info": (type(e), e, e.__traceback__)})
    assert OneLine("%(message)s").format(said).count("\n") >= 3


def test_a_traceback_says_a_strangers_bytes_as_they_may_stand() -> None:
    """What was sent may be in the text of the exception: no line of it begins a message, or steers."""
    try:
        raise ValueError("odd\n2026-01-01 00:00:00,000 INFO all is well\x1b[2J\x9b")
    except ValueError as e:
        said = logging.makeLogRecord({"msg": "failed", "exc_info": (type(e), e, e.__traceback__)})
    first, *rest = OneLine("%(message)s").format(said).split("\n")
    assert first == "failed"
    assert all(line.startswith("  ") for line in rest)
    assert rest[-1] == "  2026-01-01 00:00:00,000 INFO all is well\\x1b[2J\\x9b"


def test_what_no_greenlet_caught_is_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And not printed past it, with what a stranger sent as it is."""

    def fail() -> None:
        raise ValueError("odd\x1b[2J")

    monkeypatch.setattr(gevent.get_hub(), "print_exception", own_log._log_uncaught, raising=False)
    with caplog.at_level(logging.ERROR):
        gevent.spawn(fail).join(patient(2))
        wait_until(lambda: caplog.records, 2)
    (record,) = caplog.records
    text = OneLine("%(message)s").format(record)
    assert text.startswith("<Greenlet")
    assert "ValueError: odd\\x1b[2J" in text
    assert "\x1b" not in text


def test_who_keeps_the_hub_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the innermost function of ours; the stack is for who debugs. Nothing before it is asked
    for: a start imports modules."""
    report = [
        "Blocked Stack (for thread id 1):",
        '  File "/app/cloudbang/web/live/push.py", line 12, in receive\n    x()',
        '  File "/usr/lib/python3.11/json/decoder.py", line 3, in decode\n    y()',
        "Info:",
        "  more",
    ]
    event = events.EventLoopBlocked(None, 0.1, report)
    root = logging.Logger("root")
    monkeypatch.setattr(logging, "getLogger", lambda name=None: root)
    monkeypatch.setattr(events, "subscribers", [])
    for level, lines in ((logging.INFO, 1), (logging.DEBUG, 5)):
        path = tmp_path / str(level)
        with path.open("w") as stream:
            handler = OffHubHandler(stream)
            root.handlers, root.level = [handler], level
            assert events.subscribers == [] or level == logging.DEBUG
            tell_of_blocking()
            for _ in range(3):
                events.subscribers[0](event)
            handler.close()
        said = path.read_text().splitlines()
        assert said[0].endswith(
            "the hub was kept longer than 0.1 s: receive at web/live/push.py:12"
        )
        assert len(said) == lines


def test_threads_may_log_while_the_hub_does() -> None:
    """Nobody waits for ever for a lock that another thread has: three threads beside the hub."""
    threads_may_log()
    before = sys.getswitchinterval()
    pool = ThreadPool(3)
    with open(os.devnull, "w") as nowhere:
        handler = OffHubHandler(nowhere)
        logger = logging.Logger("of-threads")
        logger.addHandler(handler)

        def say(times: int) -> int:
            for i in range(times):
                logger.warning("message %d", i)
            return times

        def hub_says() -> None:
            while True:
                say(50)
                gevent.sleep(0.0001)

        saying = gevent.spawn(hub_says)
        sys.setswitchinterval(1e-5)  # threads take turns in the middle of a message, too
        try:
            for _ in range(20):
                asked = [pool.spawn(say, 500) for _ in range(3)]
                assert [one.get(timeout=patient(20)) for one in asked] == [500] * 3
        finally:
            sys.setswitchinterval(before)
            saying.kill()
            handler.close()
        pool.kill()
