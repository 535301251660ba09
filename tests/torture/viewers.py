"""Viewers that come back: what they were shown live, to be compared with what is stored.

``python -m tests.torture.viewers TASK`` with the JSON ``{"port", "cookie", "apps", "viewers",
"stuck", "folder"}``. Each line on standard input is a question that is answered with a line of JSON:
how long ago each app last had a line; at its end what each viewer saw is written to
``<folder>/<app>.seen`` (``I`` arrays, by seq, of the CRC-32 of the row; 0 was not seen).
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
import zlib
from array import array
from pathlib import Path
from typing import Any

import orjson

from tests.faults.viewers import Frames, frame, handshake, text_frame

FORGED = b"forged"
AGAIN = 0.5  # seconds after which one comes back
ESTABLISHED = 1  # as the kernel numbers the states of a connection
SILENT = 20.0  # seconds after which a connection that says nothing is taken for dead, as pages do


def row_sum(row: list[Any]) -> int:
    """Of time, container, stream and text; never 0."""
    return zlib.crc32(orjson.dumps(row[1:5])) or 1


class Seen:
    """What any viewer was shown of one app."""

    def __init__(self) -> None:
        self.sums = array("I")
        self.differing = 0
        self.last = 0.0

    def take(self, row: list[Any]) -> None:
        seq, value = row[0], row_sum(row)
        sums = self.sums
        if seq >= len(sums):
            sums.extend([0] * max(10_000, seq + 1 - len(sums)))
        if sums[seq] and sums[seq] != value:
            self.differing += 1
        sums[seq] = value


class Viewer:
    """One that subscribes to an app's log (or, without an app, to all else there is)."""

    def __init__(self, task: dict[str, Any], app: str, stuck: bool, seen: dict[str, Seen]) -> None:
        self.task, self.app, self.stuck, self.seen = task, app, stuck, seen
        self.link: socket.socket | None = None
        self.position = 0  # the seq that comes next; 0 before the first answer
        self.next_try = self.heard = 0.0
        self.lines = self.missed = self.repeated = self.gaps = self.connections = self.forged = 0
        self.errors: dict[str, int] = {}

    def connect(self, selector: selectors.BaseSelector, now: float) -> None:
        self.next_try = now + AGAIN
        link = socket.socket()
        if self.stuck:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.settimeout(3)
        try:
            link.connect(("127.0.0.1", self.task["port"]))
            rest = handshake(link, self.task["port"], self.task["cookie"])
            for ask in self._wishes():
                link.sendall(text_frame(json.dumps(ask)))
        except (OSError, AssertionError) as e:
            what = str(e).splitlines()[0][:80]
            self.errors[what] = self.errors.get(what, 0) + 1
            link.close()
            return
        self.connections += 1
        self.frames = Frames(rest)
        self.link, self.heard = link, now
        link.setblocking(False)
        if not self.stuck:
            selector.register(link, selectors.EVENT_READ, self)

    def _wishes(self) -> list[dict[str, Any]]:
        if not self.app:
            channels = ["app/*", "status", *(f"event/{app}" for app in self.task["apps"])]
            return [{"op": "subscribe", "channel": channel} for channel in channels]
        ask: dict[str, Any] = {"op": "subscribe", "channel": f"log/{self.app}"}
        return [ask | ({"after": self.position - 1} if self.position else {"tail": 100})]

    def is_lost(self, now: float) -> bool:
        """Whether nothing has come for too long; who is stuck learns it from the kernel."""
        if self.link is None:
            return False
        if self.stuck:
            state = self.link.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
            return state != bytes([ESTABLISHED])
        return now - self.heard > SILENT + 10

    def drop(self, selector: selectors.BaseSelector, why: str) -> None:
        if self.link is None:
            return
        if not self.stuck:
            selector.unregister(self.link)
        self.link.close()
        self.link = None
        self.errors[why] = self.errors.get(why, 0) + 1

    def read(self, selector: selectors.BaseSelector, now: float) -> None:
        assert self.link is not None
        try:
            data = self.link.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError as e:
            self.drop(selector, str(e))
            return
        if not data:
            self.drop(selector, "end")
            return
        self.heard = now
        for opcode, payload in self.frames.feed(data):
            if opcode == 1:
                if FORGED in payload:
                    self.forged += 1
                self._message(orjson.loads(payload), now)
            elif opcode == 9:
                try:
                    self.link.send(frame(10, payload))
                except OSError as e:
                    self.drop(selector, str(e))
                    return
            elif opcode == 8:
                self.drop(selector, f"close {int.from_bytes(payload[:2], 'big')}")
                return

    def _message(self, message: dict[str, Any], now: float) -> None:
        op = message["op"]
        if op == "lines":
            seen = self.seen[self.app]
            seen.last = now
            for row in message["lines"]:
                if self.position and row[0] > self.position:
                    self.missed += row[0] - self.position
                elif self.position and row[0] < self.position:
                    self.repeated += 1
                self.position = row[0] + 1
                seen.take(row)
            self.lines += len(message["lines"])
        elif op == "subscribed" and self.app:
            if not self.position:
                self.position = max(message["first"], message["next"] - 100)
        elif op == "gap" and self.app:
            self.gaps += 1
            self.position = message["to"] + 1
        elif op == "error":
            what = f"error {message['code']}"
            self.errors[what] = self.errors.get(what, 0) + 1
            # An app that is not known yet, a store that is in trouble: as a page does, come back.
            self.heard = 0.0

    def result(self) -> dict[str, Any]:
        names = ("app", "stuck", "lines", "missed", "repeated", "gaps", "connections", "forged")
        return {name: getattr(self, name) for name in (*names, "errors")}


def main(task: dict[str, Any]) -> None:
    apps = task["apps"]
    seen = {app: Seen() for app in apps}
    viewers = [Viewer(task, "", False, seen)]
    viewers += [
        Viewer(task, apps[i % len(apps)], i < task["stuck"], seen) for i in range(task["viewers"])
    ]
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin, selectors.EVENT_READ)
    while True:
        now = time.monotonic()
        for viewer in viewers:
            if viewer.is_lost(now):
                viewer.drop(selector, "lost")
            if viewer.link is None and now >= viewer.next_try:
                viewer.connect(selector, now)
        for key, _ in selector.select(0.2):
            if key.data is None:
                if not sys.stdin.readline():
                    break
                print(
                    json.dumps({app: round(now - one.last, 2) for app, one in seen.items()}),
                    flush=True,
                )
            elif key.data.link is not None:
                key.data.read(selector, time.monotonic())
        else:
            time.sleep(0.01)
            continue
        break
    for app, one in seen.items():
        (Path(task["folder"]) / f"{app}.seen").write_bytes(one.sums.tobytes())
    differing = sum(one.differing for one in seen.values())
    print(
        json.dumps({"differing": differing, "viewers": [v.result() for v in viewers]}), flush=True
    )


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
