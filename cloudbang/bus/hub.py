"""The hub: where everything published meets everyone who subscribed."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import gevent
import zmq
from gevent import monkey
from gevent.threadpool import ThreadPool
from zmq.utils import z85

from cloudbang.bus import curve
from cloudbang.bus.gate import Puts, let_in
from cloudbang.bus.mark import Mark
from cloudbang.bus.publisher import Publisher
from cloudbang.bus.sockets import (
    FROM_OUTSIDE_QUEUE,
    HUB_QUEUE,
    MAX_FROM_OUTSIDE,
    PARTING,
    notice_dead_peers,
)
from cloudbang.bus.subscriber import Subscriber
from cloudbang.config import BusSettings
from cloudbang.core.counters import export
from cloudbang.core.deadline import Deadline
from cloudbang.core.notices import Notices
from cloudbang.core.supervise import Supervisor, backoff
from cloudbang.errors import PortInUse, SettingError

log = logging.getLogger(__name__)

TERM_WITHIN = 1.0  # seconds; what hangs then ends with the process

WATCH_EVERY = 0.5  # seconds between two looks at what has failed
WELL_AFTER = 30.0  # seconds without a failure after which all is well again


class _Failures:
    """Of the threads of one hub, since the start."""

    def __init__(self) -> None:
        self.forwarding = self.admitting = 0
        self.why = ""  # the last one
        forwarding = "How often the hub stopped forwarding and was started again."
        admitting = "Connections to the bus that were refused because of a failure here."
        export(self, "hub_failures", counters={"forwarding": forwarding, "admitting": admitting})


# Where the sockets of this process connect: within the hub's context, so nobody else's can.
WITHIN_SUB, WITHIN_PUB = "inproc://publish", "inproc://subscribe"


class Hub:
    """Where everything published meets everyone who subscribed.

    Binds one XSUB and one XPUB (at both subscriber addresses) and forwards between them. Other
    addresses than loopback are refused without CURVE keys; with keys every peer needs one.
    """

    def __init__(self, settings: BusSettings, notices: Notices | None = None) -> None:
        self._settings = settings
        self._notices = notices or Notices()
        self._failures = _Failures()
        self._supervisor = Supervisor("hub")
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._threads: ThreadPool | None = None
        self._mark = Mark()
        self._peers: list[Publisher | Subscriber] = []  # of this process
        self.puts = Puts()  # what other programs put, for whoever sets ``wanted``
        self._sub = self._pub = ""

    def start(self) -> None:
        """Bind and forward. Raises PortInUse, SettingError."""
        folder = self._settings.curve_folder
        keys = curve.read(Path(folder) / "hub.key_secret") if folder else None
        context = zmq.Context()
        # Other programs publish to the outer one, this process and the gate to the inward one.
        outer, inner = context.socket(zmq.XSUB), context.socket(zmq.XPUB)
        inward, outward = context.socket(zmq.XSUB), context.socket(zmq.XPUB)
        sockets = (outer, inner, inward, outward)
        try:
            outer.set(zmq.RCVHWM, FROM_OUTSIDE_QUEUE)
            outward.set(zmq.SNDHWM, HUB_QUEUE)
            for sock in sockets:
                sock.set(zmq.LINGER, PARTING)
            for sock in (outer, outward):
                sock.set(zmq.MAXMSGSIZE, MAX_FROM_OUTSIDE)
                notice_dead_peers(sock)
                if keys:
                    sock.set(zmq.CURVE_SERVER, 1)
                    sock.set(zmq.CURVE_SECRETKEY, keys.secret)
            self._threads = ThreadPool(3)
            if keys:
                zap = context.socket(zmq.REP)
                zap.bind("inproc://zeromq.zap.01")
                asked = (zap, Path(folder), keys.public, self._failures)
                self._threads.spawn(_answer_who_may_connect, *asked)
            self._sub = _bind(outer, self._settings.bind_sub, "ZMQ_BIND_SUB", bool(keys))
            self._pub = _bind(outward, self._settings.bind_pub, "ZMQ_BIND_PUB", bool(keys))
            inward.bind(WITHIN_SUB)
            inner.connect(WITHIN_SUB)
            outward.bind(WITHIN_PUB)
            if self._settings.bind_pub2:
                _bind(outward, self._settings.bind_pub2, "ZMQ_BIND_PUB2", bool(keys))
        except BaseException:
            for sock in sockets:
                sock.close(0)
            self._end(context)
            raise
        self._context = context
        forwarding = (lambda: zmq.proxy(inward, outward), (inward, outward), self._failures)
        letting_in = (lambda: let_in(outer, inner, self.puts), (outer, inner), self._failures)
        self._threads.spawn(_keep, *forwarding)
        self._threads.spawn(_keep, *letting_in)
        self._supervisor.run("watch", self._watch)

    def stop(self) -> None:
        """Unbind and end the hub's threads. What is still queued is dropped."""
        self._supervisor.stop(Deadline(WATCH_EVERY))
        context, self._context = self._context, None
        self.puts.close()
        for peer in self._peers:
            peer.close()  # else the context would wait for them
        if context is not None:
            self._end(context)

    def publisher(self) -> Publisher:
        """A publisher of this process, whose messages carry its mark. Not over a socket of the
        system: its messages go straight to the thread of the hub. The hub closes it at its end."""
        peer = Publisher(WITHIN_SUB, within=self._context, mark=self._mark)
        self._peers.append(peer)
        return peer

    def subscriber(self, *, ours_alone: bool = False, at: str = "") -> Subscriber:
        """A subscriber of this process, the same way. ``ours_alone``: it receives what this
        process published, and counts and drops what strangers did. ``at``: the address of another
        hub, which passes on what this one forwards."""
        mark = self._mark if ours_alone else None
        if at in ("", self.subscribe_at):
            peer = Subscriber(WITHIN_PUB, within=self._context, mark=mark)
            self._peers.append(peer)
            return peer
        return Subscriber(at, self._settings.curve_folder, mark=mark)

    def _end(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        # term() ends every blocking call on the context's sockets and returns when their owners
        # have closed them, so it may not run in the gevent hub.
        with gevent.Timeout(TERM_WITHIN, False):
            gevent.get_hub().threadpool.apply(context.term)
        if self._threads is not None:
            self._threads.kill()
            self._threads = None

    def _watch(self) -> None:
        """Say on every page what has failed in the threads, which may only count."""
        seen = (0, 0)
        while True:
            gevent.sleep(WATCH_EVERY)
            now = (self._failures.forwarding, self._failures.admitting)
            if now[0] != seen[0]:
                self._notices.begin(
                    "bus-stopped",
                    f"the bus stopped forwarding and was started again: {self._failures.why}",
                    lasts=WELL_AFTER,
                )
            if now[1] != seen[1]:
                self._notices.begin(
                    "bus-admission-failed",
                    f"who connects to the bus could not be looked at: {self._failures.why}",
                    setting="bus.curve_folder",
                    lasts=WELL_AFTER,
                )
            seen = now

    @property
    def publish_to(self) -> str:
        """The address that publishers of this machine connect to."""
        return _reachable(self._sub)

    @property
    def subscribe_at(self) -> str:
        """The address that subscribers of this machine connect to."""
        return _reachable(self._pub)


def _answer_who_may_connect(
    zap: zmq.Socket[bytes], folder: Path, own: bytes, failures: _Failures
) -> None:
    """Answer, in a thread of its own, who may connect: RFC 27/ZAP.

    CURVE alone lets in anyone who knows the hub's public key. The folder is read at every
    handshake, so that a key can be added or taken away while the hub runs.
    """
    sleep = monkey.get_original("time", "sleep")
    waits = backoff(0.1, 5.0)
    try:
        while True:
            try:
                asked = zap.recv_multipart()
                zap.send_multipart(_admission(asked, folder, own, failures))
            except zmq.ContextTerminated:
                return
            except zmq.ZMQError as e:
                wait = next(waits)
                failures.why = str(e)
                failures.admitting += 1
                log.exception("who connects to the bus is not answered, again in %.1f s", wait)
                sleep(wait)
    finally:
        zap.close(0)


def _admission(asked: list[bytes], folder: Path, own: bytes, failures: _Failures) -> list[bytes]:
    try:
        return _who_may_connect(asked, folder, own)
    except Exception as e:
        # One that cannot be read, or keys that cannot: it is refused, the next is answered.
        log.exception("who connects to the bus cannot be looked at, and is refused: %s", e)
        failures.why = str(e) or type(e).__name__
        failures.admitting += 1
        return [*[*asked, b"", b""][:2], b"500", b"see the log", b"", b""]


def _who_may_connect(asked: list[bytes], folder: Path, own: bytes) -> list[bytes]:
    version, request, _, _, _, mechanism, *credentials = asked
    key = z85.encode(credentials[0]) if credentials else b""
    known = mechanism == b"CURVE" and (key == own or key in curve.clients(folder))
    status = (b"200", b"OK") if known else (b"400", b"unknown key")
    return [version, request, *status, b"", b""]


def _keep(
    work: Callable[[], None], sockets: tuple[zmq.Socket[bytes], ...], failures: _Failures
) -> None:
    """In a thread of its own, until the context ends. Without it nothing is published or put:
    pages would go on from the store, so nobody would see it."""
    sleep = monkey.get_original("time", "sleep")
    waits = backoff(0.1, 5.0)
    try:
        while True:
            try:
                work()
            except zmq.ContextTerminated:
                return
            except Exception as e:
                wait = next(waits)
                failures.why = str(e) or type(e).__name__
                failures.forwarding += 1
                log.exception("the hub of the bus stopped forwarding, again in %.1f s", wait)
                sleep(wait)
    finally:
        for sock in sockets:
            sock.close(PARTING)


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
