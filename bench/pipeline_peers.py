"""The other processes of ``bench_pipeline``: the viewer that looks at its watch, the crowd, and a
program that puts lines.

``python -m bench.pipeline_peers '{"role": "watch", "port": …, "cookie": …, "app": …, "lines": …,
"seconds": …}'`` prints "ready" when it is subscribed, and at the end one line of JSON. Neither is
patched by gevent: what is measured is the server and not who measures.
"""

from __future__ import annotations

import itertools
import json
import select
import socket
import sys
import time
from typing import Any

import orjson
import zmq

from tests.faults.viewers import Frames, frame, handshake, text_frame

BEGINNING = 0.05  # the share of the lines that is left out at the start


def subscribed(port: int, cookie: str, app: str) -> tuple[socket.socket, Frames]:
    """A live socket that follows ``app``, and what cuts its frames."""
    link = socket.create_connection(("127.0.0.1", port))
    frames = Frames(handshake(link, port, cookie))
    link.sendall(text_frame(json.dumps({"op": "subscribe", "channel": f"log/{app}", "tail": 0})))
    while not any(b'"subscribed"' in payload for _, payload in frames.feed(link.recv(4096))):
        pass
    return link, frames


def watch(task: dict[str, Any]) -> dict[str, Any]:
    """How old each line is when it is here, by the time that is printed in it: milliseconds."""
    link, frames = subscribed(task["port"], task["cookie"], task["app"])
    print("ready", flush=True)
    waited: list[float] = []
    gaps = 0
    end = time.monotonic() + task["seconds"]
    while len(waited) < task["lines"] and (left := end - time.monotonic()) > 0:
        link.settimeout(left)
        try:
            data = link.recv(1 << 18)
        except TimeoutError:
            break
        now = time.time_ns()
        for opcode, payload in frames.feed(data):
            if opcode == 9:
                link.sendall(frame(10, payload))
            if opcode != 1:
                continue
            message = orjson.loads(payload)
            gaps += message["op"] == "gap"
            if message["op"] == "lines":
                texts = [row[4].split(" ", 2) for row in message["lines"]]
                waited += [(now - int(t[0])) / 1e6 for t in texts if len(t) == 3]
    looked_at = sorted(waited[int(len(waited) * BEGINNING) :])

    def quantile(q: float) -> float | None:
        return looked_at[int((len(looked_at) - 1) * q)] if looked_at else None

    return {"lines": len(waited), "gaps": gaps, "p50": quantile(0.5), "p99": quantile(0.99)}


def crowd(task: dict[str, Any]) -> dict[str, Any]:
    """Read from many sockets as cheaply as can be: one loop that looks at the end of what came.

    A socket got everything when it was told of no gap, its last line is the last, and it was sent
    as many bytes as the others.
    """
    links = [
        subscribed(task["port"], task["cookie"], task["app"])[0] for _ in range(task["viewers"])
    ]
    poller = select.epoll()
    by_number = {}
    for link in links:
        link.setblocking(False)
        poller.register(link.fileno(), select.EPOLLIN)
        by_number[link.fileno()] = link
    print("ready", flush=True)
    room = bytearray(1 << 20)
    view = memoryview(room)
    size = dict.fromkeys(by_number, 0)
    last = dict.fromkeys(by_number, b"")
    bad: set[int] = set()
    mark = b" %d x" % (task["lines"] - 1)
    whole: set[int] = set()
    end = time.monotonic() + task["seconds"]
    while len(whole | bad) < len(links) and time.monotonic() < end:
        for number, _ in poller.poll(0.5):
            try:
                taken = by_number[number].recv_into(view)
            except BlockingIOError:
                continue
            if not taken:
                bad.add(number)
                poller.unregister(number)
                continue
            size[number] += taken
            if room.find(b'"op":"gap"', 0, taken) >= 0:
                bad.add(number)
            if taken == 2:  # a ping, alone
                by_number[number].send(frame(10, b""))
                continue
            tail = last[number] + bytes(view[max(0, taken - 200) : taken])
            last[number] = tail[-200:]
            if mark in tail:
                whole.add(number)
    most = max(size.values())
    got = [n for n in whole - bad if size[n] > 0.98 * most]
    return {"delivered": len(got) / len(links)}


def put(task: dict[str, Any]) -> dict[str, Any]:
    """Put so many lines a second, each with the time at which it was, a hundredth of them at a time."""
    out = zmq.Context().socket(zmq.PUB)
    out.connect(task["bus"])
    topic, each = b"put/log/%b/" % task["app"].encode(), task["rate"] // 100
    time.sleep(0.3)
    out.send_multipart([topic, b'{"v":1}', b'{"text":"the first"}'])
    time.sleep(0.7)
    print("ready", flush=True)
    for turn in itertools.count():
        now = time.time_ns()
        lines = [{"text": f"{now} {turn * each + n} {'x' * 90}"} for n in range(each)]
        out.send_multipart([topic, b'{"v":1}', orjson.dumps(lines)])
        time.sleep(max(0, 0.01 - (time.time_ns() - now) / 1e9))
    return {}


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    roles = {"watch": watch, "crowd": crowd, "put": put}
    print(json.dumps(roles[asked["role"]](asked)), flush=True)
