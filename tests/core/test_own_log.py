"""What CloudBang says about itself."""

from __future__ import annotations

import logging
import os
import sys

import gevent
from gevent.threadpool import ThreadPool

from cloudbang.core.own_log import OffHubHandler, OneLine, threads_may_log


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
                assert [one.get(timeout=20) for one in asked] == [500] * 3
        finally:
            sys.setswitchinterval(before)
            saying.kill()
            handler.close()
        pool.kill()
