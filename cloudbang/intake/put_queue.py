"""What programs put, between the bus and those who look through it: bounded in bytes, and fair.

The bus is read at once, whatever becomes of the lines: what ZeroMQ itself drops, at the end of a
queue that it counts in messages, nobody could count or tell.
"""

from __future__ import annotations

from collections import OrderedDict, deque

from cloudbang.bus import Message
from cloudbang.core.parking import Parking

# Overload policy, both: the newest are refused, and whoever offers them counts them.
MOST = 16 * 1024 * 1024  # bytes of all
MOST_OF_ONE = 6 * 1024 * 1024  # bytes for one app, so that a flood leaves room for the others
SHARE = 256 * 1024  # bytes of one app that are taken before it is another's turn
OVERHEAD = 500  # bytes that a message takes beside its parts


class PutQueue:
    """Messages by their topic, in their order; topics take turns."""

    def __init__(self) -> None:
        self.waiting_bytes = 0
        self._topics: OrderedDict[str, _Topic] = OrderedDict()
        self._ready = Parking()

    def offer(self, message: Message) -> bool:
        """Take it, if there is room."""
        size = _size(message)
        topic = self._topics.get(message.topic)
        if self.waiting_bytes + size > MOST or (topic and topic.size + size > MOST_OF_ONE):
            return False
        if topic is None:
            topic = self._topics[message.topic] = _Topic()
        topic.messages.append(message)
        topic.size += size
        self.waiting_bytes += size
        self._ready.call()
        return True

    def wait(self) -> None:
        """Wait until there is something, or :meth:`wake` was called."""
        if not self._topics:
            self._ready.wait()

    def wake(self) -> None:
        self._ready.call()

    def __len__(self) -> int:
        """Topics that wait."""
        return len(self._topics)

    def take(self, most: int) -> list[Message]:
        """About ``most`` bytes of messages, a share of each topic."""
        taken: list[Message] = []
        while self._topics and most > 0:
            name, topic = next(iter(self._topics.items()))
            share = SHARE
            while topic.messages and share > 0:
                message = topic.messages.popleft()
                size = _size(message)
                topic.size -= size
                self.waiting_bytes -= size
                share -= size
                most -= size
                taken.append(message)
            if topic.messages:
                self._topics.move_to_end(name)
            else:
                del self._topics[name]
        return taken


class _Topic:
    __slots__ = ("messages", "size")

    def __init__(self) -> None:
        self.messages: deque[Message] = deque()
        self.size = 0  # bytes


def _size(message: Message) -> int:
    return len(message.topic) + len(message.header) + len(message.body) + OVERHEAD
