"""The parts of a specification: how an app is built, reached, checked, and what it is given."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from cloudbang.domain.deploy.fields import Fields, SpecInvalid

WITHIN = 30.0  # seconds in which an app has to be healthy
PORTS = range(1, 65536)
DAY = 86400.0
VARIABLE_ALLOWED = "the name of a variable (no = and no blank in front)"
VARIABLE = re.compile(r"[^=\0\s][^=\0]{0,255}")
HOST = re.compile(
    r"(?=.{1,253}$)(\*\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
)
URL_PATH = re.compile(r"/[^\s?#\0{}*\\]{0,1023}")
HEALTH_PATH = re.compile(r"/[^\s\0#]{0,1023}")
IN_CONTAINER = re.compile(r"/(?!\.\.(?:/|$))(?:(?!/\.\.(?:/|$))[^\0:,])*")
VOLUME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
BRANCH = re.compile(r"(?!-)(?!.*\.\.)[^\s\0~^:?*\[\\]{1,250}")
FOLDER = re.compile(r"(?!/)(?!.*(?:^|/)\.\.(?:/|$))[^\0\\]{1,1000}")


def plain(number: float) -> float:
    return int(number) if number == int(number) else number


@dataclass(frozen=True, slots=True)
class Build:
    """Where an image is built from: a Git address, or a folder that was uploaded."""

    git: str = ""
    branch: str = ""
    folder: str = "."
    dockerfile: str = "Dockerfile"
    recipe: str = ""  # the text of a Dockerfile, where the source has none
    target: str = ""
    args: tuple[tuple[str, str], ...] = ()

    @classmethod
    def read(cls, its: Fields) -> Build:
        folder = "a folder within the source"
        found = cls(
            git=its.text("git"),
            branch=its.text("branch", fits=BRANCH, allowed="the name of a branch or tag"),
            folder=its.text("folder", ".", fits=FOLDER, allowed=folder),
            dockerfile=its.text("dockerfile", "Dockerfile", fits=FOLDER, allowed=folder),
            recipe=its.text("recipe"),
            target=its.text("target"),
            args=its.pairs("args", fits=VARIABLE, allowed=VARIABLE_ALLOWED),
        )
        its.end()
        return found


@dataclass(frozen=True, slots=True)
class Route:
    """Where requests come from: a domain (or none: `<app>.localhost` and a port), and a path."""

    host: str = ""
    path: str = "/"

    @classmethod
    def read(cls, its: Fields) -> Route:
        host = its.text("host").lower().rstrip(".")
        if host and not HOST.fullmatch(host):
            raise SpecInvalid(its.at("host"), 'a domain, such as "web.example.com"', host)
        path = its.text("path", "/", fits=URL_PATH, allowed='a path, such as "/" or "/api"')
        its.end()
        return cls(host, path)


@dataclass(frozen=True, slots=True)
class Health:
    """How it is found out that an instance serves. ``kind`` "" is none of them: whether its port
    answers, or whether it has run for 10 s."""

    kind: Literal["", "http", "tcp", "command"] = ""
    http: str = ""  # the path that has to answer with 2xx or 3xx
    command: tuple[str, ...] = ()
    port: int = 0  # another than the app's
    within: float = WITHIN
    interval: float = 2.0
    timeout: float = 0.0  # of one try; 0: ``patience``
    retries: int = 0  # of a command: tries in a row that have to fail; 0: three
    disabled: bool = False  # the image's own check is not run

    @property
    def patience(self) -> float:
        """Seconds that one try of a command may take."""
        return self.timeout or max(self.interval, 5.0)

    @property
    def start_period(self) -> float:
        """Seconds in which the engine counts no failed try of a command. Where the tries are said,
        they are within the time that it has, as in Docker."""
        return max(0.0, self.within - self.retries * self.interval)

    @classmethod
    def read(cls, its: Fields) -> Health:
        disabled = its.flag("disabled")
        given = [kind for kind in ("http", "tcp", "command") if its.has(kind)]
        if len(given) + disabled > 1:
            allowed = "disabled and a check" if disabled else "http, tcp and command"
            raise SpecInvalid(its.path, allowed, rule="both")
        kind = given[0] if given else ""
        http = its.text("http", fits=HEALTH_PATH, allowed='a path, such as "/healthz"')
        port = its.whole("port", 0, PORTS) or 0
        if kind == "tcp":
            tcp = its.take("tcp")
            if tcp is not True:
                named = Fields({"tcp": tcp}, its.path)
                port = named.whole("tcp", 0, PORTS) or 0
        found = cls(
            kind=kind,  # type: ignore[arg-type]
            http=http,
            command=its.words("command"),
            port=port,
            within=its.seconds("within", WITHIN, 1, DAY),
            interval=its.seconds("interval", 2.0, 0.5, 3600),
            timeout=its.seconds("timeout", 0.0, 0, 3600),
            retries=its.whole("retries", 0, range(1001)) or 0,
            disabled=disabled,
        )
        its.end()
        return found

    def as_json(self) -> dict[str, object]:
        told: dict[str, object] = {}
        if self.kind == "http":
            told["http"] = self.http
        elif self.kind == "tcp":
            told["tcp"] = self.port or True
        elif self.kind == "command":
            told["command"] = list(self.command)
        if self.port and self.kind != "tcp":
            told["port"] = self.port
        if self.within != WITHIN:
            told["within"] = plain(self.within)
        if self.interval != 2.0:
            told["interval"] = plain(self.interval)
        if self.timeout:
            told["timeout"] = plain(self.timeout)
        if self.retries:
            told["retries"] = self.retries
        if self.disabled:
            told["disabled"] = True
        return told


@dataclass(frozen=True, slots=True)
class Mount:
    """Something at a path of the container: a volume by its name, or a path of the host."""

    path: str
    name: str = ""
    source: str = ""
    read_only: bool = False
    shared: bool = False  # several instances may use the volume at once

    @classmethod
    def read(cls, its: Fields) -> Mount:
        if its.has("name") and its.has("source"):
            raise SpecInvalid(its.path, "name and source", rule="both")
        in_container = its.text("path", fits=IN_CONTAINER, allowed="a path from / on, without ..")
        if not in_container:
            raise SpecInvalid(its.at("path"), rule="missing")
        found = cls(
            path=in_container,
            name=its.text("name", fits=VOLUME, allowed="the name of a volume"),
            source=its.text("source", fits=IN_CONTAINER, allowed="a path of the host from / on"),
            read_only=its.flag("read_only"),
            shared=its.flag("shared"),
        )
        its.end()
        if not (found.name or found.source):
            raise SpecInvalid(its.at("name"), rule="missing")
        return found


@dataclass(frozen=True, slots=True)
class Tmpfs:
    """A file system in memory. ``size`` in bytes, 0 for as much as there is; ``mode`` 0 for the
    engine's, 1777."""

    path: str
    size: int = 0
    mode: int = 0

    @classmethod
    def read(cls, its: Fields) -> Tmpfs:
        path = its.text("path", fits=IN_CONTAINER, allowed="a path from / on, without ..")
        if not path:
            raise SpecInvalid(its.at("path"), rule="missing")
        found = cls(path, its.bytes("size") or 0, its.mode("mode", 0, 0o7777))
        its.end()
        return found

    def as_json(self) -> object:
        """Its path where nothing else is said."""
        told = {"size": self.size, "mode": self.mode}
        more = {name: amount for name, amount in told.items() if amount}
        return {"path": self.path, **more} if more else self.path


@dataclass(frozen=True, slots=True)
class PublishedPort:
    """A port of the machine, on all its addresses, that leads to one of the app."""

    published: int
    target: int
    protocol: Literal["tcp", "udp", "sctp"] = "tcp"

    @classmethod
    def read(cls, its: Fields) -> PublishedPort:
        target = its.whole("target", None, PORTS)
        if target is None:
            raise SpecInvalid(its.at("target"), rule="missing")
        protocol = its.text("protocol", "tcp")
        if protocol not in ("tcp", "udp", "sctp"):
            raise SpecInvalid(its.at("protocol"), "tcp, udp or sctp", protocol)
        published = its.whole("published", target, PORTS) or target
        its.end()
        return cls(published, target, protocol)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class File:
    """A small file that is put into the container, as Compose's configs are. ``uid``, ``gid``: whose it
    is there."""

    path: str
    content: str
    mode: int = 0o444
    uid: int = 0
    gid: int = 0

    @classmethod
    def read(cls, its: Fields) -> File:
        path = its.text("path", fits=IN_CONTAINER, allowed="a path from / on, without ..")
        if not path:
            raise SpecInvalid(its.at("path"), rule="missing")
        uid, gid = (its.whole(key, 0, range(2**32 - 1)) or 0 for key in ("uid", "gid"))
        found = cls(path, its.text("content"), its.mode("mode", 0o444, 0o777), uid, gid)
        its.end()
        return found


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit on what a process may use, as of setrlimit(2); -1 is none."""

    name: str
    soft: int
    hard: int

    @classmethod
    def read(cls, its: Fields) -> Limit:
        among = range(-1, 2**63)
        name = its.text("name", fits=re.compile(r"[a-z]{2,20}"), allowed="such as nofile")
        soft = its.whole("soft", None, among)
        if not name or soft is None:
            raise SpecInvalid(its.at("name" if not name else "soft"), rule="missing")
        hard = its.whole("hard", soft, among)
        its.end()
        return cls(name, soft, soft if hard is None else hard)
