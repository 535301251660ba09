"""The bus: the one room that knows ZeroMQ.

A hub (XSUB in, XPUB out) stands in the middle; publishers and subscribers only ever know its two
addresses, so there may be any number of either, in this process or in others. A message is
``[topic, header, body]``; what the topics and bodies are is written in ``docs/protocols/bus.md``.

Five things here are not obvious:

- Other programs publish through a gate (see ``gate``): a thread before the hub's.
- The hub's proxy runs in a thread of the operating system. ``zmq.green.device`` and pyzmq's
  ``ThreadProxy`` freeze the gevent hub under monkey-patching.
- A green ``recv`` costs five times a plain one, so a subscriber makes one green call to wait and
  then takes what is there with plain non-blocking ones.
- Publishers and subscribers of this process meet the hub within its context (``Hub.publisher``):
  a message then wakes the hub's thread and the loop, and no I/O thread four times in between.
- ZeroMQ signals through an edge-triggered descriptor. Whoever touches a socket may swallow the
  edge that another greenlet waits for, so every such call ends by asking for ``EVENTS`` again.
"""

from cloudbang.bus.hub import Hub
from cloudbang.bus.messages import HEADER, VERSION, Dropped, Malformed, Message, read_header
from cloudbang.bus.publisher import Publisher
from cloudbang.bus.sockets import make_keys
from cloudbang.bus.subscriber import Subscriber

__all__ = [
    "HEADER",
    "VERSION",
    "Dropped",
    "Hub",
    "Malformed",
    "Message",
    "Publisher",
    "Subscriber",
    "make_keys",
    "read_header",
]
