"""What every socket of the bus is made with: one context, bounds, keys, and who is dead is noticed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import zmq

from cloudbang.bus import curve

# As plain numbers: each operation on an enum makes another one, at the price of four calls.
NOBLOCK, EVENTS, POLLIN = int(zmq.NOBLOCK), int(zmq.EVENTS), int(zmq.POLLIN)

MAX_MESSAGE = 8 * 1024 * 1024
"""Bytes of one part of a message that a subscriber takes: a line of 1 MiB as JSON."""

MAX_FROM_OUTSIDE = 512 * 1024
"""The same of what other programs publish. Who sends more is disconnected by ZeroMQ."""

# Messages held for one peer that does not keep up: ZeroMQ can count nothing else, so how many bytes
# they can be is written here as well. Overload policy, the same everywhere: what does not fit is
# dropped, newest first, and the hole shows in the seq of the next message.
HUB_QUEUE = 256  # of what we publish, at most 256 KiB but for a longer line: 64 MiB a subscriber
FROM_OUTSIDE_QUEUE = 24  # of MAX_FROM_OUTSIDE: 12 MiB a publisher, who holds the rest itself
# Within this process both ends are read at once, however fast they are written to:
PUBLISHER_QUEUE = 2_000  # the hub's thread does nothing else; a commit publishes 8 MiB at most
SUBSCRIBER_QUEUE = 6_000  # emptied at each turn of the loop, 1 MiB at a time

PARTING = 200
"""Milliseconds that a closing socket may go on sending. Not 0: libzmq 4.3 aborts the process
(session_base.cpp:233) when a socket closes at once amid a message and its peer goes as well."""


def context() -> zmq.Context[zmq.Socket[bytes]]:
    """The context of every publisher and subscriber here: one I/O thread for all of them."""
    return zmq.Context.instance()


def notice_dead_peers(sock: zmq.Socket[Any]) -> None:
    """Let a connection whose other end vanished (a machine gone, not a closed socket) end.

    By the system and not by ZeroMQ's heartbeat: a reader that waits for a while at its high-water
    mark does not hear that, and libzmq 4.3 then aborts the process (stream_engine_base.cpp:396,
    zeromq/libzmq#3937) at the moment at which it reads again.
    """
    sock.set(zmq.TCP_KEEPALIVE, 1)
    sock.set(zmq.TCP_KEEPALIVE_IDLE, 15)  # seconds
    sock.set(zmq.TCP_KEEPALIVE_INTVL, 5)
    sock.set(zmq.TCP_KEEPALIVE_CNT, 3)
    sock.set(zmq.RECONNECT_IVL, 100)
    sock.set(zmq.RECONNECT_IVL_MAX, 5_000)


def use_keys(sock: zmq.Socket[Any], curve_folder: str) -> None:
    """Make ``sock`` a CURVE client of the hub whose public key is in ``curve_folder``."""
    if not curve_folder:
        return
    keys = curve.own(Path(curve_folder))
    sock.set(zmq.CURVE_SERVERKEY, curve.hub_public(Path(curve_folder)))
    sock.set(zmq.CURVE_PUBLICKEY, keys.public)
    sock.set(zmq.CURVE_SECRETKEY, keys.secret)


def make_keys(folder: Path, client: str = "") -> Path:
    """Make the hub's key pair in ``folder``, or that of a client; the path of the public half.

    What goes where is written in :mod:`cloudbang.bus.curve`. A client made here is let in at once;
    its ``clients/NAME.key_secret`` is moved to where it runs, as ``client.key_secret``.
    """
    keys = curve.Keys(*zmq.curve_keypair())
    return curve.write(folder / "clients" if client else folder, client or "hub", keys)
