"""The bus: the one room that knows ZeroMQ.

A hub (XSUB in, XPUB out) stands in the middle; publishers and subscribers only ever know its two
addresses, so there may be any number of either, in this process or in others. A message is
``[topic, header, body]``; what the topics and bodies are is written in ``docs/protocols.md``.

Three things here are not obvious:

- The hub's proxy runs in a thread of the operating system. ``zmq.green.device`` and pyzmq's
  ``ThreadProxy`` freeze the gevent hub under monkey-patching.
- A green ``recv`` costs five times a plain one, so a subscriber makes one green call to wait and
  then takes what is there with plain non-blocking ones.
- ZeroMQ signals through an edge-triggered descriptor. Whoever touches a socket may swallow the
  edge that another greenlet waits for, so every such call ends by asking for ``EVENTS`` again.
"""

from __future__ import annotations

import functools
import ipaddress
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import gevent
import orjson
import zmq
import zmq.green
from gevent.threadpool import ThreadPool
from zmq.utils import z85

from cloudbang import curve
from cloudbang.config import BusSettings
from cloudbang.errors import PortInUse, SettingError

VERSION = 1
HEADER = b'{"v":1}'  # the header of a message that has nothing to add

MAX_MESSAGE = 4 * 1024 * 1024
"""Bytes of one part of a message. A peer that sends more is disconnected by ZeroMQ."""

# Messages held for one peer that does not keep up. Overload policy, the same in all three places:
# what does not fit is dropped, newest first, and the hole shows in the seq of the next message.
HUB_QUEUE = 2_000
PUBLISHER_QUEUE = 2_000
SUBSCRIBER_QUEUE = 4_000

PARTING = 200
"""Milliseconds that a closing socket may go on sending. Not 0: libzmq 4.3 aborts the process
(session_base.cpp:233) when a socket closes at once amid a message and its peer goes as well."""

BATCH = 500  # messages taken from a subscriber's queue before anyone else gets a turn
TURN = 0.002  # seconds after which a busy subscriber lets timers and other sockets run


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


class Hub:
    """Where everything published meets everyone who subscribed.

    Binds one XSUB and one XPUB (at both subscriber addresses) and forwards between them. Other
    addresses than loopback are refused without CURVE keys; with keys every peer needs one.
    """

    def __init__(self, settings: BusSettings) -> None:
        self._settings = settings
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._threads: ThreadPool | None = None
        self._sub = self._pub = ""

    def start(self) -> None:
        """Bind and forward. Raises PortInUse, SettingError."""
        folder = self._settings.curve_folder
        keys = curve.read(Path(folder) / "hub.key_secret") if folder else None
        context = zmq.Context()
        inward, outward = context.socket(zmq.XSUB), context.socket(zmq.XPUB)
        try:
            for sock, limit in ((inward, zmq.RCVHWM), (outward, zmq.SNDHWM)):
                sock.set(limit, HUB_QUEUE)
                sock.set(zmq.MAXMSGSIZE, MAX_MESSAGE)
                sock.set(zmq.LINGER, PARTING)
                _notice_dead_peers(sock)
                if keys:
                    sock.set(zmq.CURVE_SERVER, 1)
                    sock.set(zmq.CURVE_SECRETKEY, keys.secret)
            self._threads = ThreadPool(2)
            if keys:
                door = context.socket(zmq.REP)
                door.bind("inproc://zeromq.zap.01")
                self._threads.spawn(_let_in, door, Path(folder), keys.public)
            self._sub = _bind(inward, self._settings.bind_sub, "ZMQ_BIND_SUB", bool(keys))
            self._pub = _bind(outward, self._settings.bind_pub, "ZMQ_BIND_PUB", bool(keys))
            if self._settings.bind_pub2:
                _bind(outward, self._settings.bind_pub2, "ZMQ_BIND_PUB2", bool(keys))
        except BaseException:
            inward.close(0)
            outward.close(0)
            self._end(context)
            raise
        self._context = context
        self._threads.spawn(_forward, inward, outward)

    def stop(self) -> None:
        """Unbind and end the hub's threads. What is still queued is dropped."""
        context, self._context = self._context, None
        if context is not None:
            self._end(context)

    def _end(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        # term() ends every blocking call on the context's sockets and returns when their owners
        # have closed them, so it may not run in the gevent hub.
        gevent.get_hub().threadpool.apply(context.term)
        if self._threads is not None:
            self._threads.kill()
            self._threads = None

    @property
    def publish_to(self) -> str:
        """The address that publishers of this machine connect to."""
        return _reachable(self._sub)

    @property
    def subscribe_at(self) -> str:
        """The address that subscribers of this machine connect to."""
        return _reachable(self._pub)


class Publisher:
    """Sends to the hub and never waits for it. For the gevent thread only.

    It is an XPUB underneath: the hub forwards what its subscribers want, so a message that
    nobody listens to need not even be built (see :meth:`wanted`).
    """

    def __init__(self, address: str, curve_folder: str = "") -> None:
        self.sent = 0
        self.dropped = 0  # at the high-water mark: the hub does not keep up, or is away
        self._prefixes: set[bytes] = set()
        self._asked: dict[str, bool] = {}
        self._looked = 0.0
        self._socket = _context().socket(zmq.XPUB)
        self._socket.set(zmq.SNDHWM, PUBLISHER_QUEUE)
        self._socket.set(zmq.LINGER, PARTING)
        # XPUB would drop in silence at its high-water mark; with NODROP it says so and the drop
        # is counted. It has one peer, the hub, so nobody else's messages are held up by it.
        self._socket.set(zmq.XPUB_NODROP, 1)
        _notice_dead_peers(self._socket)
        _use_keys(self._socket, curve_folder)
        self._socket.connect(address)

    def send(self, topic: str, header: dict[str, Any] | bytes, body: bytes) -> None:
        """Publish. Never blocks; what the hub's queue has no room for is dropped and counted."""
        head = header if isinstance(header, bytes) else orjson.dumps(header)
        try:
            self._socket.send_multipart([topic.encode(), head, body], zmq.NOBLOCK)
            self.sent += 1
        except zmq.Again:
            self.dropped += 1

    def wanted(self, topic: str) -> bool:
        """Whether anyone subscribed to this topic, as far as the hub has told."""
        if (now := time.monotonic()) - self._looked > 0.01:  # asking costs as much as four lines
            self._looked = now
            if int(self._socket.get(zmq.EVENTS)) & zmq.POLLIN:
                self._note_subscriptions()
        known = self._asked.get(topic)
        if known is None:
            if len(self._asked) > 10_000:
                self._asked.clear()
            name = topic.encode()
            known = any(name.startswith(prefix) for prefix in self._prefixes)
            self._asked[topic] = known
        return known

    def close(self) -> None:
        """Disconnect. What the hub does not take at once is dropped."""
        self._socket.close(PARTING)

    def _note_subscriptions(self) -> None:
        self._asked.clear()
        while True:
            try:
                note = self._socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                return
            if note[:1] == b"\x01":
                self._prefixes.add(note[1:])
            elif note[:1] == b"\x00":
                self._prefixes.discard(note[1:])


class Subscriber:
    """Receives from the hub. One greenlet reads :meth:`batches`; any may subscribe."""

    def __init__(self, address: str, curve_folder: str = "") -> None:
        self.received = 0
        self.malformed = 0  # wrong number of parts, or a topic that is not UTF-8
        green: zmq.Context[Any] = zmq.green.Context.shadow(_context().underlying)
        self._socket: zmq.Socket[Any] = green.socket(zmq.SUB)
        self._socket.set(zmq.RCVHWM, SUBSCRIBER_QUEUE)
        self._socket.set(zmq.MAXMSGSIZE, MAX_MESSAGE)
        self._socket.set(zmq.LINGER, 0)
        _notice_dead_peers(self._socket)
        _use_keys(self._socket, curve_folder)
        self._socket.connect(address)

    def subscribe(self, prefix: str) -> None:
        """Receive every topic that starts with ``prefix``. Counted: undo each one by itself."""
        self._set(zmq.SUBSCRIBE, prefix)

    def unsubscribe(self, prefix: str) -> None:
        """Undo one :meth:`subscribe`."""
        self._set(zmq.UNSUBSCRIBE, prefix)

    def batches(self) -> Iterator[list[Message]]:
        """What arrives, as it arrives: 1 to 500 messages at a time. Ends with :meth:`close`."""
        sock = self._socket
        turn_ends = time.monotonic() + TURN
        while not sock.closed:
            try:
                parts = sock.recv_multipart()
                batch = self._drain(parts)
            except zmq.ZMQError:
                if sock.closed:
                    return
                raise
            if batch:
                self.received += len(batch)
                yield batch
            now = time.monotonic()
            if now >= turn_ends:
                # The queue may never be empty, and then recv never gives way to anyone.
                # sleep(0) would not let timers and sockets run; the shortest real sleep does.
                gevent.sleep(1e-5)
                now = time.monotonic()
            turn_ends = now + TURN

    def close(self) -> None:
        """Disconnect; ends :meth:`batches`."""
        self._socket.close(0)

    def _set(self, option: int, prefix: str) -> None:
        self._socket.set(option, prefix.encode())
        self._socket.get(zmq.EVENTS)  # the call may have swallowed the reader's edge

    def _drain(self, parts: list[bytes]) -> list[Message]:
        sock = self._socket
        # Frames know whether more follow; asking the socket each time costs a third of it all.
        take: Any = functools.partial(zmq.Socket.recv, sock, zmq.NOBLOCK, False)
        new: Callable[..., Message] = tuple.__new__  # Message(…) costs twice as much
        batch: list[Message] = []
        taken = 0
        try:
            while True:
                taken += 1
                try:
                    topic, header, body = parts
                    batch.append(new(Message, (topic.decode(), header, body)))
                except ValueError:  # UnicodeDecodeError is one too
                    self.malformed += 1
                if taken >= BATCH:
                    break
                frame = take()
                parts = [frame.bytes]
                while frame.more:
                    frame = take()
                    parts.append(frame.bytes)
        except zmq.Again:
            pass
        sock.get(zmq.EVENTS)
        return batch


# -- keys --------------------------------------------------------------------------------------


def make_keys(folder: Path, client: str = "") -> Path:
    """Make the hub's key pair in ``folder``, or that of a client; the path of the public half.

    What goes where is written in :mod:`cloudbang.curve`. A client made here is let in at once;
    its ``clients/NAME.key_secret`` is moved to where it runs, as ``client.key_secret``.
    """
    keys = curve.Keys(*zmq.curve_keypair())
    return curve.write(folder / "clients" if client else folder, client or "hub", keys)


def _use_keys(sock: zmq.Socket[Any], curve_folder: str) -> None:
    """Make ``sock`` a CURVE client of the hub whose public key is in ``curve_folder``."""
    if not curve_folder:
        return
    keys = curve.own(Path(curve_folder))
    sock.set(zmq.CURVE_SERVERKEY, curve.hub_public(Path(curve_folder)))
    sock.set(zmq.CURVE_PUBLICKEY, keys.public)
    sock.set(zmq.CURVE_SECRETKEY, keys.secret)


def _let_in(door: zmq.Socket[bytes], folder: Path, own: bytes) -> None:
    """Answer, in a thread of its own, who may connect: RFC 27/ZAP.

    CURVE alone lets in anyone who knows the hub's public key. The folder is read at every
    handshake, so that a key can be added or taken away while the hub runs.
    """
    try:
        while True:
            version, request, _, _, _, mechanism, *credentials = door.recv_multipart()
            key = z85.encode(credentials[0]) if credentials else b""
            known = mechanism == b"CURVE" and (key == own or key in curve.clients(folder))
            status = (b"200", b"OK") if known else (b"400", b"unknown key")
            door.send_multipart([version, request, *status, b"", b""])
    except zmq.ContextTerminated:
        door.close(0)


# -- sockets -----------------------------------------------------------------------------------


def _context() -> zmq.Context[zmq.Socket[bytes]]:
    """The context of every publisher and subscriber here: one I/O thread for all of them."""
    return zmq.Context.instance()


def _forward(inward: zmq.Socket[bytes], outward: zmq.Socket[bytes]) -> None:
    try:
        zmq.proxy(inward, outward)
    except zmq.ContextTerminated:
        pass
    finally:
        inward.close(PARTING)
        outward.close(PARTING)


def _notice_dead_peers(sock: zmq.Socket[Any]) -> None:
    """Let a connection whose other end vanished (a machine gone, not a closed socket) end."""
    sock.set(zmq.HEARTBEAT_IVL, 10_000)  # milliseconds
    sock.set(zmq.HEARTBEAT_TIMEOUT, 30_000)
    sock.set(zmq.RECONNECT_IVL, 100)
    sock.set(zmq.RECONNECT_IVL_MAX, 5_000)


def _bind(sock: zmq.Socket[bytes], address: str, setting: str, has_keys: bool) -> str:
    if not has_keys and not _is_local(address):
        raise SettingError(
            "bus",
            setting,
            address,
            "an address on loopback, like tcp://127.0.0.1:9241; any other needs CURVE keys in "
            "the folder named by bus.curve_folder, because whoever reaches the bus reads every log",
        )
    try:
        sock.bind(address)
    except zmq.ZMQError as e:
        if e.errno == zmq.EADDRINUSE:
            raise PortInUse(address, setting) from None
        raise SettingError(
            "bus", setting, address, f"an address that can be listened on ({e.strerror})"
        ) from None
    bound = sock.get(zmq.LAST_ENDPOINT)
    return bound.rstrip(b"\0").decode() if isinstance(bound, bytes) else address


def _is_local(address: str) -> bool:
    if address.startswith(("inproc://", "ipc://")):
        return True
    try:
        host = urlsplit(address).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _reachable(bound: str) -> str:
    """An address to connect to, of one that was bound: all interfaces include this machine."""
    return bound.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
