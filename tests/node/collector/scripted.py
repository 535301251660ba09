"""An engine that says what a test wrote down: for what a real one does too rarely to wait for."""

from __future__ import annotations

import struct
from pathlib import Path
from time import time_ns
from typing import Any
from urllib.parse import parse_qs, urlsplit

import gevent
import orjson
from gevent import socket
from gevent.event import Event
from gevent.server import StreamServer

from cloudbang.domain.docker_stream import PART
from cloudbang.domain.lines import format_time, parse_time


class Part(str):
    """What is logged and ends no line, as Podman gives whatever it had read so far."""


PODMANS = {"die": "died", "destroy": "remove"}  # by what it looks for some events
PODMAN_TELLS = {"destroy": "remove"}  # and what it tells of one


class ScriptedEngine:
    """Answers what the collector asks, on a unix socket.

    ``containers`` maps a full id to the answer of its inspection, ``logs`` to its lines as
    ``(time, text)``. ``again`` makes the next followed stream send a container's newest lines, so
    many, twice: what an engine does that rotates the file.
    """

    def __init__(self, path: Path) -> None:
        self.host = f"unix://{path}"
        self.containers: dict[str, dict[str, Any]] = {}
        self.logs: dict[str, list[tuple[str, str]]] = {}
        self.asked: list[str] = []
        self.at_once = self.most_at_once = 0  # inspections
        self.chunked = False
        self.said: dict[str, bytes] = {}  # by container: what a reading ends with, as its own word
        self.whole_seconds = False  # of the times that are given, as Podman does; not of `since`
        self.podman = False  # it says that it is Podman 4.3, and tells of events as that does
        self.again: dict[str, int] = {}
        self.jumps: dict[str, range] = {}  # of a log: what a followed stream does not give
        self.twice: dict[str, range] = {}  # and what each of them gives twice, one after the other
        self.refused: dict[str, int] = {}  # how many inspections of a container fail from now on
        self.unfound: dict[tuple[str, str], int] = {}  # how many calls about one it is not found by
        self.version = self.oldest_version = "1.41"  # of the API: what it speaks and understands
        self.deaf: set[str] = set()  # containers whose followed streams never end
        self.filtered: set[str] = set()  # calls that a filter before the engine refuses
        self.unreadable: dict[str, str] = {}  # containers whose logs are refused, with these words
        self.mute: set[str] = set()  # calls that end without an answer
        self.muted = 0  # how many have
        self.listens = Event()  # unset: it answers who asks for events, and does not listen yet
        self.listens.set()
        self.changed = Event()
        self._events: list[socket.socket] = []
        self._wanted: dict[socket.socket, set[str]] = {}  # the events that each asked for
        self._told: list[dict[str, Any]] = []
        self._open: set[socket.socket] = set()
        self._away = False
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen(512)
        self._server = StreamServer(listener, self._serve)
        self._server.start()

    def close(self) -> None:
        self._server.stop(1)
        self._server.close()

    def add(
        self,
        container: str,
        name: str,
        *,
        running: bool = True,
        started: int = 0,
        max_size: str | None = None,
        tty: bool = False,
        labels: dict[str, str] | None = None,
    ) -> None:
        """A container; ``started`` in ns; its log rotates at ``max_size``."""
        time = format_time(started or parse_time("2026-01-01T00:00:00Z"))
        options = {} if max_size is None else {"max-size": max_size}
        never = "0001-01-01T00:00:00Z"
        self.containers[container] = {
            "Id": container,
            "Name": f"/{name}",
            "Created": time,
            "Image": "sha256:0",
            "Config": {"Image": "scripted", "Labels": labels or {}, "Tty": tty},
            "HostConfig": {"LogConfig": {"Type": "json-file", "Config": options}},
            "NetworkSettings": {"Ports": {}},
            "State": {
                "Status": "running" if running else "exited",
                "StartedAt": time,
                "FinishedAt": never if running else time,
                "ExitCode": 0,
            },
        }
        self.logs.setdefault(container, [])

    def rename(self, container: str, name: str) -> None:
        """It is called otherwise from now on, and that is told."""
        before = self.containers[container]["Name"]
        self.containers[container]["Name"] = f"/{name}"
        self.tell("rename", container, time_ns(), oldName=before)

    def remove(self, container: str) -> None:
        """It is gone, with its log."""
        self.tell("destroy", container, time_ns())
        self.stop(container)
        del self.containers[container]

    def stop(self, container: str) -> None:
        """It has ended: its stream ends, and nobody is told."""
        state = self.containers[container]["State"]
        state.update(Status="exited", FinishedAt=format_time(time_ns()))
        self.changed.set()

    def log(self, container: str, time: str, text: str) -> None:
        """One more line, or, of 16,384 bytes, a part of one; those who follow get it."""
        self.logs[container].append((time, text))
        self.changed.set()

    def go_away(self) -> None:
        """As an engine that was stopped: no connection is left, and none can be made."""
        self._away = True
        self._events.clear()
        for sock in list(self._open):
            sock.shutdown(socket.SHUT_RDWR)

    def come_back(self) -> None:
        self._away = False

    def drop_events(self) -> None:
        """End every connection for events, as an engine that stops does."""
        for sock in self._events:
            sock.shutdown(socket.SHUT_RDWR)
        self._events.clear()

    def tell(self, action: str, container: str, time_ns: int, **more: str) -> None:
        """An event, to all who listen; with ``more`` attributes."""
        inspected = self.containers[container]
        labels = {"podId": ""} if self.podman else inspected["Config"]["Labels"]
        attributes = {"name": inspected["Name"].lstrip("/"), **labels, **more}
        event = {
            "Type": "container",
            "Action": action,
            "Actor": {"ID": container, "Attributes": attributes},
            "timeNano": time_ns,
        }
        self._told.append(event)
        for sock in self._events:
            self._say(sock, event)

    def _say(self, sock: socket.socket, event: dict[str, Any]) -> None:
        """To who asked for it, by the name that this engine looks for."""
        action = event["Action"]
        if self.podman:
            if PODMANS.get(action, action) not in self._wanted[sock]:
                return
            event = {**event, "Action": PODMAN_TELLS.get(action, action)}
        sock.sendall(orjson.dumps(event) + b"\n")

    def _serve(self, sock: socket.socket, _address: object) -> None:
        if self._away:
            sock.close()
            return
        self._open.add(sock)
        try:
            kept = b""
            while True:
                while b"\r\n\r\n" not in kept:
                    more = sock.recv(65536)
                    if not more:
                        return
                    kept += more
                head, _, kept = kept.partition(b"\r\n\r\n")
                target, version = head.split(b"\r\n")[0].decode().split(" ")[1:]
                self.asked.append(target)
                self._answer(sock, target)
                if version == "HTTP/1.0":
                    return
        except OSError:
            pass
        finally:
            self._open.discard(sock)
            if sock in self._events:
                self._events.remove(sock)
            self._wanted.pop(sock, None)
            sock.close()

    def _answer(self, sock: socket.socket, target: str) -> None:
        parts = urlsplit(target)
        query = {k: v[0] for k, v in parse_qs(parts.query).items()}
        asked = parts.path.split("/")[1].removeprefix("v")
        if asked[:1].isdecimal() and not self.oldest_version <= asked <= self.version:
            old = f"client version {asked} is too old. Minimum supported API version is "
            new = f"client version {asked} is too new. Maximum supported API version is "
            said = old + self.oldest_version if asked < self.oldest_version else new + self.version
            self._json(sock, {"message": said}, b"400 Bad Request")
            return
        path = "/" + parts.path.split("/", 2)[2] if parts.path.startswith("/v1") else parts.path
        if _call(path) in self.mute:
            self.muted += 1
            raise ConnectionAbortedError
        if _call(path) in self.filtered:
            self._filtered(sock)
        elif path == "/version":
            name = "Podman Engine" if self.podman else "Engine"
            said = {"ApiVersion": self.version, "Version": "20.10", "Components": [{"Name": name}]}
            self._json(sock, said)
        elif path == "/containers/json":
            self._json(sock, [_listing(c) for c in self.containers.values()])
        elif path == "/events":
            self._head(sock)
            if "until" in query:
                return
            self.listens.wait()
            since = float(query.get("since", "inf"))
            self._wanted[sock] = set(orjson.loads(query["filters"])["event"])
            for event in self._told:
                if event["timeNano"] >= since * 1e9:
                    self._say(sock, event)
            if query.get("stream") == "false":
                return
            self._events.append(sock)
            while sock.recv(1):
                pass
        elif path == "/_ping":
            self._json(sock, "OK")
        elif self.unfound.get(about := (_call(path), path.split("/")[2]), 0) > 0:
            self.unfound[about] -= 1
            self._json(sock, {"message": "No such container"}, b"404 Not Found")
        elif path.endswith("/json"):
            self._inspection(sock, path.split("/")[2])
        elif path.endswith("/logs"):
            self._logs(sock, path.split("/")[2], query)

    def _inspection(self, sock: socket.socket, container: str) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        gevent.sleep(0.002)
        self.at_once -= 1
        if self.refused.get(container, 0) > 0:
            self.refused[container] -= 1
            self._json(sock, {"message": "no descriptor is free"}, b"500 Oh")
        elif container not in self.containers:
            self._json(sock, {"message": "No such container"}, b"404 Not Found")
        else:
            self._json(sock, self.containers[container])

    def _logs(self, sock: socket.socket, container: str, query: dict[str, str]) -> None:
        if container in self.unreadable:
            self._json(sock, {"message": self.unreadable[container]}, b"500 Oh")
            return
        since, until = _moment(query.get("since", "0")), _moment(query.get("until", "9999999999"))
        self._head(sock)
        lines, tty = self.logs[container], self.containers[container]["Config"]["Tty"]
        at = max(0, len(lines) - int(query["tail"])) if "tail" in query else 0
        while True:
            twice = self.again.pop(container, 0) if query["follow"] == "1" and at else 0
            first = max(0, at - twice)
            given, at = lines[first:], len(lines)  # more may come while it is sent
            jumped = self.jumps.get(container, range(0)) if query["follow"] == "1" else range(0)
            numbered = list(enumerate(given, first))
            twice_over = self.twice.get(container, range(0)) if query["follow"] == "1" else range(0)
            if numbered and twice_over and first <= twice_over[0] and twice_over[-1] < at:
                end = twice_over[-1] + 1 - first
                numbered[end:end] = numbered[twice_over[0] - first : end]
            for number, (time, text) in numbered:
                # As the engine does it, also of lines that come while it is followed.
                if since <= time <= until and number not in jumped:
                    shown = f"{time[:19]}Z" if self.whole_seconds else time
                    body = f"{shown} {text}".encode()
                    if len(text) != PART and not isinstance(text, Part):
                        body += b"\r\n" if tty else b"\n"
                    head = b"" if tty else struct.pack(">BxxxI", 1, len(body))
                    self._send(sock, head + body)
            if words := self.said.get(container):
                self._send(sock, struct.pack(">BxxxI", 3, len(words)) + words)
                return
            its = self.containers.get(container)
            ended = its is None or its["State"]["Status"] != "running"
            if query["follow"] == "0" or (ended and container not in self.deaf):
                if self.chunked:
                    sock.sendall(b"0\r\n\r\n")
                return
            if at == len(lines):
                self.changed.clear()
                self.changed.wait(1)

    def _send(self, sock: socket.socket, data: bytes) -> None:
        sock.sendall(b"%x\r\n%b\r\n" % (len(data), data) if self.chunked else data)

    def _head(self, sock: socket.socket) -> None:
        coding = b"Transfer-Encoding: chunked\r\n" if self.chunked else b""
        sock.sendall(b"HTTP/1.1 200 OK\r\n" + coding + b"\r\n")

    def _filtered(self, sock: socket.socket) -> None:
        """As HAProxy says it, which most socket proxies are."""
        body = b"<html><body><h1>403 Forbidden</h1>\nRequest forbidden by rules.\n</body></html>\n"
        sock.sendall(b"HTTP/1.0 403 Forbidden\r\nContent-Type: text/html\r\n\r\n" + body)

    def _json(self, sock: socket.socket, value: object, status: bytes = b"200 OK") -> None:
        body = orjson.dumps(value)
        head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        sock.sendall(head % (status, len(body)) + body)


def _moment(text: str) -> str:
    seconds, _, rest = text.partition(".")
    return format_time(int(seconds) * 10**9 + int(rest or 0))


def _call(path: str) -> str:
    """Which kind of call that is, by the names of ``domain.refusals``."""
    if path in ("/version", "/events"):
        return path[1:]
    if path == "/containers/json":
        return "list"
    return {"json": "inspect", "logs": "logs"}.get(path.rsplit("/", 1)[-1], "")


def _listing(inspected: dict[str, Any]) -> dict[str, Any]:
    return {
        "Id": inspected["Id"],
        "Names": [inspected["Name"]],
        "Image": "scripted",
        "ImageID": "sha256:0",
        "Created": parse_time(inspected["Created"]) // 10**9,
        "State": inspected["State"]["Status"],
        "Status": "",
        "Labels": inspected["Config"]["Labels"],
        "Ports": [],
    }
