"""An app and its instances, as the engine has them at one moment, and how they do.

``state`` is the engine's word for this instant. ``condition`` is what a person is told, decided
here and nowhere else: what is restarted again and again runs most of the time, and is not well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

# The state of an app is the first of these that one of its instances has.
STATES = ("running", "restarting", "paused", "created", "exited", "dead", "removing")

Condition = Literal[
    "running",
    "starting",
    "partial",
    "unhealthy",
    "restarting",
    "paused",
    "exited",
    "done",
    "failed",
    "dead",
    "created",
    "gone",
]
TROUBLE = frozenset({"unhealthy", "restarting", "failed", "dead"})  # somebody should look at it
# The condition of an app: the first of BAD that one of its instances is in; else whether all of
# them run, or some; else the first of DOWN.
BAD: tuple[Condition, ...] = ("unhealthy", "dead", "restarting")
DOWN: tuple[Condition, ...] = ("failed", "paused", "exited", "created", "done")
KILLED = 137  # exit code of what SIGKILL ended
TOLD_TO_STOP = frozenset({130, KILLED, 143})  # ended by SIGINT, SIGKILL, SIGTERM


def nothing_kept(log_driver: str) -> str | None:
    """Why a log of this driver can never be read; None where that is not known beforehand."""
    return "the log driver is none: nothing is kept" if log_driver == "none" else None


@dataclass(frozen=True, slots=True)
class Instance:
    """One container. Times are RFC 3339 in UTC with nine digits, or None when it never happened."""

    id: str  # 64 hex digits
    name: str
    app: str
    stack: str | None
    image: str
    image_id: str
    state: str  # running | exited | paused | restarting | created | dead | removing
    created: str
    health: str | None = None  # healthy | unhealthy | starting
    publishes: bool = False  # its ports, while it runs
    ports: tuple[str, ...] = ()  # "127.0.0.1:8080->80/tcp"; "80/tcp" when it is not published
    started_at: str | None = None
    finished_at: str | None = None
    restarts: int = 0
    exit_code: int | None = None
    error: str | None = None  # why the engine could not start it
    oom_killed: bool = False
    killed: bool = False  # by SIGKILL, and nobody had asked the engine to stop it
    completed: bool = False  # it ended with 0, by itself, and is not to be started again
    unsteady: bool = False  # restarted by the engine within the last minutes
    health_failures: int = 0  # checks in a row that failed
    health_output: str | None = None  # what the last one printed
    tty: bool = False
    log_driver: str = ""
    log_options: tuple[tuple[str, str], ...] = ()
    readable: bool = True  # whether the engine can read its log back
    unreadable_reason: str | None = None
    hidden: bool = False  # a helper of our own: no app, and nobody is shown it
    labelled: bool = False  # a label names its app, which no rename changes
    one_off: bool = False  # a task beside its service: ``docker compose run``, a release command
    job: bool = False  # what it is for says that it is to end
    restart_policy: str = ""  # "always", "on-failure", …; "" for none, and where nobody asked
    # Of a Swarm service, whose containers are never restarted, but replaced: the place of a task.
    slot: str = ""
    release: int = 0  # the number of the release that it is a container of; 0 for none
    last_exit: int | None = None  # with which code the run before this one ended by itself
    pid: int = 0  # of its first process, as numbered on the engine's machine; 0 while it has none
    cgroup_parent: str = ""  # below which its control group is; "" for the engine's usual one
    network_mode: str = ""  # "bridge", "host", "none", "container:ID", the name of a network
    metrics_port: str = ""  # as the label says where it exposes its own metrics; "" for nowhere
    metrics_path: str = ""  # the same of the path there; "" for the usual one
    inspected: bool = False  # False: known from a listing only, without times, TTY and driver

    @property
    def short(self) -> str:
        """The id as lines carry it: 12 hex digits."""
        return self.id[:12]

    @property
    def alive(self) -> bool:
        """Whether its process exists, so that its log can be followed."""
        return self.state in ("running", "paused")

    @property
    def condition(self) -> Condition:
        """How it does, in one word."""
        match self.state:
            case "running":
                if self.health == "unhealthy":
                    return "unhealthy"
                if self.unsteady:
                    return "restarting"
                return "starting" if self.health == "starting" else "running"
            case "restarting":
                return "restarting"
            case "paused":
                return "paused"
            case "dead":
                return "dead"
            case "created":
                # Tried, and refused: it never ran.
                return "failed" if self.error or self.exit_code else "created"
        if self.completed:
            return "done"
        if self.unsteady and self.slot:
            return "restarting"  # Swarm is about to put another one in its place
        told = self.exit_code in (None, 0) or self.exit_code in TOLD_TO_STOP
        return "exited" if told and not (self.oom_killed or self.killed) else "failed"

    @property
    def since(self) -> str | None:
        """Since when its process has been there, or has not."""
        return self.started_at if self.alive else self.finished_at

    def as_json(self) -> dict[str, object]:
        """As the API and the live socket show it."""
        return {
            "id": self.short,
            "name": self.name,
            "image": self.image,
            "image_id": self.image_id,
            "state": self.state,
            "condition": self.condition,
            "since": self.since,
            "error": self.error,
            "health": self.health,
            "health_failures": self.health_failures,
            "health_output": self.health_output,
            "ports": list(self.ports),
            "created": self.created,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "restarts": self.restarts,
            "exit_code": self.exit_code,
            "oom_killed": self.oom_killed,
            "tty": self.tty,
            "log_driver": self.log_driver,
            "readable": self.readable,
            "unreadable_reason": self.unreadable_reason,
            "one_off": self.one_off,
            "of_service": bool(self.slot),
            "last_exit": self.last_exit,
            "replaced": False,
        }


@dataclass(frozen=True, slots=True)
class App:
    """What a person deploys. Without instances it is known by its kept lines only."""

    name: str
    team: str = "default"
    instances: tuple[Instance, ...] = ()
    kind: str = "found"  # deployed | found (on the engine) | put (by a program)
    put_away: bool = False  # somebody wants it out of sight until it comes back

    @property
    def counted(self) -> tuple[Instance, ...]:
        """The instances that say how it does: one-off tasks say nothing of their service, unless
        there is nothing else; nor does one that another one has replaced, nor, of an app that was
        deployed, a container from before that."""
        newest = {one.slot: one.id for one in sorted(self.instances, key=lambda i: i.created)}
        current = tuple(i for i in self.instances if not i.slot or newest[i.slot] == i.id)
        if self.kind == "deployed":
            current = tuple(i for i in current if i.slot) or current
        its = tuple(instance for instance in current if not instance.one_off)
        return its or current

    @property
    def state(self) -> str:
        """running, restarting, paused, created, exited, dead, removing; "gone" without instances."""
        states = {instance.state for instance in self.counted}
        return next((state for state in STATES if state in states), "gone")

    @property
    def condition(self) -> Condition:
        """How it does, in one word; "partial" when some of its instances run."""
        found = {instance.condition for instance in self.counted}
        if not found:
            return "gone"
        for bad in BAD:
            if bad in found:
                return bad
        if self.running == len(self.counted):
            return "starting" if "starting" in found else "running"
        if self.running:
            return "partial"
        return next((down for down in DOWN if down in found), "exited")

    @property
    def trouble(self) -> bool:
        """Whether somebody should look at it: also where all the others run."""
        return any(instance.condition in TROUBLE for instance in self.counted)

    @property
    def running(self) -> int:
        """How many of its instances run as they should, or are about to."""
        return sum(i.condition in ("running", "starting") for i in self.counted)

    @property
    def since(self) -> str | None:
        """The newest start of what runs; where nothing does, the last end."""
        alive = [instance for instance in self.counted if instance.alive]
        times = [instance.since for instance in alive or self.counted]
        return max((time for time in times if time), default=None)

    @property
    def stack(self) -> str | None:
        return next((i.stack for i in self.instances if i.stack), None)

    def as_json(self, lines: Mapping[str, object] | None = None) -> dict[str, object]:
        """As the API and the live socket show it; ``lines`` says what is known of its log."""
        counted = {one.id for one in self.counted}
        return {
            "name": self.name,
            "team": self.team,
            "kind": self.kind,
            "put_away": self.put_away,
            "state": self.state,
            "condition": self.condition,
            "trouble": self.trouble,
            "running": self.running,
            "since": self.since,
            "up": any(instance.alive for instance in self.counted),
            "stack": self.stack,
            "instances": [
                {**one.as_json(), "replaced": bool(one.slot) and one.id not in counted}
                for one in self.instances
            ],
            "last_line": None,
            "first": 1,
            "next": 1,
            "rate": 0,
            **(lines or {}),
        }
