"""Typed calls to the engine: what there is, what happened, what was logged."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

import docker
import gevent
import orjson
import requests
from docker.tls import TLSConfig
from gevent import ssl
from gevent.lock import BoundedSemaphore

from cloudbang.config import EngineSettings
from cloudbang.domain.apps import Instance
from cloudbang.domain.lines import format_time, parse_time
from cloudbang.domain.names import app_name
from cloudbang.engine.parse import instance_of_inspect, instance_of_listing
from cloudbang.engine.stream import Address, EngineStream
from cloudbang.errors import EngineRefused, EngineUnreachable, LogUnreadable, NoSuchContainer

T = TypeVar("T")

# Everything that changes what a page shows. Left out are the exec events that each health check
# makes: thousands an hour that change nothing.
EVENTS = [
    *("create", "start", "restart", "die", "oom", "kill", "health_status"),
    *("pause", "unpause", "rename", "update", "destroy"),
]


@dataclass(frozen=True, slots=True)
class EngineEvent:
    """One event of a container, as the engine told it."""

    action: str  # "start", "die", "health_status: healthy", …
    container: str  # 64 hex digits
    time_ns: int
    attributes: Mapping[str, str]  # labels, "name", "image", "exitCode", "signal", …

    @property
    def time(self) -> str:
        return format_time(self.time_ns)

    @property
    def app(self) -> str:
        """The app of the container, also when the engine has it no more."""
        return app_name(self.attributes, self.attributes.get("name", self.container[:12]))


class Engine:
    """One Docker Engine. Every call raises EngineUnreachable when it does not answer."""

    def __init__(
        self,
        settings: EngineSettings = EngineSettings(),  # noqa: B008 - a frozen value
        *,
        timeout: float = 15.0,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.host = host = settings.host
        self.timeout = timeout
        self._tls = _tls(environ) if not host.startswith("unix:") else None
        self._api: docker.APIClient | None = None
        self._connecting = BoundedSemaphore(1)

    # --- what there is ------------------------------------------------------------------------

    def ping(self) -> None:
        self._ask("ping", lambda api: api.ping())

    def version(self) -> dict[str, Any]:
        return dict(self._ask("version", lambda api: api.version()))

    def info(self) -> dict[str, Any]:
        return dict(self._ask("info", lambda api: api.info()))

    def clock_skew(self) -> float:
        """Seconds by which the engine's clock is ahead of ours."""
        before = time.time()
        theirs = str(self.info()["SystemTime"])
        return parse_time(theirs) / 1e9 - (before + time.time()) / 2

    def containers(self) -> list[Instance]:
        """Every container, with what one listing tells (``inspected`` is False)."""
        listing = self._ask("listing its containers", lambda api: api.containers(all=True))
        return [instance_of_listing(entry) for entry in listing]

    def inspect(self, container: str) -> Instance:
        """All that is known of one container. Raises NoSuchContainer."""
        # By hand, because it is asked after every event and for every container at the start: an
        # eighth of what it costs with the SDK.
        try:
            stream = self._open(f"/containers/{container}/json", {})
        except EngineRefused as e:
            if e.engine_status == 404:
                raise NoSuchContainer(container[:12]) from None
            raise
        try:
            with gevent.Timeout(self.timeout, EngineUnreachable(self.host, "it does not answer")):
                found = orjson.loads(stream.read_all())
        except orjson.JSONDecodeError:
            raise EngineUnreachable(self.host, "it ended within an answer") from None
        finally:
            stream.close()
        return instance_of_inspect(found)

    # --- what happened ------------------------------------------------------------------------

    def past_events(self, since_ns: int, until_ns: int) -> list[EngineEvent]:
        """The engine's memory of that time: its last 256 events at most, oldest first."""
        stream = self._events({"since": _moment(since_ns), "until": _moment(until_ns)})
        try:
            return [_event(line) for line in stream.read_all().splitlines() if line.strip()]
        finally:
            stream.close()

    def events(self) -> EngineEvents:
        """Events from now on. Close it."""
        return EngineEvents(self._events({}))

    def _events(self, query: dict[str, str]) -> EngineStream:
        filters = orjson.dumps({"type": ["container"], "event": EVENTS}).decode()
        return self._open("/events", query | {"filters": filters})

    # --- what was logged ----------------------------------------------------------------------

    def logs(
        self,
        container: str,
        *,
        follow: bool,
        since_ns: int = 0,
        until_ns: int = 0,
        tail: int | None = None,
    ) -> EngineStream:
        """The log, each line with its time. ``since_ns`` and ``until_ns`` are inclusive; ``tail``
        counts the engine's parts of lines. Raises NoSuchContainer, LogUnreadable.
        """
        query = {"stdout": "1", "stderr": "1", "timestamps": "1", "follow": "01"[follow]}
        if since_ns > 0:
            query["since"] = _moment(since_ns)
        if until_ns > 0:
            query["until"] = _moment(until_ns)
        if tail is not None:
            query["tail"] = str(tail)
        try:
            return self._open(f"/containers/{container}/logs", query)
        except EngineRefused as e:
            # 409: it is being removed, and what it logged goes with it.
            if e.engine_status in (404, 409):
                raise NoSuchContainer(container[:12]) from None
            if e.engine_status == 501 or "does not support reading" in e.reason:
                raise LogUnreadable(container[:12], e.reason) from None
            raise

    # --- how it is asked ----------------------------------------------------------------------

    def close(self) -> None:
        if self._api is not None:
            self._api.close()
            self._api = None

    def _open(self, path: str, query: Mapping[str, str]) -> EngineStream:
        version = self._connected().api_version
        stream = EngineStream(
            Address(self.host, self._tls), f"/v{version}{path}?{urlencode(query)}", self.timeout
        )
        if stream.status == 200:
            return stream
        try:
            raise EngineRefused(f"GET {path}", stream.status, stream.error())
        finally:
            stream.close()

    def _connected(self) -> docker.APIClient:
        with self._connecting:
            if self._api is None:
                self._api = self._call("its version", self._client)
            return self._api

    def _client(self) -> docker.APIClient:
        tls: Any = False
        if self._tls is not None:
            folder = os.environ.get("DOCKER_CERT_PATH", os.path.expanduser("~/.docker"))
            tls = TLSConfig(
                client_cert=(f"{folder}/cert.pem", f"{folder}/key.pem"),
                ca_cert=f"{folder}/ca.pem",
                verify=True,
            )
        return docker.APIClient(
            base_url=self.host, version="auto", timeout=int(self.timeout), tls=tls, num_pools=4
        )

    def _ask(self, what: str, call: Callable[[docker.APIClient], T]) -> T:
        api = self._connected()
        try:
            return self._call(what, lambda: call(api))
        except EngineUnreachable:
            # Kept connections die with the engine: a fresh one tells whether it is back.
            return self._call(what, lambda: call(api))

    def _call(self, what: str, call: Callable[[], T]) -> T:
        try:
            return call()
        except docker.errors.APIError as e:
            status = e.status_code or 0
            raise EngineRefused(what, status, str(e.explanation or e)) from None
        except (docker.errors.DockerException, requests.RequestException, OSError) as e:
            raise EngineUnreachable(self.host, _innermost(e)) from None


class EngineEvents:
    """Events as they happen."""

    def __init__(self, stream: EngineStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[EngineEvent]:
        """Each event; ends when the engine ends the stream."""
        rest = b""
        while data := self._stream.read():
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                if line.strip():
                    yield _event(line)

    def close(self) -> None:
        self._stream.close()


def _event(line: bytes) -> EngineEvent:
    told = orjson.loads(line)
    actor = told.get("Actor") or {}
    return EngineEvent(
        action=told.get("Action") or told.get("status") or "",
        container=actor.get("ID") or told.get("id") or "",
        time_ns=int(told.get("timeNano") or int(told.get("time", 0)) * 10**9),
        attributes=actor.get("Attributes") or {},
    )


def _moment(ns: int) -> str:
    return f"{ns // 10**9}.{ns % 10**9:09d}"


def _innermost(error: BaseException) -> str:
    """The cause that says something: "No such file or directory" rather than a chain of names."""
    seen: BaseException = error
    for _ in range(10):
        inner = seen.__cause__ or seen.__context__
        inner = inner or next((a for a in seen.args if isinstance(a, BaseException)), None)
        if inner is None:
            break
        seen = inner
    if isinstance(seen, OSError) and seen.strerror:
        return seen.strerror
    return str(seen) or type(seen).__name__


def _tls(environ: Mapping[str, str]) -> ssl.SSLContext | None:
    """As the Docker CLI decides it: DOCKER_TLS_VERIFY, with the certificates of DOCKER_CERT_PATH."""
    if not environ.get("DOCKER_TLS_VERIFY"):
        return None
    folder = environ.get("DOCKER_CERT_PATH") or os.path.expanduser("~/.docker")
    context = ssl.create_default_context(cafile=f"{folder}/ca.pem")
    context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
    return context
