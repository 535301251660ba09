"""An app and its instances, as the engine has them at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# The state of an app is the first of these that one of its instances has.
STATES = ("running", "restarting", "paused", "created", "exited", "dead", "removing")


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
    ports: tuple[str, ...] = ()  # "127.0.0.1:8080->80/tcp"; "80/tcp" when it is not published
    started_at: str | None = None
    finished_at: str | None = None
    restarts: int = 0
    exit_code: int | None = None
    oom_killed: bool = False
    tty: bool = False
    log_driver: str = ""
    log_options: tuple[tuple[str, str], ...] = ()
    readable: bool = True  # whether the engine can read its log back
    unreadable_reason: str | None = None
    hidden: bool = False  # a helper of our own: no app, and nobody is shown it
    inspected: bool = False  # False: known from a listing only, without times, TTY and driver

    @property
    def short(self) -> str:
        """The id as lines carry it: 12 hex digits."""
        return self.id[:12]

    @property
    def alive(self) -> bool:
        """Whether its process exists, so that its log can be followed."""
        return self.state in ("running", "paused")

    def as_json(self) -> dict[str, object]:
        """As the API and the live socket show it."""
        return {
            "id": self.short,
            "name": self.name,
            "image": self.image,
            "image_id": self.image_id,
            "state": self.state,
            "health": self.health,
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
    def state(self) -> str:
        """running, restarting, paused, created, exited, dead, removing; "gone" without instances."""
        states = {instance.state for instance in self.instances}
        return next((state for state in STATES if state in states), "gone")

    @property
    def stack(self) -> str | None:
        return next((i.stack for i in self.instances if i.stack), None)

    def as_json(self, lines: Mapping[str, object] | None = None) -> dict[str, object]:
        """As the API and the live socket show it; ``lines`` says what is known of its log."""
        return {
            "name": self.name,
            "team": self.team,
            "kind": self.kind,
            "put_away": self.put_away,
            "state": self.state,
            "stack": self.stack,
            "instances": [instance.as_json() for instance in self.instances],
            "last_line": None,
            "first": 1,
            "next": 1,
            "rate": 0,
            **(lines or {}),
        }
