"""How long the parts of a deployment may take, in seconds."""

from __future__ import annotations

from dataclasses import dataclass

from cloudbang.config import DeploySettings

HOLD = 10.0


@dataclass(frozen=True, slots=True)
class StepLimits:
    """``verify``: a new release is watched from when it runs until it is said to serve; ``drain``:
    requests of the old one may go on for; ``hold``: the same where new ones wait meanwhile, which
    the gateway lets them for 30 s in all; ``start``: until its containers have begun; ``command``:
    a release command, and a job; ``away``: the engine may be silent for."""

    verify: float = 15.0
    drain: float = 30.0
    hold: float = HOLD
    start: float = 120.0
    command: float = 1800.0
    away: float = 60.0

    @classmethod
    def of(cls, settings: DeploySettings) -> StepLimits:
        return cls(
            verify=settings.verify_seconds,
            drain=settings.drain_seconds,
            hold=min(HOLD, settings.drain_seconds),
            start=settings.start_seconds,
            command=settings.command_minutes * 60,
            away=settings.away_seconds,
        )
