"""A stack on its way: its apps, each deployed once those that it needs serve.

Pure: whoever acts on it writes each new value down, and after a restart goes on with what stands
there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

PartState = Literal["waiting", "running", "serving", "failed", "cancelled", "skipped"]
StackState = Literal["running", "serving", "failed", "cancelled"]
ENDED: frozenset[PartState] = frozenset({"serving", "failed", "cancelled", "skipped"})


@dataclass(frozen=True, slots=True)
class Why:
    """What kept a part from beginning: a sentence of ours, translated before its ``facts`` are
    filled in; "" where nothing did."""

    template: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, told: object) -> Why:
        if isinstance(told, Mapping):
            return cls(**told)
        # As it was kept before: filled in already.
        return cls(str(told).replace("{", "{{").replace("}", "}}"))

    def __str__(self) -> str:
        return self.template.format(**self.facts)


@dataclass(frozen=True, slots=True)
class Part:
    """One app. ``after``: the services that have to serve first; ``deployment``: its id, None until
    it has begun; ``why``: what kept it from beginning. Skipped is one whose needs did not come to
    serve."""

    service: str
    app: str
    after: tuple[str, ...] = ()
    upload: str = ""
    deployment: int | None = None
    state: PartState = "waiting"
    why: Why = Why()

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "after": list(self.after)}

    @classmethod
    def of(cls, told: Mapping[str, object]) -> Part:
        after = told["after"]
        assert isinstance(after, list)
        why = Why.of(told.get("why", ""))
        return cls(**{**told, "after": tuple(after), "why": why})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class StackRun:
    """``admin``: whether who asked for it may name what reaches the machine; ``team``: whose its apps
    are, or are to be."""

    id: int
    stack: str
    by: str
    admin: bool
    created: str
    parts: tuple[Part, ...]
    team: str = "default"

    @property
    def state(self) -> StackState:
        states = {part.state for part in self.parts}
        if not states <= ENDED:
            return "running"
        if "failed" in states:
            return "failed"
        return "serving" if states == {"serving"} else "cancelled"

    def ready(self) -> list[Part]:
        """Those that can begin now."""
        serving = {part.service for part in self.parts if part.state == "serving"}
        return [p for p in self.parts if p.state == "waiting" and set(p.after) <= serving]

    def put(self, part: Part) -> StackRun:
        """With this part as it is now; those that wait for one that will not serve are skipped."""
        parts = [part if its.service == part.service else its for its in self.parts]
        lost = {its.service for its in parts if its.state in ("failed", "cancelled", "skipped")}
        while doomed := [p for p in parts if p.state == "waiting" and set(p.after) & lost]:
            lost |= {its.service for its in doomed}
            parts = [replace(its, state="skipped") if its in doomed else its for its in parts]
        return replace(self, parts=tuple(parts))
