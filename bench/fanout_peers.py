"""The other processes of ``bench_fanout``: who receives, who publishes, and the bare sender.

None of them is patched by gevent. ``sink`` must be cheap, since it shares the machine with what is
measured: one epoll loop that reads into one buffer and counts.
"""

from __future__ import annotations

import base64
import mmap
import os
import select
import socket
import struct
import sys
import time

import zmq

# What the sink tells, in shared memory: bytes since the last reset, first and last moment (ns).
# The last number is an order to it, back at 0 when it is done.
BOARD = struct.Struct("QQQQ")
RESET, STOP_READING = 1, 2  # the orders; the second is about the first socket


def sink(path: str, port: int, count: int, channel: str) -> None:
    """Connect ``count`` sockets and read from them; "ready" when set up.

    With channels, with commas between them, they are live sockets that follow them; with "" they are
    bare connections.
    """
    sockets = [socket.socket() for _ in range(count)]
    # The one that will stop reading: its kernel shall not take many frames for it.
    sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    for one in sockets:
        one.connect(("127.0.0.1", port))
    if channel:
        for one in sockets:
            _upgrade(one)
            if "," in channel:  # as a page does
                _say(one, b'{"op":"batch"}')
            for name in channel.split(","):
                _subscribe(one, name)
    poller = select.epoll()
    for one in sockets:
        one.setblocking(False)
        poller.register(one.fileno(), select.EPOLLIN)
    by_number = {one.fileno(): one.recv_into for one in sockets}
    buffer = memoryview(bytearray(1 << 20))
    with open(path, "r+b") as f:
        board = mmap.mmap(f.fileno(), BOARD.size)
    print("ready", flush=True)
    total = first = 0
    while True:
        events = poller.poll(0.05)
        if os.getppid() == 1:
            return
        if board[24] and not events:
            if board[24] == STOP_READING:
                poller.unregister(sockets[0].fileno())
            total = first = 0
            BOARD.pack_into(board, 0, 0, 0, 0, 0)
        if not events:
            continue
        first = first or time.monotonic_ns()
        for number, _ in events:
            try:
                taken = by_number[number](buffer)
            except BlockingIOError:
                continue
            if not taken:
                return
            total += taken
        struct.pack_into("QQQ", board, 0, total, first, time.monotonic_ns())


def _upgrade(one: socket.socket) -> None:
    key = base64.b64encode(os.urandom(16)).decode()
    one.sendall(
        f"GET /websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    heard = b""
    while b"\r\n\r\n" not in heard:
        heard += one.recv(4096)


def _subscribe(one: socket.socket, channel: str) -> None:
    _say(one, b'{"op":"subscribe","channel":"%b"}' % channel.encode())
    heard = b""
    while b"subscribed" not in heard or not heard.endswith(b"}"):
        heard += one.recv(4096)


def _say(one: socket.socket, text: bytes) -> None:
    one.sendall(bytes((0x81, 0x80 | len(text))) + b"\0\0\0\0" + text)


def bare(count: int, frame_size: int, frames: int) -> None:
    """Accept ``count`` connections; at each line on standard input send ``frames`` frames to all,
    with plain blocking sends, and say how many seconds of CPU that took."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(listener.getsockname()[1], flush=True)
    sockets = [listener.accept()[0] for _ in range(count)]
    for one in sockets:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    frame = os.urandom(frame_size)
    for _ in sys.stdin:
        started = time.thread_time()
        for _ in range(frames):
            for one in sockets:
                one.send(frame)
        print(time.thread_time() - started, flush=True)


def publish(address: str, topic: str) -> None:
    """At each line with the name of a file publish the messages in it: their headers, signed, and
    bodies one after the other, each with its length in front."""
    context = zmq.Context()
    out = context.socket(zmq.PUB)
    out.set(zmq.SNDHWM, 0)
    out.connect(address)
    name = topic.encode()
    print("ready", flush=True)
    for order in sys.stdin:
        with open(order.strip(), "rb") as f:
            data = f.read()
        at, parts = 0, []
        while at < len(data):
            (size,) = struct.unpack_from("I", data, at)
            parts.append(data[at + 4 : at + 4 + size])
            at += 4 + size
        for header, body in zip(parts[::2], parts[1::2], strict=True):
            out.send_multipart([name, header, body])
        print("sent", flush=True)


if __name__ == "__main__":
    role, *arguments = sys.argv[1:]
    if role == "sink":
        path, port, count, channel = arguments
        sink(path, int(port), int(count), channel)
    elif role == "bare":
        bare(*(int(a) for a in arguments))
    else:
        publish(*arguments)
