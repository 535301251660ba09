"""How fast the web side takes messages from the bus, against a plain ``recv`` without gevent."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

import gevent

from cloudbang.bus import Hub, Subscriber
from cloudbang.config import BusSettings

ROOT = Path(__file__).parent.parent
TURNS = 3
SECONDS = 1.0
TOPIC = b"log/web/"
ANY = "tcp://127.0.0.1:*"

# Sends without end what a subscriber is to receive: more than either side here can take.
FLOOD = f"""
import os, sys, zmq
out = zmq.Context().socket(zmq.PUB)
out.set(zmq.SNDHWM, 10_000)
out.bind("tcp://127.0.0.1:*")
print(out.get(zmq.LAST_ENDPOINT).rstrip(b"\\0").decode(), flush=True)
parts = [{TOPIC!r}, b'{{"v":1,"first":1,"next":2}}', b"x" * 200]
while os.getppid() != 1:
    for _ in range(1000):
        out.send_multipart(parts)
"""

# Receives for a while with blocking calls and prints messages per second of CPU.
PLAIN = f"""
import sys, time, zmq
sub = zmq.Context().socket(zmq.SUB)
sub.set(zmq.RCVHWM, 4_000)
sub.subscribe({TOPIC!r})
sub.connect(sys.argv[1])
for _ in range(5_000):
    sub.recv_multipart()
count, started, cpu = 0, time.monotonic(), time.thread_time()
while time.monotonic() - started < {SECONDS}:
    for _ in range(100):
        sub.recv_multipart()
    count += 100
print(count / (time.thread_time() - cpu))
"""


def plain(address: str) -> float:
    """Messages per second of its CPU that a plain process receives."""
    done = subprocess.run(
        [sys.executable, "-c", PLAIN, address], stdout=subprocess.PIPE, timeout=30, check=True
    )
    return float(done.stdout)


def green(address: str) -> float:
    """Messages per second of CPU that the web side receives."""
    subscriber = Subscriber(address)
    subscriber.subscribe(TOPIC.decode())
    count = 0
    started, cpu = float("inf"), 0.0
    for batch in subscriber.batches():
        count += len(batch)
        now = time.monotonic()
        if started == float("inf") and count > 5_000:
            count, started, cpu = 0, now, time.thread_time()
        if now - started > SECONDS:
            break
    rate = count / (time.thread_time() - cpu)
    subscriber.close()
    return rate


def through_hub() -> float:
    """Messages per second that go in at one end of the hub and are received at the other."""
    hub = Hub(BusSettings(bind_sub=ANY, bind_pub=ANY, bind_pub2=""))
    hub.start()
    publisher, subscriber = hub.publisher(), hub.subscriber()
    subscriber.subscribe(TOPIC.decode())
    while not publisher.wanted(TOPIC.decode()):
        gevent.sleep(0.01)
    body = b"x" * 200

    def publish() -> None:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            for _ in range(100):
                publisher.send("log/web/", b'{"v":1}', body)
            gevent.sleep(1e-5)
        subscriber.close()

    sender = gevent.spawn(publish)
    started = time.monotonic()
    for _ in subscriber.batches():
        pass
    rate = subscriber.received / (time.monotonic() - started)
    sender.join()
    publisher.close()
    hub.stop()
    return rate


def run() -> list[dict[str, object]]:
    ratios, rates = [], []
    flood = subprocess.Popen(
        [sys.executable, "-c", FLOOD], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
    try:
        assert flood.stdout is not None
        address = flood.stdout.readline().decode().strip()
        for _ in range(TURNS):
            reference, measured = plain(address), green(address)
            ratios.append(measured / reference)
            rates.append(measured)
    finally:
        flood.kill()
        flood.wait()
        if flood.stdout is not None:
            flood.stdout.close()
    return [
        {
            "name": "ZeroMQ receive in the web side, against plain recv (CPU a message)",
            "value": statistics.median(ratios),
            "unit": "ratio",
            "limit": 0.9,
            "better": "higher",
        },
        {
            "name": "ZeroMQ receive in the web side",
            "value": statistics.median(rates),
            "unit": "messages/s",
            "limit": None,
            "better": "higher",
        },
        {
            "name": "through the hub, publisher and subscriber in one process",
            "value": through_hub(),
            "unit": "messages/s",
            "limit": None,
            "better": "higher",
        },
    ]
