"""Why a release does not serve: what tasks, containers and the engine's words mean.

The engine says it in many ways: eight of thirteen faults end no container, five make none at all,
and a check that fails may end a container with the code 0. Swarm's own verdict is never asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

FailureClass = Literal[
    "image-not-found",
    "registry-refused",
    "registry-unreachable",
    "build-failed",
    "command-not-found",
    "exited",
    "unhealthy",
    "out-of-memory",
    "port-taken",
    "path-missing",
    "no-room",
    "release-command-failed",
    "disk-full",
    "engine-away",
    "timed-out",
]

ENDED = frozenset({"complete", "failed", "rejected", "shutdown", "orphaned", "remove"})
PENDING_FOR = 2.0  # seconds after which a task that no node takes is taken for one that never will

NOT_FOUND = 127
NOT_EXECUTABLE = 126


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong. ``said``: the engine's or the program's own words, one line of them;
    ``what``: the image, or the step of a build, that it is about; ``broke_off``: of what the step
    was refused, however long it took."""

    kind: FailureClass
    said: str = ""
    exit_code: int | None = None
    after: float | None = None  # seconds that it ran
    what: str = ""
    broke_off: bool = False


# What is said of each class; {app}, {said}, {exit_code}, {after} and {what} are filled in.
SENTENCES: Mapping[FailureClass, str] = {
    "image-not-found": "the image {what} does not exist: {said}. Check its name and tag.",
    "registry-refused": (
        "the registry refused to give {what}: {said}. Check the user and the password that are "
        "kept for it."
    ),
    "registry-unreachable": "the registry of {what} does not answer: {said}. Try again later.",
    "build-failed": "the build failed at {what}: {said}. The log above it says why.",
    "command-not-found": (
        "the command cannot be run in the image: {said}. Check the command and the entry point."
    ),
    "exited": "it exited with {exit_code} after {after}. Its last lines say why.",
    "unhealthy": (
        "it runs, but was not healthy in time: {said}. Check the port, the path and what it logs."
    ),
    "out-of-memory": (
        "it ran out of memory and was killed after {after}. Give it more, or find what takes it."
    ),
    "port-taken": "a port that it asks for is taken: {said}. Choose another, or end who has it.",
    "path-missing": "a path of the machine is missing: {said}. Make it, or correct the path.",
    "no-room": (
        "no machine has room for it: {said}. Ask for less memory or processor, or make room."
    ),
    "release-command-failed": (
        "the release command exited with {exit_code} after {after}; nothing was switched. Its "
        "lines above say why."
    ),
    "disk-full": "the disk is full: {said}. Make room, then deploy again.",
    "engine-away": "the Docker Engine does not answer: {said}. Start it, then deploy again.",
    "timed-out": "{what} took longer than it may: {said}.",
}

# The same where nobody knows how long it ran.
WITHOUT_TIME: Mapping[FailureClass, str] = {
    "exited": "it exited with {exit_code}. Its last lines say why.",
    "out-of-memory": "it ran out of memory and was killed. Give it more, or find what takes it.",
    "release-command-failed": (
        "the release command exited with {exit_code}; nothing was switched. Its lines above say why."
    ),
}

NOT_RUN = "it does not run: {said}."
ENDED_BY_ITSELF = (
    "it ended by itself after {after}, with 0, and an app is to go on running. If it has done its work "
    "then, as a migration has, say so: “restart: no”, or “job: true”."
)
ENDED_BY_ITSELF_SOMETIME = (
    "it ended by itself, with 0, and an app is to go on running. If it has done its work then, as a "
    "migration has, say so: “restart: no”, or “job: true”."
)
BROKE_OFF = "{what} could not be done: {said}."


def template_of(failure: Failure) -> str:
    """What is said of it, its facts in braces."""
    if failure.broke_off:
        return BROKE_OFF
    if failure.kind == "exited" and failure.exit_code is None and failure.said:
        return NOT_RUN  # it was refused before it had begun, or is gone with all that it ended with
    if failure.kind == "exited" and failure.exit_code == 0 and not failure.said:
        return ENDED_BY_ITSELF_SOMETIME if failure.after is None else ENDED_BY_ITSELF
    usual = SENTENCES[failure.kind]
    return WITHOUT_TIME.get(failure.kind, usual) if failure.after is None else usual


# In this order: the first that is met decides.
_PATTERNS: tuple[tuple[str, FailureClass], ...] = (
    (r"no space left on device|disk quota exceeded", "disk-full"),
    (r"bind source path does not exist", "path-missing"),
    (r"error while creating mount source path|not a directory: unknown", "path-missing"),
    (r"host-mode port already in use|port is already allocated", "port-taken"),
    (r"address already in use", "port-taken"),
    (r"insufficient resources|no suitable node", "no-room"),
    (r"executable file not found|no such file or directory: unknown", "command-not-found"),
    (r"exec: .*(no such file or directory|permission denied|is a directory)", "command-not-found"),
    (r"exec format error", "command-not-found"),
    (r"unauthorized|authentication required|denied|no basic auth|forbidden", "registry-refused"),
    (r"not found: manifest unknown|manifest unknown|manifest for .* not found", "image-not-found"),
    (r"no matching manifest|no such image|repository does not exist|name unknown|\bnot found\b", "image-not-found"),
    (r"invalid reference format|must be lowercase", "image-not-found"),
    (r"toomanyrequests|rate limit", "registry-refused"),
    (
        r"no such host|connection refused|i/o timeout|timeout|tls|x509|server misbehaving|"
        r"connection reset|\beof\b|network is unreachable|nothing came for",
        "registry-unreachable",
    ),
)  # fmt: skip
_WORDS = tuple((re.compile(words, re.IGNORECASE), kind) for words, kind in _PATTERNS)


def class_of_words(said: str) -> FailureClass | None:
    """The class that the engine's own words stand for; None where they say nothing known."""
    return next((kind for words, kind in _WORDS if words.search(said)), None)


# "listen tcp4 0.0.0.0:80: bind: address already in use" (up to 27), "failed to bind host port for
# 0.0.0.0:80:172.18.0.3:80/tcp: address already in use" (28), "Bind for 0.0.0.0:80 failed: port is
# already allocated" (to another container).
_TAKEN = re.compile(
    r"(?:listen (?:tcp|udp|sctp)[46]?|host port(?: for)?|[Bb]ind for) (?:[\d.]+|\[[^\]]*\]|::|):(\d+)\b"
    r".{0,80}(?:address already in use|already allocated)"
)


def taken_port(said: str) -> int | None:
    """The port that somebody else has, where the engine's words say that and which."""
    found = _TAKEN.search(said)
    return int(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class Task:
    """One task of a service, as ``GET /tasks`` tells of it."""

    id: str
    slot: str  # of a replicated service; one slot has the task that lives and those before
    state: str
    wanted: str  # the state that Swarm wants: "running", "shutdown", …
    error: str = ""
    exit_code: int | None = None
    container: str = ""  # 64 hex digits; "" while there is none
    address: str = ""  # on the overlay, without the prefix length
    since: str = ""  # of its state, RFC 3339
    addresses: tuple[str, ...] = ()  # on all overlays

    @classmethod
    def of(cls, told: Mapping[str, Any], network: str = "") -> Task:
        """From the engine's JSON; ``network``: the id of the overlay whose address is wanted."""
        status = told.get("Status") or {}
        its = status.get("ContainerStatus") or {}
        container = str(its.get("ContainerID") or "")
        code = its.get("ExitCode")
        by_network: dict[str, str] = {}
        for one in told.get("NetworksAttachments") or ():
            if given := one.get("Addresses"):
                id = str((one.get("Network") or {}).get("ID") or "")
                by_network[id] = str(given[0]).partition("/")[0]
        addresses = tuple(by_network.values())
        address = by_network.get(network, "") if network else next(iter(addresses), "")
        return cls(
            id=str(told.get("ID") or ""),
            slot=str(told.get("Slot") or told.get("NodeID") or ""),
            state=str(status.get("State") or ""),
            wanted=str(told.get("DesiredState") or ""),
            error=str(status.get("Err") or ""),
            exit_code=int(code) if isinstance(code, int) and container else None,
            container=container,
            address=address,
            since=str(status.get("Timestamp") or ""),
            addresses=addresses,
        )

    @property
    def ended(self) -> bool:
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class Ended:
    """How a container ended, or that its check failed: what an inspection and events tell."""

    exit_code: int = 0
    oom_killed: bool = False
    unhealthy: bool = False
    output: str = ""  # of the last check
    error: str = ""  # why the engine could not start it
    ran: float | None = None  # seconds


def failure_of_task(
    task: Task, ended: Ended | None = None, waited: float = 0.0, *, one_off: bool = False
) -> Failure | None:
    """Whether a task says that its release will not serve, and why.

    ``ended``: of its container, where it has one; ``waited``: seconds since the task was made;
    ``one_off``: it is to end with 0. A task that went because the engine was restarted or somebody
    stopped it says nothing of its release.
    """
    if ended is not None and (ended.oom_killed or ended.unhealthy):
        return failure_of_end(ended)
    if task.state in ("new", "allocated", "pending"):
        if task.error and waited >= PENDING_FOR:
            return Failure(class_of_words(task.error) or "no-room", task.error)
        return None
    if task.state == "rejected":
        return Failure(class_of_words(task.error) or "exited", task.error, task.exit_code)
    if task.state not in ("failed", "complete"):
        return None
    if _lost(task.error):
        return None
    if ended is not None and not ended.error:
        return None if one_off and ended.exit_code == 0 else failure_of_end(ended)
    said = task.error or (ended.error if ended else "")
    kind = class_of_words(said)
    if kind in ("port-taken", "path-missing", "disk-full", "command-not-found"):
        return Failure(kind, said, task.exit_code)
    if task.exit_code in (NOT_FOUND, NOT_EXECUTABLE) and "starting container failed" in said:
        return Failure("command-not-found", said, task.exit_code)
    if "unhealthy container" in said:
        return Failure("unhealthy", said, task.exit_code)
    if task.state == "complete" and one_off:
        return None
    # One that was never started has no code to have ended with.
    return Failure("exited", said, task.exit_code if task.exit_code is not None or said else 0)


def failure_of_end(ended: Ended) -> Failure:
    """Why a container that ended, or whose check fails, does not serve."""
    if ended.oom_killed:
        return Failure("out-of-memory", "", ended.exit_code, ended.ran)
    if ended.unhealthy:
        return Failure(
            "unhealthy", _line(ended.output) or "its health check fails", None, ended.ran
        )
    if ended.error and (kind := class_of_words(ended.error)):
        return Failure(kind, ended.error, ended.exit_code)
    return Failure("exited", _line(ended.error), ended.exit_code, ended.ran)


def failure_of_pull(said: str, status: int = 0) -> Failure:
    """Why an image could not be fetched, by what the engine says and its HTTP status."""
    kind = class_of_words(said)
    if kind not in ("disk-full", "registry-refused", "image-not-found", "registry-unreachable"):
        kind = "image-not-found" if status == 404 else "registry-unreachable"
    # A registry that hides what one may not see says both in one sentence: without credentials
    # nobody can tell, and the name is what a person can look at first.
    if "repository does not exist or may require" in said:
        kind = "image-not-found"
    return Failure(kind, _line(said))


def worst(failures: Iterable[Failure | None]) -> Failure | None:
    """Of several the one that explains most: what the engine refused before what only ended."""
    rank = {"out-of-memory": 0, "command-not-found": 1, "unhealthy": 3, "exited": 4}
    found = [failure for failure in failures if failure is not None]
    return min(found, key=lambda failure: rank.get(failure.kind, 2), default=None)


def _lost(error: str) -> bool:
    """Whether a task went with its engine, and not by its own doing."""
    return "No such container" in error or "context canceled" in error or "agent" in error.lower()


def _line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:500] if lines else ""
