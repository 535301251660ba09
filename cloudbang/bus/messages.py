"""What travels on the bus: a topic, a header and a body."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import orjson

from cloudbang.core.counters import export
from cloudbang.core.peer_json import read_json

VERSION = 1
HEADER = b'{"v":1}'  # the header of a message that has nothing to add


class Message(NamedTuple):
    """One message as it came: only its shape has been looked at."""

    topic: str
    header: bytes
    body: bytes


Cause = Literal["parts", "mark", "body", "size", "new", "room"]
"""Why a message is dropped: it has not three parts with a topic of text, it does not bear the mark
of who alone may say this, or what it says is not what its topic promises; of what is put also: it is
too large, it is for one new app too many, or there is no room for what it says."""

KINDS = frozenset({"log", "event", "app", "activity", "put", "metric", "overview", "alert"})


class Dropped:
    """What one reader of the bus dropped, by the first part of its topic and by its cause."""

    def __init__(self) -> None:
        self.dropped: dict[tuple[str, str], int] = {}
        text = "Messages of the bus that were dropped, not believed or not understood."
        export(self, "bus", counters={"dropped": text}, labels=("topic", "cause"))

    def add(self, topic: str | bytes, cause: Cause, count: int = 1) -> None:
        """One more, or so many."""
        name = topic.decode("utf-8", "replace") if isinstance(topic, bytes) else topic
        kind = name[:80].partition("/")[0]
        # Whoever reaches the bus writes the topics: what is none of ours has one name.
        key = kind if kind in KINDS else "other", cause
        self.dropped[key] = self.dropped.get(key, 0) + count

    def total(self, *causes: Cause) -> int:
        """How many, of these causes or of all."""
        found = self.dropped.items()
        return sum(count for (_, cause), count in found if not causes or cause in causes)


class Malformed(ValueError):
    """A message is not what its topic promises. Counted and dropped by whoever reads it."""


def read_header(header: bytes) -> dict[str, Any]:
    """The header of a message. Raises Malformed when it is no JSON object of our version."""
    if header == HEADER:
        return {"v": VERSION}
    try:
        value = read_json(header)
    except orjson.JSONDecodeError as e:
        raise Malformed(f"the header is not JSON: {e}") from None
    if not isinstance(value, dict):
        raise Malformed("the header is not a JSON object")
    if (version := value.get("v")) != VERSION or version is True:
        raise Malformed(f"the header's version is {version!r}, not {VERSION}")
    return value
