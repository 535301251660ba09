"""What CloudBang says about itself."""

from __future__ import annotations

import logging

from cloudbang.logs import OneLine


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
