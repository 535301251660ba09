"""Typed calls to the engine: what there is, what happened, what was logged."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson
from gevent import get_hub

from cloudbang.core.threads import in_thread
from cloudbang.domain.apps import Instance
from cloudbang.domain.lines import format_time, parse_time
from cloudbang.domain.names import app_name, is_hidden, is_labelled
from cloudbang.engine.containers import ContainerCalls
from cloudbang.engine.disk import DiskCalls
from cloudbang.engine.exec import ExecCalls
from cloudbang.engine.image_import import ImageImportCalls
from cloudbang.engine.kernel_log import says_out_of_memory
from cloudbang.engine.lifecycle import LifecycleCalls
from cloudbang.engine.parse import (
    ContainerState,
    container_state,
    instance_of_inspect,
    instance_of_listing,
)
from cloudbang.engine.stream import EngineStream
from cloudbang.engine.swarm import SwarmCalls
from cloudbang.errors import EngineRefused, LogUnreadable, NoSuchContainer

# Everything that changes what a page shows. Left out are the exec events that each health check
# makes: thousands an hour that change nothing.
EVENTS = [
    *("create", "start", "restart", "die", "oom", "kill", "stop", "health_status"),
    *("pause", "unpause", "rename", "update", "destroy"),
]
# Podman looks for its own names, and tells of some by Docker's. It has no signal in a "kill", and
# none at all before a "stop".
PODMANS = {"died": "die", "remove": "destroy"}
LAST = 256  # events that Docker remembers
A_WHILE_NS = 600 * 10**9  # before an end of which more is asked
_UNREADABLE = ("does not support reading", "cannot read logs")  # as Docker and Podman say it


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

    def app(self, label: str = "") -> str:
        """The app of the container, also when the engine has it no more. ``label``: as of
        ``app_name``."""
        return app_name(self.attributes, self.attributes.get("name", self.container[:12]), label)

    def labelled(self, label: str = "") -> bool:
        """Whether a label names the app."""
        return is_labelled(self.attributes, label)

    @property
    def name(self) -> str:
        """What the container was called when it happened; of a rename, before it."""
        name = self.attributes.get("oldName") or self.attributes.get("name", "")
        return name.lstrip("/")

    @property
    def hidden(self) -> bool:
        """Whether it is of a container that is no app."""
        return is_hidden(self.attributes)

    @property
    def tells_labels(self) -> bool:
        """Whether the labels of the container are among the attributes. Podman 4 leaves them out."""
        return "podId" not in self.attributes or not self.attributes.keys() <= _PODMANS_ATTRIBUTES


_PODMANS_ATTRIBUTES = {"containerExitCode", "exitCode", "image", "name", "podId"}


class Engine(
    ExecCalls,
    ContainerCalls,
    ImageImportCalls,
    LifecycleCalls,
    SwarmCalls,
    DiskCalls,
):
    """One Docker Engine. Every call raises EngineUnreachable when it does not answer."""

    # --- what there is ------------------------------------------------------------------------

    def ping(self, within: float = 10.0) -> None:
        """Whether it is there: one that does not answer in ``within`` seconds is not."""
        # By hand and without a version: what is asked for is any answer.
        with suppress(EngineRefused):
            self._answer("/_ping", timeout=within, what="ping", call="").close()

    @property
    def is_remote(self) -> bool:
        """Whether it may vanish without a word, with all its connections."""
        return not self.host.startswith("unix:")

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
        return [instance_of_listing(entry, self.app_label) for entry in self._listing()]

    def states(self) -> dict[str, str]:
        """By id the state of every container of an app: for whoever asks again and again. Of
        thousands, what :meth:`containers` makes would hold the loop for longer than the answer."""
        return {
            str(entry["Id"]): str(entry.get("State", ""))
            for entry in self._listing()
            if not is_hidden(entry.get("Labels") or {})
        }

    def _listing(self) -> list[dict[str, Any]]:
        # By hand, because every start asks it: the SDK would be loaded for it and stay.
        found = self._json("/containers/json", {"all": "1"}, what="its containers", call="list")
        return list(found)

    def inspect(self, container: str) -> Instance:
        """All that is known of one container. Raises NoSuchContainer."""
        return instance_of_inspect(self._inspected(container), self.app_label)

    def container_state(self, container: str) -> ContainerState:
        """What a terminal has to know of a container. Raises NoSuchContainer."""
        return container_state(self._inspected(container))

    def _inspected(self, container: str) -> dict[str, Any]:
        # By hand, because it is asked after every event and for every container at the start.
        try:
            path = f"/containers/{quote(container, safe='')}/json"
            what = f"the state of container {container[:12]}"
            return dict(self._json(path, what=what, call="inspect"))
        except EngineRefused as e:
            if e.engine_status == 404:
                raise NoSuchContainer(container[:12]) from None
            raise

    def stats(self, container: str, within: float) -> dict[str, Any]:
        """What it uses now, in the engine's words. One reading: an engine older than API 1.41 makes
        two of it and takes a second for that. Raises EngineRefused."""
        query = {"stream": "false"} | ({"one-shot": "true"} if self.speaks("1.41") else {})
        path = f"/containers/{quote(container, safe='')}/stats"
        what = f"what container {container[:12]} uses"
        return dict(self._json(path, query, what=what, call="stats", within=within))

    # --- what happened ------------------------------------------------------------------------

    def past_events(self, since_ns: int, until_ns: int) -> list[EngineEvent]:
        """The engine's memory of that time: its last 256 events at most, oldest first."""
        query = {"since": _moment(since_ns), "until": _moment(until_ns)}
        if self.is_podman:  # it gives nothing until a moment that is over, and never forgets
            query = {"since": query["since"], "stream": "false"}
        stream = self._events(query)
        try:
            lines = [line for line in stream.read_all().splitlines() if line.strip()]
        finally:
            stream.close()
        return [told for line in lines[-LAST:] if (told := _event(line)).time_ns <= until_ns]

    def told_of_memory(self, container: str) -> bool:
        """Whether a container that was killed was so because its memory ran out, by what was told
        beside its end: its inspection may not know, and never learns of it. What comes late is not
        there at once. Raises EngineRefused, EngineUnreachable."""
        if not self.is_remote and in_thread(get_hub().threadpool, says_out_of_memory, container):
            return True
        now = time.time_ns()
        told = self.past_events(now - A_WHILE_NS, now)
        return any(event.action == "oom" and event.container == container for event in told)

    def events(self, since_ns: int) -> EngineEvents:
        """Events from that time on, a moment ago. Close it. Whoever connects anew may have met
        another engine.

        Not "from now on": an engine answers before it listens itself, and on a busy machine what
        happens between the two would be told to nobody.
        """
        self.close()
        return EngineEvents(self._events({"since": _moment(since_ns)}))

    def presence(self) -> EngineStream:
        """A connection that ends when this engine does, however soon another one is there. What comes
        on it says nothing. Close it."""
        filters = orjson.dumps({"type": ["daemon"]}).decode()
        query = {"since": _moment(time.time_ns()), "filters": filters}
        return self._open("/events", query, what="its events", call="events")

    def _events(self, query: dict[str, str]) -> EngineStream:
        asked = [*EVENTS, *PODMANS] if self.is_podman else EVENTS
        filters = orjson.dumps({"type": ["container"], "event": asked}).decode()
        return self._open("/events", query | {"filters": filters}, what="its events", call="events")

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
            what = f"the log of container {container[:12]}"
            return self._open(f"/containers/{container}/logs", query, what=what, call="logs")
        except EngineRefused as e:
            # 409: it is being removed, and what it logged goes with it.
            if e.engine_status in (404, 409):
                raise NoSuchContainer(container[:12]) from None
            if e.engine_status == 501 or any(said in e.reason for said in _UNREADABLE):
                raise LogUnreadable(container[:12], e.reason) from None
            raise


class EngineEvents:
    """Events as they happen."""

    def __init__(self, stream: EngineStream) -> None:
        self._stream = stream
        self._given_up = False

    def __iter__(self) -> Iterator[EngineEvent]:
        """Each event; ends when the engine ends the stream, or it was given up."""
        rest = b""
        while not self._given_up and (data := self._stream.read_now()) != b"":
            if data is None:
                self._stream.wait()
                continue
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                if line.strip():
                    yield _event(line)

    def give_up(self) -> None:
        """End it under whoever reads."""
        self._given_up = True
        self._stream.wake()

    def close(self) -> None:
        self._stream.close()


def _event(line: bytes) -> EngineEvent:
    told = orjson.loads(line)
    actor = told.get("Actor") or {}
    action = told.get("Action") or told.get("status") or ""
    if action == "health_status" and told.get("HealthStatus"):  # Podman
        action = f"{action}: {told['HealthStatus']}"
    return EngineEvent(
        action=PODMANS.get(action, action),
        container=actor.get("ID") or told.get("id") or "",
        time_ns=int(told.get("timeNano") or int(told.get("time", 0)) * 10**9),
        attributes=actor.get("Attributes") or {},
    )


def _moment(ns: int) -> str:
    return f"{ns // 10**9}.{ns % 10**9:09d}"
