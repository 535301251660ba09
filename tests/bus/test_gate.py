"""What other programs put, on its way in: nothing is lost in a burst, and bytes are bounded."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import gevent
import pytest

from cloudbang.bus import Hub, Publisher, Subscriber, gate
from cloudbang.config import BusSettings
from tests.support import wait_until

ANYWHERE = "tcp://127.0.0.1:*"

BURST = """
import sys, time, zmq
out = zmq.Context().socket(zmq.XPUB)
out.set(zmq.SNDHWM, 0)
out.connect(sys.argv[1])
out.recv()  # from there on somebody wants it; what is sent before is lost
for n in range(int(sys.argv[2])):
    out.send_multipart([b"put/log/web/", b"{}", b"%d " % n + b"x" * int(sys.argv[3])])
time.sleep(2)
"""


@pytest.fixture
def hub() -> Iterator[Hub]:
    made = Hub(BusSettings(bind_sub=ANYWHERE, bind_pub=ANYWHERE, bind_pub2=""))
    made.start()
    yield made
    made.stop()


class Reader:
    """Reads what is put until the hub stops."""

    def __init__(self, hub: Hub) -> None:
        self.got: list[bytes] = []
        self.pause = 0.0
        hub.puts.wanted = True
        gevent.spawn(self._read, hub)

    def _read(self, hub: Hub) -> None:
        for batch in hub.puts.batches():
            self.got += [message.body.split()[0] for message in batch]
            gevent.sleep(self.pause)


def burst(hub: Hub, count: int, size: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", BURST, hub.publish_to, str(count), str(size)])


def test_a_burst_is_not_lost_while_the_loop_is_late(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More at once than any queue here holds: the program waits, each message comes, in order."""
    monkeypatch.setattr(gate, "PATIENCE", 60)  # a busy machine has it late for longer
    reader = Reader(hub)
    reader.pause = 0.02
    with burst(hub, 20_000, 500):
        wait_until(lambda: len(reader.got) == 20_000)
    assert reader.got == [b"%d" % n for n in range(20_000)]


def test_a_loop_that_stays_late_is_not_waited_for(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is more than some mebibytes is dropped and counted; what comes later comes through."""
    monkeypatch.setattr(gate, "PATIENCE", 0.02)
    reader = Reader(hub)
    reader.pause = 1.0
    with burst(hub, 100, 250_000):
        wait_until(lambda: hub.puts.drops.total("room") > 30)
        assert hub.puts._size <= gate.MOST
        reader.pause = 0.0
        wait_until(lambda: len(reader.got) + hub.puts.drops.total("room") == 100)
    assert reader.got == sorted(reader.got, key=int)


def test_whoever_else_listens_hears_what_is_put(hub: Hub) -> None:
    """Other programs subscribe to it as to anything else; also where nobody here reads it."""
    other = Subscriber(hub.subscribe_at)
    other.subscribe("put/log/web/")
    program = Publisher(hub.publish_to)
    wait_until(lambda: program.wanted("put/log/web/"))
    program.send("put/log/web/", b"{}", b"1")
    assert next(other.batches())[0].body == b"1"
    other.unsubscribe("put/log/web/")
    wait_until(lambda: not program.wanted("put/log/web/"))
    reader = Reader(hub)
    wait_until(lambda: program.wanted("put/log/web/"))
    program.send("put/log/web/", b"{}", b"2")
    wait_until(lambda: reader.got == [b"2"])
    program.close()
    other.close()
