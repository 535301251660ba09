"""The bus over real sockets: hub, publishers and subscribers, well-behaved and not."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import pytest
import zmq

from cloudbang import bus
from cloudbang.bus import Hub, Malformed, Message, Publisher, Subscriber, curve, read_header
from cloudbang.config import BusSettings
from cloudbang.core.counters import exported
from cloudbang.core.notices import Notices
from cloudbang.errors import PortInUse, SettingError
from tests.support import ROOT, Stopwatch, free_port, patient, wait_until

ANYWHERE = "tcp://127.0.0.1:*"


class Reader:
    """A subscriber and what it has received."""

    def __init__(self, subscriber: Subscriber) -> None:
        self.subscriber = subscriber
        self.got: list[Message] = []
        self.greenlet = gevent.spawn(self._read)

    def _read(self) -> None:
        for batch in self.subscriber.batches():
            self.got += batch

    def close(self) -> None:
        self.subscriber.close()
        self.greenlet.join(patient(2))
        assert self.greenlet.ready(), "batches() did not end with close()"


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub(BusSettings(bind_sub=ANYWHERE, bind_pub=ANYWHERE, bind_pub2=ANYWHERE))
    hub.start()
    yield hub
    hub.stop()


@pytest.fixture
def publisher(hub: Hub) -> Iterator[Publisher]:
    publisher = Publisher(hub.publish_to)
    yield publisher
    publisher.close()


@pytest.fixture
def reader(hub: Hub) -> Iterator[Callable[..., Reader]]:
    readers: list[Reader] = []

    def make(*prefixes: str) -> Reader:
        reader = Reader(Subscriber(hub.subscribe_at))
        for prefix in prefixes:
            reader.subscriber.subscribe(prefix)
        readers.append(reader)
        return reader

    yield make
    for one in readers:
        one.close()


def test_published_is_received_in_order(
    publisher: Publisher, reader: Callable[..., Reader]
) -> None:
    """Every message of a topic reaches its subscriber, in order, and no other topic does."""
    web = reader("log/web/")
    wait_until(lambda: publisher.wanted("log/web/"))
    for n in range(1500):
        publisher.send("log/web/", {"v": 1, "first": n}, b"%d" % n)
        publisher.send("log/web2/", bus.HEADER, b"no")
        if n % 100 == 0:  # no further ahead than the hub holds for a reader
            wait_until(lambda sent=n: len(web.got) >= sent - 50)
    wait_until(lambda: len(web.got) == 1500)
    assert [m.body for m in web.got] == [b"%d" % n for n in range(1500)]
    assert web.got[7].topic == "log/web/"
    assert web.got[7].header == b'{"v":1,"first":7}'
    assert publisher.dropped == 0


def test_wanted_follows_the_subscriptions(
    publisher: Publisher, reader: Callable[..., Reader]
) -> None:
    """A publisher knows which topics somebody subscribed to, by prefix, and when nobody does."""
    assert not publisher.wanted("log/web/")
    one, two = reader("log/web/"), reader("log/")
    wait_until(lambda: publisher.wanted("log/web/") and publisher.wanted("log/db/"))
    assert not publisher.wanted("event/web/")
    two.subscriber.unsubscribe("log/")
    wait_until(lambda: not publisher.wanted("log/db/"))
    assert publisher.wanted("log/web/")
    one.subscriber.unsubscribe("log/web/")
    wait_until(lambda: not publisher.wanted("log/web/"))


def test_a_late_publisher_learns_what_is_wanted(hub: Hub, reader: Callable[..., Reader]) -> None:
    """A publisher that connects after the subscribers is told about them."""
    reader("log/web/")
    publisher = Publisher(hub.publish_to)
    wait_until(lambda: publisher.wanted("log/web/"))
    publisher.close()


def test_subscribing_does_not_swallow_what_has_arrived(
    publisher: Publisher, reader: Callable[..., Reader]
) -> None:
    """A reader that waits is woken although another greenlet subscribes at the same moment."""
    web = reader("log/web/")
    wait_until(lambda: publisher.wanted("log/web/"))
    for n in range(200):
        publisher.send("log/web/", bus.HEADER, b"")
        time_left = time.monotonic() + 0.0005
        while time.monotonic() < time_left:
            pass  # let the I/O thread bring it while the hub does not look
        web.subscriber.subscribe(f"log/other{n}/")
        wait_until(lambda n=n: len(web.got) == n + 1, timeout=2)


@pytest.mark.parametrize("pause", [0.0, 0.001], ids=["as fast as it goes", "20,000 a second"])
def test_a_busy_subscriber_lets_others_run(
    publisher: Publisher, reader: Callable[..., Reader], pause: float
) -> None:
    """While messages pour in, a timer is still served within milliseconds; also where each round
    of reading is short, and the next messages are there when it ends."""
    web = reader("log/web/")
    wait_until(lambda: publisher.wanted("log/web/"))
    flood = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time, zmq\n"
            "out = zmq.Context().socket(zmq.XPUB); out.connect(sys.argv[1]); out.recv()\n"
            "end = time.monotonic() + 1\n"
            "while time.monotonic() < end:\n"
            "    for _ in range(20): out.send_multipart([b'log/web/', b'{}', b'x' * 100])\n"
            "    time.sleep(float(sys.argv[2]))\n",
            wait_for_address(publisher),
            str(pause),
        ]
    )
    try:
        wait_until(lambda: len(web.got) > 1000)
        late = []
        for _ in range(50):
            before = time.thread_time()  # on a busy machine all come late
            gevent.sleep(0.005)
            late.append(time.thread_time() - before)
        assert sorted(late)[25] < 0.05
    finally:
        flood.kill()
        flood.wait()


def test_rounds_that_are_short_and_bring_nothing_give_way_as_well(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody sends what is dropped, so fast that there is always more: others run all the same."""
    subscriber = hub.subscriber(ours_alone=True)
    rounds = 0

    def drop(_: Subscriber) -> list[Message]:
        nonlocal rounds
        rounds += 1
        if rounds == 1000:
            subscriber.close()
        ends = time.perf_counter() + 0.0003
        while time.perf_counter() < ends:
            pass
        return []

    monkeypatch.setattr(Subscriber, "_drain", drop)
    monkeypatch.setattr(type(subscriber._socket), "is_readable", lambda _: True)
    reading = gevent.spawn(list, subscriber.batches())
    turns = 0
    while not reading.ready():
        gevent.sleep(0.001)
        turns += 1
    assert turns > 50


def wait_for_address(publisher: Publisher) -> str:
    address = publisher._socket.get(zmq.LAST_ENDPOINT)
    assert isinstance(address, bytes)
    return address.rstrip(b"\0").decode()


def test_more_subscriptions_than_are_looked_up_make_everything_wanted(
    hub: Hub, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that subscribes without end costs a bounded amount, nobody misses a message by it,
    and what it cost is given back when it leaves."""
    monkeypatch.setattr("cloudbang.bus.publisher.MOST_PREFIXES", 100)
    monkeypatch.setattr("cloudbang.bus.publisher.AT_ONCE", 50)

    def held() -> int:
        publisher.wanted("nobody/")  # takes note of what has changed
        return publisher._beyond + len(publisher._prefixes)

    greedy = zmq.Context.instance().socket(zmq.SUB)
    greedy.connect(hub.subscribe_at)
    for n in range(500):
        greedy.set(zmq.SUBSCRIBE, b"greedy/%d/" % n)
    wait_until(lambda: held() == 500)
    assert len(publisher._prefixes) == 100
    assert publisher.wanted("greedy/499/")
    assert publisher.wanted("nobody/")
    for n in range(0, 500, 2):
        greedy.set(zmq.UNSUBSCRIBE, b"greedy/%d/" % n)
    wait_until(lambda: held() == 250)
    assert publisher.wanted("greedy/499/")
    greedy.close(0)
    wait_until(lambda: not publisher.wanted("nobody/"))
    assert publisher._prefixes == set()
    assert not publisher.wanted("greedy/1/")


def test_rubbish_is_counted_and_dropped(
    hub: Hub, publisher: Publisher, reader: Callable[..., Reader]
) -> None:
    """Messages with too few or too many parts, or a topic that is not UTF-8, harm nobody."""
    web = reader("")
    wait_until(lambda: publisher.wanted("log/web/"))
    raw = zmq.Context.instance().socket(zmq.PUB)
    raw.connect(hub.publish_to)
    rubbish = [[b"log/web/"], [b"log/web/", b""], [b"a", b"b", b"c", b"d"], [b"\xff\xfe", b"", b""]]
    wait_until(lambda: _arrives(raw, web))
    for parts in rubbish:
        raw.send_multipart(parts)
    publisher.send("log/web/", bus.HEADER, b"good")
    wait_until(lambda: web.got and web.got[-1].body == b"good")
    wait_until(lambda: web.subscriber.drops.total("parts") == len(rubbish))
    assert {m.body for m in web.got} <= {b"good", b"probe"}
    raw.close(0)


def _arrives(raw: zmq.Socket[bytes], reader: Reader) -> bool:
    raw.send_multipart([b"probe/", b"", b"probe"])
    return any(m.topic == "probe/" for m in reader.got)


@pytest.mark.parametrize(
    "header", [b"", b"{", b"[]", b'"v"', b"{}", b'{"v":2}', b'{"v":"1"}', b'{"v":true}', b"\xff"]
)
def test_a_header_of_another_version_is_malformed(header: bytes) -> None:
    """A header is a JSON object with the number 1 as its version; nothing else passes."""
    with pytest.raises(Malformed):
        read_header(header)


def test_a_publisher_never_waits(hub: Hub) -> None:
    """With nobody taking what it sends, a publisher drops and counts instead of waiting."""
    listener = zmq.Context.instance().socket(zmq.SUB)  # takes the place of a hub that hangs
    listener.set(zmq.RCVHWM, 10)
    listener.subscribe(b"")
    port = listener.bind_to_random_port("tcp://127.0.0.1")
    publisher = Publisher(f"tcp://127.0.0.1:{port}")
    # Asking for its events is what makes a bound SUB tell its subscriptions.
    wait_until(lambda: listener.get(zmq.EVENTS) is not None and publisher.wanted("log/web/"))
    watch = Stopwatch()
    for _ in range(10_000):
        publisher.send("log/web/", bus.HEADER, b"x" * 10_000)
    assert watch.seconds < 5
    assert publisher.dropped > 0
    assert publisher.sent + publisher.dropped == 10_000
    publisher.close()
    listener.close(0)


def test_what_comes_when_a_publisher_is_closed_is_dropped(hub: Hub) -> None:
    """What is stored last is told when the hub is gone already: that is no failure of who tells it."""
    publisher = hub.publisher()
    publisher.close()
    publisher.send("log/web/", bus.HEADER, b"")
    assert (publisher.sent, publisher.dropped) == (0, 1)
    assert not publisher.wanted("log/web/")


def test_a_stuck_subscriber_harms_nobody(
    hub: Hub, publisher: Publisher, reader: Callable[..., Reader]
) -> None:
    """One subscriber that never reads loses its own messages; the other gets every one."""
    web = reader("log/web/")
    stuck = Subscriber(hub.subscribe_at)
    stuck.subscribe("log/web/")
    wait_until(lambda: publisher.wanted("log/web/"))
    for n in range(8000):
        publisher.send("log/web/", bus.HEADER, b"x" * 2000)
        if n % 20 == 0:
            gevent.sleep(0.001)
            # Within what the hub holds for a subscriber that reads.
            wait_until(lambda n=n: len(web.got) > n - 100)
    wait_until(lambda: len(web.got) == 8000)
    stuck.close()


def test_both_subscriber_addresses_serve_the_same(hub: Hub, publisher: Publisher) -> None:
    """A subscriber may connect to either of the hub's two addresses."""
    first, second = free_port(), free_port()
    settings = BusSettings(
        bind_sub=ANYWHERE,
        bind_pub=f"tcp://127.0.0.1:{first}",
        bind_pub2=f"tcp://127.0.0.1:{second}",
    )
    other = Hub(settings)
    other.start()
    sender = Publisher(other.publish_to)
    readers = [Reader(Subscriber(f"tcp://127.0.0.1:{port}")) for port in (first, second)]
    for one in readers:
        one.subscriber.subscribe("app/")

    def both() -> bool:
        sender.send("app/web/", bus.HEADER, b"{}")
        return all(one.got for one in readers)

    wait_until(both)
    for one in readers:
        one.close()
    sender.close()
    other.stop()


def test_a_taken_port_is_said_to_be_taken() -> None:
    """A second hub on the same address raises PortInUse and leaves nothing bound."""
    address = f"tcp://127.0.0.1:{free_port()}"
    first = Hub(BusSettings(bind_sub=ANYWHERE, bind_pub=address, bind_pub2=""))
    first.start()
    spare = f"tcp://127.0.0.1:{free_port()}"
    second = Hub(BusSettings(bind_sub=spare, bind_pub=address, bind_pub2=""))
    with pytest.raises(PortInUse) as caught:
        second.start()
    assert caught.value.address == address
    assert caught.value.setting == "ZMQ_BIND_PUB"
    third = Hub(BusSettings(bind_sub=spare, bind_pub=ANYWHERE, bind_pub2=""))
    third.start()  # the address that the second had bound is free again
    third.stop()
    first.stop()


@pytest.mark.parametrize(
    "address", ["tcp://0.0.0.0:*", "tcp://*:9", "tcp://[::]:9", "tcp://eth0:9"]
)
def test_other_addresses_need_keys(address: str) -> None:
    """Without CURVE keys the hub refuses to listen anywhere but on loopback."""
    with pytest.raises(SettingError) as caught:
        Hub(BusSettings(bind_sub=address, bind_pub=ANYWHERE, bind_pub2="")).start()
    assert "CURVE" in str(caught.value)
    assert address in str(caught.value)


def test_an_address_that_is_none_is_refused() -> None:
    """What ZeroMQ cannot bind is a SettingError with the address in it."""
    with pytest.raises(SettingError, match="ZMQ_BIND_SUB"):
        Hub(BusSettings(bind_sub="tcp://127.0.0.1:http", bind_pub=ANYWHERE)).start()


def test_keys_let_in_who_is_known(tmp_path: Path) -> None:
    """With keys the hub listens anywhere: its own programs and known clients get in, no others."""
    keys = tmp_path / "hub"
    bus.make_keys(keys)
    assert (keys / "hub.key_secret").stat().st_mode & 0o777 == 0o600
    settings = BusSettings(
        bind_sub="tcp://0.0.0.0:*", bind_pub="tcp://0.0.0.0:*", bind_pub2="", curve_folder=str(keys)
    )
    hub = Hub(settings)
    hub.start()
    publisher = Publisher(hub.publish_to, str(keys))
    known, unknown = tmp_path / "known", tmp_path / "unknown"
    for folder in (known, unknown):
        folder.mkdir()
        (folder / "hub.key").write_bytes((keys / "hub.key").read_bytes())
    public = bus.make_keys(keys, "friend")
    (keys / "clients" / "friend.key_secret").rename(known / "client.key_secret")
    curve.write(unknown, "client", curve.Keys(*zmq.curve_keypair()))
    (keys / "clients" / "broken.key").write_text("no key here")
    friend, stranger = (
        Reader(Subscriber(hub.subscribe_at, str(folder))) for folder in (known, unknown)
    )
    nobody = Reader(Subscriber(hub.subscribe_at))
    everyone = (friend, stranger, nobody)
    for one in everyone:
        one.subscriber.subscribe("log/")

    def heard() -> bool:
        publisher.send("log/web/", bus.HEADER, b"secret")
        return len(friend.got) > 20

    wait_until(heard)
    assert not stranger.got
    assert not nobody.got
    for one in everyone:
        one.close()
    public.unlink()
    late = Reader(Subscriber(hub.subscribe_at, str(known)))
    late.subscriber.subscribe("log/")
    publisher.send("log/web/", bus.HEADER, b"secret")
    gevent.sleep(0.2)
    assert not late.got, "a key that was taken away still opens"
    late.close()
    publisher.close()
    hub.stop()


def test_missing_keys_are_said_to_be_missing(tmp_path: Path) -> None:
    """A folder without the hub's keys stops the start with the file's name."""
    with pytest.raises(SettingError, match=r"hub\.key_secret"):
        Hub(BusSettings(curve_folder=str(tmp_path))).start()


def test_the_hub_stops_at_once() -> None:
    """Stopping takes no time even while peers are connected, and can be done twice."""
    hub = Hub(BusSettings(bind_sub=ANYWHERE, bind_pub=ANYWHERE, bind_pub2=ANYWHERE))
    hub.start()
    publisher, subscriber = Publisher(hub.publish_to), Subscriber(hub.subscribe_at)
    subscriber.subscribe("")
    wait_until(lambda: publisher.wanted("x"))
    watch = Stopwatch()
    hub.stop()
    hub.stop()
    assert watch.seconds < 5
    publisher.close()
    subscriber.close()


def test_closing_in_the_middle_of_a_flood_does_not_abort() -> None:
    """Publisher, subscriber and hub closed at once under load end in peace (libzmq used to abort
    the process)."""
    code = """
from gevent import monkey; monkey.patch_all()
import gevent
from cloudbang.bus import Hub, Publisher, Subscriber
from cloudbang.config import BusSettings
from cloudbang.core.counters import exported
from cloudbang.core.notices import Notices
anywhere = "tcp://127.0.0.1:*"
for _ in range(10):
    hub = Hub(BusSettings(bind_sub=anywhere, bind_pub=anywhere, bind_pub2=""))
    hub.start()
    publisher, subscriber = Publisher(hub.publish_to), Subscriber(hub.subscribe_at)
    subscriber.subscribe("")
    while not publisher.wanted("x"):
        gevent.sleep(0.005)
    reader = gevent.spawn(lambda: [None for _ in subscriber.batches()])
    for n in range(20_000):
        publisher.send("log/web/", b'{"v":1}', b"x" * 200)
        if n % 100 == 0:
            gevent.sleep(1e-5)
    subscriber.close()
    publisher.close()
    hub.stop()
    reader.join()
print("peace")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=patient(100), cwd=ROOT
    )
    assert done.stdout.strip() == "peace", done.stderr[-2000:]


def test_who_does_not_read_for_a_while_is_no_reason_to_abort(hub: Hub) -> None:
    """A heartbeat that a reader at its high-water mark cannot hear ended the whole process: who
    vanished is noticed by the system instead, in each kind of socket."""
    publisher, subscriber = Publisher(hub.publish_to), Subscriber(hub.subscribe_at)
    try:
        for sock in (publisher._socket, subscriber._socket):
            assert sock.get(zmq.HEARTBEAT_IVL) == 0
            assert sock.get(zmq.TCP_KEEPALIVE) == 1
    finally:
        publisher.close()
        subscriber.close()


def test_a_hub_that_stops_forwarding_is_started_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever it was: it is said, counted, shown, and what is published arrives again."""
    right, failed = zmq.proxy, []

    def fails_twice(*sockets: zmq.Socket[bytes]) -> None:
        if len(failed) < 2:
            failed.append(1)
            raise zmq.ZMQError(zmq.EFAULT)
        right(*sockets)

    monkeypatch.setattr(zmq, "proxy", fails_twice)
    notices = Notices()
    hub = Hub(BusSettings(bind_sub=ANYWHERE, bind_pub=ANYWHERE, bind_pub2=""), notices)
    hub.start()
    reader, publisher = Reader(hub.subscriber()), hub.publisher()
    try:
        reader.subscriber.subscribe("log/web/")
        wait_until(lambda: publisher.wanted("log/web/"))
        publisher.send("log/web/", bus.HEADER, b"[]")
        wait_until(lambda: reader.got)
        said = [r for r in caplog.records if "the hub of the bus stopped" in r.getMessage()]
        assert len(said) == 2
        (notice,) = wait_until(notices.now)
        assert (notice.code, "Bad address" in notice.message) == ("bus-stopped", True)
        told = {family.name: family.values[()] for family in exported() if not family.labels}
        assert told["hub_failures_forwarding"] == 2
    finally:
        reader.close()
        hub.stop()


def test_a_question_that_is_none_keeps_nobody_out(tmp_path: Path) -> None:
    """Who may connect is answered by one thread: what it cannot read is refused, and no more."""
    keys = tmp_path / "keys"
    bus.make_keys(keys)
    notices = Notices()
    hub = Hub(
        BusSettings(bind_sub=ANYWHERE, bind_pub=ANYWHERE, bind_pub2="", curve_folder=str(keys)),
        notices,
    )
    hub.start()
    try:
        assert hub._context is not None
        for question in ([b"1.0"], [b"1.0", b"1", b"", b"", b"", b"CURVE", b"short"]):
            asks = hub._context.socket(zmq.REQ)
            asks.set(zmq.RCVTIMEO, 2000)
            asks.connect("inproc://zeromq.zap.01")
            asks.send_multipart(question)
            assert gevent.get_hub().threadpool.apply(asks.recv_multipart)[2] != b"200"
            asks.close(0)
        known = Reader(Subscriber(hub.subscribe_at, str(keys)))
        publisher = hub.publisher()
        known.subscriber.subscribe("log/web/")
        wait_until(lambda: publisher.wanted("log/web/"))
        known.close()
        (notice,) = wait_until(notices.now)
        assert (notice.code, notice.setting) == ("bus-admission-failed", "bus.curve_folder")
    finally:
        hub.stop()
