"""The WebSocket handler against an independent client library and against raw sockets."""

from __future__ import annotations

import socket as std_socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gevent
import pytest
from gevent.event import Event as Signal
from gevent.monkey import get_original
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.sync.client import ClientConnection

from cloudbang.web.server import frames
from cloudbang.web.server.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    FIN,
    PING,
    PONG,
    TEXT,
    SharedFrame,
)
from cloudbang.web.server.handshake import Refusal, from_same_origin
from cloudbang.web.server.heartbeat import SocketRegistry
from cloudbang.web.server.server import Server
from cloudbang.web.server.socket_handler import SocketRoute
from cloudbang.web.server.websocket import Socket, SocketClosed
from tests.socket_client import open_socket
from tests.support import Stopwatch, patient, wait_until

MIB = 1024 * 1024
MASK = b"\x37\xfa\x21\x3d"
HANDSHAKE = {
    "Host": "cloudbang.test",
    "Upgrade": "websocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


def client(payload: bytes, opcode: int = TEXT, first: int = FIN) -> bytes:
    """A frame as a client sends it."""
    head = bytearray(frames.header(opcode, len(payload), first))
    head[1] |= 0x80
    return bytes(head) + MASK + frames.xor(payload, MASK)


RAW: list[Raw] = []


@pytest.fixture(autouse=True)
def _close_raw_clients() -> Iterator[None]:
    yield
    while RAW:
        RAW.pop().close()


class Raw:
    """A client that sends whatever bytes it likes."""

    def __init__(self, port: int, path: str = "/", **headers: str | None) -> None:
        self.sock = std_socket.create_connection(("127.0.0.1", port), timeout=patient(10))
        RAW.append(self)
        chosen = HANDSHAKE | {name.replace("_", "-"): text for name, text in headers.items()}
        lines = [f"{name}: {text}" for name, text in chosen.items() if text is not None]
        self.sock.sendall("\r\n".join((f"GET {path} HTTP/1.1", *lines, "", "")).encode())
        self.data = b""
        while b"\r\n\r\n" not in self.data and (more := self.sock.recv(4096)):
            self.data += more
        self.head, _, self.data = self.data.partition(b"\r\n\r\n")
        self.status = int(self.head.split()[1])

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def frame(self) -> tuple[int, bytes] | None:
        """The next frame: its first byte and its payload; None at the end of the stream."""
        head = self._exactly(2)
        if not head:
            return None
        size = head[1]
        if size == 126:
            size = int.from_bytes(self._exactly(2), "big")
        elif size == 127:
            size = int.from_bytes(self._exactly(8), "big")
        return head[0], self._exactly(size)

    def close_code(self) -> int:
        """The code of the close frame that comes now; the stream ends after it."""
        frame = self.frame()
        assert frame is not None
        assert frame[0] == FIN | CLOSE, frame
        assert self.frame() is None
        return int.from_bytes(frame[1][:2], "big")

    def _exactly(self, size: int) -> bytes:
        while len(self.data) < size:
            more = self.sock.recv(65536)
            if not more:
                assert not self.data, "the stream ended inside a frame"
                return b""
            self.data += more
        taken, self.data = self.data[:size], self.data[size:]
        return taken

    def close(self) -> None:
        self.sock.close()


def echo(socket: Socket, _environ: Any, _account: Any) -> None:
    while (message := socket.receive()) is not None:
        socket.send(message)


class House:
    """A server whose door is given, and the sockets that came through it."""

    def __init__(self) -> None:
        self.sockets: list[Socket] = []
        self.received: list[str | bytes | None] = []
        self.accounts: list[Any] = []
        self.server: Server

    def listen(self, socket: Socket, _environ: Any, account: Any) -> None:
        self.sockets.append(socket)
        self.accounts.append(account)
        while True:
            message = socket.receive()
            self.received.append(message)
            if message is None:
                return

    @property
    def socket(self) -> Socket:
        wait_until(lambda: self.sockets, what="a socket")
        return self.sockets[-1]

    @property
    def port(self) -> int:
        return self.server.port


@contextmanager
def serving(
    serve: Callable[..., None] | None = None, registry: SocketRegistry | None = None, **route: Any
) -> Iterator[House]:
    house = House()
    route.setdefault("authorize", lambda environ: "ada")
    opened = SocketRoute(serve or house.listen, **route)
    house.server = Server(
        ("127.0.0.1", 0),
        lambda environ, start: [],
        {"/": opened},
        registry=registry,
        is_our_page=lambda environ: (
            environ["HTTP_ORIGIN"] == "https://outside.example" or from_same_origin(environ)
        ),
    )
    house.server.start()
    try:
        yield house
    finally:
        house.server.stop(0.2)
        assert house.server.connections == 0
        assert len(house.server.registry) == 0


@contextmanager
def connected(port: int, **options: Any) -> Iterator[ClientConnection]:
    options.setdefault("max_size", None)
    options.setdefault("compression", None)
    with open_socket(f"ws://127.0.0.1:{port}/", close_timeout=5, **options) as ws:
        yield ws


# -- an independent client ------------------------------------------------------------------------


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_messages_come_back(compression: str | None) -> None:
    """Texts and bytes of every length class come back as they were, compressed or not."""
    with serving(echo, max_message=4 * MIB) as house:
        with connected(house.port, compression=compression) as ws:
            for size in (0, 1, 125, 126, 65535, 65536, 3 * MIB):
                for message in ("x" * size, "漢" * (size // 3), b"\xfe" * size):
                    ws.send(message)
                    assert ws.recv(timeout=patient(20)) == message
            ws.send(["frag", "men", "ted"])
            assert ws.recv(timeout=patient(5)) == "fragmented"
            assert ws.ping().wait(patient(5))
        assert (ws.close_code, ws.protocol.close_sent.code) == (1000, 1000)


@pytest.mark.parametrize("bits", [8, 9, 12, 15])
@pytest.mark.parametrize("takeover", [True, False])
def test_the_window_that_a_client_asks_for(bits: int, takeover: bool) -> None:
    """A client with a small window can read what we send it, shared frames included."""
    factory = ClientPerMessageDeflateFactory(
        server_max_window_bits=bits,
        client_max_window_bits=max(bits, 9),
        server_no_context_takeover=not takeover,
    )
    text = "".join(f"line {number} of a log, quite like the others\n" for number in range(3000))
    with serving() as house, connected(house.port, extensions=[factory]) as ws:
        assert "permessage-deflate" in ws.response.headers["Sec-WebSocket-Extensions"]
        house.socket.send(text)
        assert ws.recv(timeout=patient(5)) == text
        assert house.socket.offer(SharedFrame(text.encode()))
        assert ws.recv(timeout=patient(5)) == text
        assert house.socket.deflate == (bits == 15)
        ws.send(text[:60000])
        wait_until(lambda: house.received)
        assert house.received == [text[:60000]]


def test_sixteen_mebibytes_do_not_block_the_hub() -> None:
    """While a 16 MiB text is received and sent back, others are served within 50 ms."""
    message = "né" * (16 * MIB // 3)
    with serving(echo, max_message=17 * MIB) as house, connected(house.port) as ws:
        late: list[float] = []

        def watch() -> None:
            while True:
                before = time.thread_time()
                gevent.sleep(0.001)
                late.append(time.thread_time() - before)  # CPU of this thread meanwhile

        # A thread of its own for the client: it is not what is measured.
        result: list[Any] = []

        def talk() -> None:
            ws.send(message)
            result.append(ws.recv(timeout=patient(60)))

        watcher, talker = gevent.spawn(watch), threading.Thread(target=talk)
        talker.start()
        talker.join(patient(60))
        watcher.kill()
        assert result == [message]
        # websockets runs on this hub too and works on 16 MiB at a time: only gross blocking shows.
        assert sorted(late)[len(late) // 2] < 0.05


# -- closing --------------------------------------------------------------------------------------


def test_our_close_code_and_reason_arrive() -> None:
    """close() sends its code, waits for the peer's, and the peer sees a clean end."""
    with serving() as house, connected(house.port) as ws:
        socket = house.socket
        closer = gevent.spawn(socket.close, 4401, "the session has ended")
        with pytest.raises(ConnectionClosed):
            ws.recv(timeout=patient(5))
        assert (ws.close_code, ws.close_reason) == (4401, "the session has ended")
        closer.get(timeout=patient(5))
        wait_until(lambda: house.received == [None])
        assert socket.closed
        assert not socket.offer(SharedFrame(b"late"))
        with pytest.raises(SocketClosed):
            socket.send("late")


def test_a_close_while_the_door_is_busy() -> None:
    """A door that comes back to receive() while another greenlet closes just sees the end."""
    busy, seen = Signal(), []

    def slow(socket: Socket, _environ: Any, _account: Any) -> None:
        seen.append(socket)
        busy.wait(600)
        seen.append(socket.receive())

    with serving(slow) as house:
        raw = Raw(house.port)
        wait_until(lambda: seen)
        closer = gevent.spawn(seen[0].close, 4000)
        assert raw.frame() == (FIN | CLOSE, b"\x0f\xa0")
        busy.set()
        gevent.sleep(0.05)
        assert len(seen) == 1
        raw.send(client(b"\x0f\xa0", CLOSE))
        assert raw.frame() is None
        closer.get(timeout=patient(10))
        wait_until(lambda: seen[1:] == [None])


def test_a_server_that_stops_says_1001() -> None:
    """stop() closes every socket with 1001, and returns when they are gone."""
    with serving() as house, connected(house.port) as ws, connected(house.port) as other:
        wait_until(lambda: len(house.server.registry) == 2)
        stopping = gevent.spawn(house.server.stop, 3.0)
        for one in (ws, other):
            with pytest.raises(ConnectionClosed):
                one.recv(timeout=patient(5))
            assert one.close_code == 1001
        stopping.get(timeout=patient(4))
        assert len(house.server.registry) == 0


def test_a_peer_that_does_not_answer_a_close_is_cut() -> None:
    """Two seconds after our close the connection ends, answered or not."""
    with serving() as house:
        raw = Raw(house.port)
        watch, started = Stopwatch(), time.monotonic()
        house.socket.close(4000)
        assert time.monotonic() - started > 1.5
        assert watch.seconds < 4
        wait_until(lambda: house.received == [None])
        wait_until(lambda: house.server.connections == 0)
        raw.close()


def test_the_peers_close_is_echoed_and_ends_the_stream() -> None:
    """A close of the client is answered with its code, and nothing after it is read."""
    with serving() as house:
        raw = Raw(house.port)
        raw.send(client(b"\x0f\xa1why", CLOSE) + client(b"late") + client(b"", PING))
        assert raw.frame() == (FIN | CLOSE, b"\x0f\xa1why")
        assert raw.frame() is None
        wait_until(lambda: house.received == [None])


def test_a_door_that_fails_closes_with_1011() -> None:
    """An error in a door is logged and told to the peer as 1011."""

    def broken(socket: Socket, _environ: Any, _account: Any) -> None:
        raise RuntimeError("broken on purpose")

    with serving(broken) as house:
        raw = Raw(house.port)
        frame = raw.frame()
        assert frame is not None
        assert frame[1][:2] == b"\x03\xf3"
        raw.close()


def test_a_door_that_returns_closes_with_1000() -> None:
    """The end of serve is the end of the connection."""
    with serving(lambda socket, environ, account: None) as house, connected(house.port) as ws:
        with pytest.raises(ConnectionClosed):
            ws.recv(timeout=patient(5))
        assert ws.close_code == 1000


# -- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x02hi", 1002),
        (b"\x00" * 100, 1002),
        (b"GET / HTTP/1.1\r\n\r\n", 1002),
        (bytes(range(255, 0, -1)) * 300, 1002),
        (client(b"a", TEXT, FIN | 0x40), 1002),
        (client(b"a", 5), 1002),
        (client(b"a", CONTINUATION), 1002),
        (client(b"a" * 126, PING), 1002),
        (client(b"\xff\xfe"), 1007),
        (client(b"a" * 65537), 1009),
        (client(b"a" * 40000, TEXT, 0) + client(b"a" * 40000, CONTINUATION), 1009),
        (b"\x82\xff\x7f" + b"\xff" * 7 + MASK, 1009),
        (client(b"\x03\xed", CLOSE), 1002),
    ],
)
def test_what_breaks_the_rules_gets_its_close_code(data: bytes, code: int) -> None:
    """Garbage, unmasked and huge frames end the connection with a code, not with a reset."""
    with serving() as house:
        raw = Raw(house.port)
        raw.send(client(b"before") + data)
        assert raw.close_code() == code
        wait_until(lambda: house.received == ["before", None])
        assert house.server.registry.counts.violations == 1


def test_utf8_is_refused_before_its_frame_is_whole() -> None:
    """The close comes as soon as the bad byte has come."""
    with serving() as house:
        raw = Raw(house.port)
        raw.send(client("good é".encode() + b"\xf8" + b"x" * 1000)[:40])
        assert raw.close_code() == 1007


def test_frames_byte_by_byte() -> None:
    """A client that sends one byte at a time is understood."""
    with serving() as house:
        raw = Raw(house.port)
        for byte in client("slow é".encode()) + client(b"p", PING):
            raw.send(bytes((byte,)))
        assert raw.frame() == (FIN | PONG, b"p")
        assert house.received == ["slow é"]


def test_a_client_in_a_hurry() -> None:
    """Frames that come in the same packet as the handshake are not lost."""
    with serving(echo) as house:
        sock = std_socket.create_connection(("127.0.0.1", house.port), timeout=patient(5))
        lines = [f"{name}: {text}" for name, text in HANDSHAKE.items()]
        sock.sendall("\r\n".join(("GET / HTTP/1.1", *lines, "", "")).encode() + client(b"early"))
        data = b""
        while b"early" not in data:
            data += sock.recv(4096)
        sock.close()


def test_a_flood_of_small_frames_leaves_room_for_others() -> None:
    """One client that never stops sending does not keep another from being served."""
    with serving(echo) as house:
        flood, stop = Raw(house.port), threading.Event()

        def pour() -> None:
            data = client(b"", PONG) * 5000
            try:
                while not stop.is_set():
                    flood.send(data)
            except OSError:
                pass

        pourer = threading.Thread(target=pour)
        pourer.start()
        try:
            wait_until(lambda: house.server.registry.received > 100_000)
            raw = Raw(house.port)
            for _ in range(20):
                raw.send(client(b"hello"))
                assert raw.frame() == (FIN | TEXT, b"hello")
        finally:
            stop.set()
            flood.close()
            pourer.join(patient(10))


# -- slow, stuck and silent peers -----------------------------------------------------------------


def test_a_peer_that_never_reads() -> None:
    """offer() never waits: the queue fills to its bound and then refuses; sends stay in order."""
    frame = SharedFrame(b"x" * 100_000, BINARY)
    with serving(queue=300_000) as house:
        raw = Raw(house.port)
        drained: list[Socket] = []
        socket = house.socket
        socket.on_drained = drained.append
        taken = 0
        while socket.offer(frame):
            taken += 1
        assert 0 < socket.backlog <= 300_000
        assert not socket.offer(frame)
        sending = gevent.spawn(socket.send, "after all that")
        gevent.sleep(0.05)
        assert not sending.dead
        assert not drained
        for _ in range(taken):  # now it reads
            got = raw.frame()
            assert got is not None
            assert len(got[1]) == 100_000
        assert raw.frame() == (FIN | TEXT, b"after all that")
        sending.get(timeout=patient(5))
        wait_until(lambda: drained == [socket])
        assert socket.backlog == 0
        assert socket.offer(SharedFrame(b"again"))
        assert raw.frame() == (FIN | TEXT, b"again")


def test_many_senders_never_mix_their_frames() -> None:
    """Greenlets that send and offer on one socket each keep their frames whole."""
    with serving() as house, connected(house.port, compression="deflate") as ws:
        socket = house.socket

        def pour(letter: str) -> None:
            for number in range(40):
                if number % 2:
                    socket.send(letter * 70_000)
                else:
                    socket.offer(SharedFrame(letter.encode() * 50_000))

        pourers = [gevent.spawn(pour, letter) for letter in "abcde"]
        counted = dict.fromkeys("abcde", 0)
        for _ in range(100):  # what was sent; offers may have been refused
            text = ws.recv(timeout=patient(10))
            while len(text) == 50_000:
                text = ws.recv(timeout=patient(10))
            assert text == text[0] * 70_000
            counted[text[0]] += 1
        assert set(counted.values()) == {20}
        gevent.joinall(pourers, timeout=patient(5), raise_error=True)


def test_a_peer_that_goes_away_while_we_send() -> None:
    """A connection that breaks makes send() fail and receive() end."""
    with serving() as house:
        raw = Raw(house.port)
        sending = gevent.spawn(house.socket.send, b"x" * 32 * MIB)
        wait_until(lambda: house.socket.backlog)
        raw.close()
        with pytest.raises(SocketClosed):
            sending.get(timeout=patient(5))
        wait_until(lambda: house.received == [None])


def test_a_silent_peer_is_pinged_and_then_dropped() -> None:
    """Pings go out by a timer; a peer that answers stays, one that is silent is cut."""
    with serving(registry=SocketRegistry(ping_every=0.2, drop_after=1.0)) as house:
        quiet = Raw(house.port)
        with connected(house.port) as lively:  # the library answers pings by itself
            wait_until(lambda: len(house.server.registry) == 2)
            assert quiet.frame() == (FIN | PING, b"")
            wait_until(lambda: house.received == [None], timeout=5)
            assert house.server.registry.counts.dropped_silent == 1
            assert not house.socket.closed
            lively.send("still here")
            wait_until(lambda: house.received == [None, "still here"])


def test_a_server_that_was_halted_drops_nobody_for_it() -> None:
    """For longer than a peer may be silent, as on a machine that was stopped: who was not asked meanwhile
    is, and only who does not answer then is cut."""
    with serving(registry=SocketRegistry(ping_every=0.2, drop_after=1.0)) as house:
        quiet = Raw(house.port)
        with connected(house.port) as lively:
            wait_until(lambda: len(house.server.registry) == 2)
            get_original("time", "sleep")(2.5)
            wait_until(lambda: house.server.registry.counts.dropped_silent, 5)
            lively.send("still here")
            wait_until(lambda: "still here" in house.received)
            assert house.server.registry.counts.dropped_silent == 1
        quiet.close()


def test_a_peer_that_sends_but_never_reads_is_dropped() -> None:
    """What waits for a peer and does not move for the deadline is proof enough."""
    with serving(registry=SocketRegistry(ping_every=0.2, drop_after=1.0), queue=MIB) as house:
        raw = Raw(house.port)
        frame = SharedFrame(b"x" * 100_000, BINARY)
        while house.socket.offer(frame):
            pass

        def talk() -> bool:
            try:
                raw.send(client(b"alive"))
            except OSError:
                return True
            return house.socket.closed

        wait_until(talk, timeout=5, every=0.1)
        assert house.server.registry.counts.dropped_silent == 1


def test_receive_with_a_deadline() -> None:
    """A message that does not come in time is a TimeoutError, and the socket lives on."""
    heard: list[Any] = []

    def waits(socket: Socket, _environ: Any, _account: Any) -> None:
        try:
            socket.receive(timeout=0.2)
        except TimeoutError:
            heard.append("nothing")
        heard.append(socket.receive(timeout=patient(5)))

    with serving(waits) as house:
        raw = Raw(house.port)
        raw.send(client(b"half a message")[:7])
        wait_until(lambda: heard)
        raw.send(client(b"half a message")[7:])
        wait_until(lambda: heard == ["nothing", "half a message"])


# -- the handshake --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 101),
        ({"Upgrade": None}, 426),
        ({"Connection": "keep-alive"}, 426),
        ({"Sec_WebSocket_Version": "8"}, 426),
        ({"Sec_WebSocket_Version": None}, 426),
        ({"Sec_WebSocket_Key": "short"}, 400),
        ({"Sec_WebSocket_Key": "é" * 12}, 400),
        ({"Sec_WebSocket_Key": None}, 400),
        ({"Content_Length": "5"}, 400),
        ({"Origin": "http://cloudbang.test"}, 101),
        ({"Origin": "https://CLOUDBANG.test:443"}, 101),  # the port a proxy with TLS leaves off
        ({"Origin": "https://cloudbang.test", "Host": "cloudbang.test:443"}, 101),
        ({"Origin": "https://outside.example"}, 101),  # declared as ours
        ({"Origin": "http://cloudbang.test:8080"}, 403),
        ({"Origin": "http://cloudbang.test.evil.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "file://"}, 403),
        ({"Origin": "http://[broken"}, 403),
        ({"Origin": ""}, 403),
    ],
)
def test_who_may_open_a_socket(headers: dict[str, str | None], status: int) -> None:
    """A wrong handshake is a 400 or 426, a foreign page a 403; never a 500."""
    with serving() as house:
        raw = Raw(house.port, **headers)
        assert raw.status == status, raw.head
        if status == 426:
            assert b"sec-websocket-version: 13" in raw.head.lower()
        raw.close()


def test_a_door_decides_who_comes_in() -> None:
    """authorize() sees the whole request; serve() gets what it returned and no secrets."""
    seen: list[Any] = []

    def authorize(environ: dict[str, Any]) -> Any:
        if environ.get("HTTP_COOKIE") == "session=good":
            return {"account": 7}
        return Refusal(401, "not-signed-in", "sign in first")

    def serve(socket: Socket, environ: Any, account: Any) -> None:
        seen.append((dict(environ), account, socket.subprotocol))

    with serving(serve, authorize=authorize, subprotocols=("one.v1", "two.v1")) as house:
        refused = Raw(house.port)
        assert refused.status == 401
        assert house.server.registry.counts.handshakes_refused == 1
        raw = Raw(
            house.port,
            "/?after=3",
            Cookie="session=good",
            Sec_WebSocket_Protocol="zero.v1, two.v1, one.v1",
        )
        assert raw.status == 101
        assert b"Sec-WebSocket-Protocol: two.v1" in raw.head
        wait_until(lambda: seen)
        environ, account, subprotocol = seen[0]
        assert (account, subprotocol) == ({"account": 7}, "two.v1")
        assert environ["QUERY_STRING"] == "after=3"
        assert environ["REMOTE_ADDR"] == "127.0.0.1"
        assert "HTTP_COOKIE" not in environ


def test_a_refused_handshake_of_the_library() -> None:
    """The independent client sees the refusal's status."""
    route = {"authorize": lambda environ: Refusal(403, "no", "no")}
    with serving(**route) as house, pytest.raises(InvalidStatus), connected(house.port):
        pass


def test_bytes_are_counted() -> None:
    """The keeper knows what its sockets have received and sent, ended ones too."""
    with serving(echo) as house:
        raw = Raw(house.port)
        raw.send(client(b"12345"))
        assert raw.frame() == (FIN | TEXT, b"12345")
        assert (house.server.registry.received, house.server.registry.sent) == (11, 7)
        raw.close()
        wait_until(lambda: len(house.server.registry) == 0)
        assert house.server.registry.received == 11
        assert house.server.registry.counts.opened == 1


def test_who_was_thrown_out_while_the_answer_waited() -> None:
    """A peer that reads its 101 late kept a socket of a session that had ended meanwhile."""
    answers = ["ada", Refusal(401, "not-signed-in", "sign in")]
    with serving(authorize=lambda environ: answers.pop(0)) as house:
        raw = Raw(house.port)
        assert raw.status == 101
        assert raw.close_code() == 4401
