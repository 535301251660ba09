"""What travels on the bus: a topic, a header and a body."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

VERSION = 1
HEADER = b'{"v":1}'  # the header of a message that has nothing to add


class Message(NamedTuple):
    """One message as it came: only its shape has been looked at."""

    topic: str
    header: bytes
    body: bytes


class Malformed(ValueError):
    """A message is not what its topic promises. Counted and dropped by whoever reads it."""


def read_header(header: bytes) -> dict[str, Any]:
    """The header of a message. Raises Malformed when it is no JSON object of our version."""
    if header == HEADER:
        return {"v": VERSION}
    try:
        value = orjson.loads(header)
    except orjson.JSONDecodeError as e:
        raise Malformed(f"the header is not JSON: {e}") from None
    if not isinstance(value, dict):
        raise Malformed("the header is not a JSON object")
    if (version := value.get("v")) != VERSION or version is True:
        raise Malformed(f"the header's version is {version!r}, not {VERSION}")
    return value
