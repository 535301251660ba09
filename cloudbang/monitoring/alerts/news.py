"""That alerts are others than before, told on the bus once it is kept. What they are now, the API says
to each who asks what they may see."""

from __future__ import annotations

from typing import Literal, Protocol

import orjson

TOPIC = "alert/"
What = Literal["alerts", "settings"]
"""What began, ended or was told; rules and who is told."""


class Bus(Protocol):
    """What is asked of the publisher."""

    def send(self, topic: str, header: bytes, body: bytes) -> None: ...
    def wanted(self, topic: str) -> bool: ...


class News:
    """Never waits. Without a bus nobody is told."""

    def __init__(self, bus: Bus | None = None) -> None:
        self._bus = bus

    def changed(self, what: What, team: str) -> None:
        """``team``: whose, "" for what is about all teams'."""
        if self._bus is not None and self._bus.wanted(TOPIC):
            header = orjson.dumps({"v": 1, "team": team})
            self._bus.send(TOPIC, header, orjson.dumps({"what": what}))
