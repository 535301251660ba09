"""A deployment as a machine: its steps, what comes next, what has to be undone.

Pure: whoever acts on it writes each new value down before it acts, and after a restart goes on with
what stands there. Each step can be entered again. A verdict is final; what it leaves to be tidied
up is known from the steps that were entered, so that this, too, survives a kill.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Literal

from cloudbang.domain.deploy.failure import Failure
from cloudbang.domain.lines import parse_time
from cloudbang.errors import CloudBangError

State = Literal["queued", "running", "serving", "failed", "cancelled"]
StepState = Literal["waiting", "running", "done", "failed", "cancelled"]
StepName = Literal[
    "fetch", "build", "pull", "release_command", "start", "health", "switch", "drain", "stop"
]
Source = Literal["image", "git", "upload", "built", "kept", "kept-away"]
Undo = Literal["remove-new", "start-old", "switch-back"]

_FIRST: Mapping[Source, tuple[StepName, ...]] = {
    "git": ("fetch", "build"),
    "upload": ("build",),
    "image": ("pull",),
    "built": (),
    "kept": (),
    "kept-away": ("pull",),
}

FINAL: frozenset[State] = frozenset({"serving", "failed", "cancelled"})


class NotNow(CloudBangError):
    """What was asked does not fit the state that a deployment is in."""

    code = "deployment-ended"
    status = 409
    sentence = "deployment {number} of {app} is {state} already"
    variants = {  # noqa: RUF012
        ("state", "running"): (
            "deployment {number} of {app} has stopped the release before: it serves in a moment. "
            "Go back to the release before instead."
        ),
    }

    def __init__(self, app: str, number: int, state: str) -> None:
        self.app, self.number, self.state = app, number, state
        super().__init__(app, number, state)


@dataclass(frozen=True, slots=True)
class Step:
    """One step. Times in RFC 3339, None while it has not come to that."""

    name: StepName
    state: StepState = "waiting"
    started: str | None = None
    finished: str | None = None
    progress: Mapping[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        told: dict[str, object] = {
            "name": self.name,
            "state": self.state,
            "started": self.started,
            "finished": self.finished,
        }
        return {**told, "progress": dict(self.progress)} if self.progress else told


def steps_of(
    source: Source,
    *,
    release_command: bool = False,
    routed: bool = False,
    replaces: bool = False,
    stop_first: bool = False,
) -> tuple[Step, ...]:
    """The steps of a deployment, in their order.

    ``source``: "kept" for a release whose image is there, and whose command was run, "kept-away"
    where somebody has removed the image meanwhile; "built" for what is configured otherwise and runs on
    what was built before; ``routed``: the gateway leads requests to it; ``replaces``: another release serves; ``stop_first``: the two
    cannot run at once, so the old one is drained and stopped before the new one starts.
    """
    names = [*_FIRST[source]]
    if release_command and source not in ("kept", "kept-away"):
        names.append("release_command")
    leave: list[StepName] = []
    if replaces:
        leave = ["drain", "stop"] if routed else ["stop"]
    if stop_first:
        names += leave
    names += ["start", "health"]
    if routed:
        names.append("switch")
    if not stop_first:
        names += leave
    return tuple(Step(name) for name in names)


def usual_steps(deployments: Iterable[Deployment]) -> dict[StepName, float]:
    """By step the seconds that it took as a rule: the median."""
    took: dict[StepName, list[float]] = {}
    for deployment in deployments:
        for step in deployment.steps:
            if step.started and step.finished:
                seconds = (parse_time(step.finished) - parse_time(step.started)) / 1e9
                took.setdefault(step.name, []).append(seconds)
    return {name: round(median(seconds), 3) for name, seconds in took.items()}


@dataclass(frozen=True, slots=True)
class Deployment:
    """One attempt to move an app to a release. ``previous``: the release that served before."""

    id: int
    app: str
    number: int
    release: int
    previous: int | None
    by: str
    created: str
    steps: tuple[Step, ...]
    stop_first: bool = False
    state: State = "queued"
    failure: Failure | None = None
    cancelled_by: str = ""  # asked for; the state says when it is done
    finished: str | None = None
    settled: bool = False  # whether nothing is left to be done or undone

    # -- what is so

    @property
    def ended(self) -> bool:
        """Whether its state will never change again."""
        return self.state in FINAL

    @property
    def current(self) -> Step | None:
        """The step that is under way, or comes next; None after the last."""
        return next((s for s in self.steps if s.state in ("waiting", "running")), None)

    def step(self, name: StepName) -> Step | None:
        return next((step for step in self.steps if step.name == name), None)

    def entered(self, name: StepName) -> bool:
        """Whether a step was begun, however it ended."""
        step = self.step(name)
        return step is not None and step.started is not None

    @property
    def can_cancel(self) -> bool:
        """Until the old release is told to stop, all can be as it was; where it stops first, it can
        be started again."""
        return not self.ended and (self.stop_first or not self.entered("stop"))

    @property
    def cancelling(self) -> bool:
        """Whether it is to end: nothing of it goes on, whoever was about to."""
        return bool(self.cancelled_by) and self.can_cancel

    @property
    def undo(self) -> tuple[Undo, ...]:
        """What has to be undone of one that failed or was cancelled, in this order. Each can be
        done again."""
        if self.state not in ("failed", "cancelled") and not self.cancelled_by:
            return ()
        found: list[Undo] = []
        stopped = self.stop_first and self.entered("stop")
        if stopped and self.entered("start"):
            # It has what the old one needs.
            found += ["remove-new", "start-old"]
        elif stopped:
            found.append("start-old")
        if self.entered("switch") or (self.stop_first and self.entered("drain")):
            found.append("switch-back")
        begun = self.entered("start") or self.entered("release_command")
        if begun and "remove-new" not in found:
            found.append("remove-new")
        return tuple(found)

    # -- what happens

    def begin(self) -> Deployment:
        """Its turn has come."""
        self._must(self.state == "queued")
        return replace(self, state="running")

    def enter(self, name: StepName, now: str) -> Deployment:
        """A step begins, or begins again after a restart."""
        step = self._next(name)
        return self._with(replace(step, state="running", started=step.started or now))

    def progress(self, name: StepName, told: Mapping[str, object]) -> Deployment:
        """How far a step is; what was told before and is not told again stays."""
        step = self.step(name)
        if step is None or step.state != "running":
            return self
        return self._with(replace(step, progress={**step.progress, **told}))

    def complete(self, name: StepName, now: str) -> Deployment:
        """A step is done. After the last one the release serves, and that is for ever."""
        step = self._next(name)
        done = self._with(replace(step, state="done", finished=now))
        if done.current is not None:
            return done
        return replace(done, state="serving", finished=now, settled=True)

    def fail(self, failure: Failure, now: str) -> Deployment:
        """The verdict, as soon as it is known; what is to be undone comes after it."""
        self._must(self.state == "running")
        return replace(self._stopped("failed", now), state="failed", failure=failure, finished=now)

    def cancel(self, by: str, now: str) -> Deployment:
        """Somebody wants it to end. One that waits for its turn has ended with that."""
        self._must(self.can_cancel)
        if self.state == "queued":
            ended = replace(self, state="cancelled", finished=now, settled=True)
            return replace(ended, cancelled_by=by)
        return replace(self, cancelled_by=self.cancelled_by or by)

    def cancelled(self, now: str) -> Deployment:
        """It has ended: what it began is stopped and undone."""
        self._must(self.state == "running" and bool(self.cancelled_by))
        stopped = self._stopped("cancelled", now)
        return replace(stopped, state="cancelled", finished=now, settled=True)

    def settle(self) -> Deployment:
        """What a failed one left is undone."""
        return replace(self, settled=True)

    def as_json(self) -> dict[str, object]:
        """DEPLOYMENT without its sentence, which is put in the reader's language."""
        failure = self.failure
        return {
            "id": self.id,
            "app": self.app,
            "number": self.number,
            "release": self.release,
            "previous": self.previous,
            "state": self.state,
            "class": failure.kind if failure else None,
            "exit_code": failure.exit_code if failure else None,
            "by": self.by,
            "created": self.created,
            "finished": self.finished,
            "cancelled_by": self.cancelled_by or None,
            "can_cancel": self.can_cancel,
            "stop_first": self.stop_first,
            "settled": self.settled,
            "steps": [step.as_json() for step in self.steps],
        }

    # -- within

    def _with(self, step: Step) -> Deployment:
        return replace(self, steps=tuple(step if s.name == step.name else s for s in self.steps))

    def _stopped(self, state: StepState, now: str) -> Deployment:
        step = self.current
        if step is None or step.state != "running":
            return self
        return self._with(replace(step, state=state, finished=now))

    def _next(self, name: StepName) -> Step:
        """The step that is now. Raises NotNow for any other, and for one that is to end."""
        step = self.current
        self._must(self.state == "running" and not self.cancelling)
        self._must(step is not None and step.name == name)
        assert step is not None
        return step

    def _must(self, fits: bool) -> None:
        if not fits:
            raise NotNow(self.app, self.number, self.state)
