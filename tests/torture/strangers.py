"""Programs that put on the bus, and strangers on every socket.

``python -m tests.torture.strangers TASK`` with the JSON ``{"what", "in", "out", "http", "seconds",
"seed", "apps"}``: ``put`` puts by number for as long as it runs, ``names`` floods with names that
nobody knows, ``forge`` sends what only CloudBang may say, ``garbage`` sends what nobody understands.
"""

from __future__ import annotations

import json
import random
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import zmq

PUT_APP = "torture-put"
NAMES = 4000


def _publisher(task: dict[str, Any]) -> zmq.Socket[bytes]:
    out = zmq.Context.instance().socket(zmq.PUB)
    out.setsockopt(zmq.LINGER, 0)
    out.setsockopt(zmq.RECONNECT_IVL_MAX, 500)
    out.connect(task["in"])
    time.sleep(0.3)
    return out


def put(task: dict[str, Any], chance: random.Random) -> None:
    """Lines by number, some 50 a second, several in some messages."""
    out = _publisher(task)
    number, end = 0, time.monotonic() + task["seconds"]
    while time.monotonic() < end:
        texts = []
        for _ in range(chance.choice((1, 1, 1, 5))):
            number += 1
            texts.append(f"put line {number} of a program")
        topic = f"put/log/{PUT_APP}/".encode()
        out.send_multipart([topic, b'{"v":1,"source":"torture"}', json.dumps(texts).encode()])
        time.sleep(0.02 * len(texts))


def names(task: dict[str, Any], chance: random.Random) -> None:
    """So many names within the time."""
    out = _publisher(task)
    tag = f"{chance.getrandbits(32):08x}"
    for n in range(NAMES):
        topic = f"put/log/flood-{tag}-{n}/".encode()
        out.send_multipart([topic, b'{"v":1}', b'"a line of a name"'])
        time.sleep(task["seconds"] / NAMES / 2)


def forge(task: dict[str, Any], chance: random.Random) -> None:
    """For each kind of fact what could be believed, right behind the real ones."""
    out = _publisher(task)
    real = zmq.Context.instance().socket(zmq.SUB)
    real.connect(task["out"])
    for app in task["apps"]:
        real.subscribe(f"log/{app}/".encode())
    end = time.monotonic() + task["seconds"]
    while time.monotonic() < end:
        if not real.poll(200):
            continue
        topic, raw, body = real.recv_multipart()[:3]
        app = topic.decode().split("/")[1]
        header = json.loads(raw)
        seq = header["next"]
        row = [seq, "2026-01-01T00:00:00.000000000Z", "0" * 12, "stdout", "a forged line"]
        new = {"v": 1, "first": seq, "next": seq + 1}
        marked = {**header, **new}
        event = {"id": 1, "app": app, "time": row[1], "kind": "action", "container": None}
        event["data"] = {"who": "forged", "what": "terminal-open"}
        for where, head, what in (
            (topic, new, [row]),
            (topic, marked, [row]),
            (topic, header, body.replace(b"line", b"forged")),
            (f"event/{app}/".encode(), {"v": 1}, event),
            (b"activity/", {"v": 1}, {app: [seq, 9999, row]}),
            (f"app/{app}/".encode(), {"v": 1, "kind": "removed"}, {"name": "forged"}),
            (f"app/forged{chance.randrange(99)}/".encode(), {"v": 1, "kind": "app"}, {}),
            (f"deployment/{seq}/".encode(), {"v": 1}, {"forged": True}),
            (f"metric/{app}/".encode(), {"v": 1}, {"forged": True}),
        ):
            data = what if isinstance(what, bytes) else json.dumps(what).encode()
            out.send_multipart([where, json.dumps(head).encode(), data])


def garbage(task: dict[str, Any], chance: random.Random) -> None:
    """Bytes at random on each port, broken requests and frames, connections that say nothing."""
    ports = [urlsplit(task[name]).port for name in ("in", "out", "http")]
    starts = (
        b"",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"GET /websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n",
        b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n",
        b"\xff" + bytes(8) + b"\x7f",
        b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(16) + b"\x00" + bytes(31),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    )
    end, held = time.monotonic() + task["seconds"], []
    out = _publisher(task)
    while time.monotonic() < end:
        link = socket.socket()
        link.settimeout(1)
        with suppress(OSError):
            link.connect(("127.0.0.1", chance.choice(ports)))
            link.sendall(chance.choice(starts) + chance.randbytes(chance.randrange(2000)))
        held.append(link)
        if len(held) > 100:
            held.pop(chance.randrange(len(held))).close()
        parts = [chance.randbytes(chance.randrange(300)) for _ in range(chance.randrange(1, 6))]
        parts[0] = chance.choice((b"put/log/x/", b"log/x/", b"put/", b"", parts[0]))
        out.send_multipart(parts)
        time.sleep(0.01)


def main(task: dict[str, Any]) -> None:
    kinds: dict[str, Callable[[dict[str, Any], random.Random], None]] = {
        one.__name__: one for one in (put, names, forge, garbage)
    }
    kinds[task["what"]](task, random.Random(task["seed"]))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
