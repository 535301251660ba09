"""The new release is proven from outside, before anybody is sent to it; then watched for a while."""

from __future__ import annotations

import time

import gevent

from cloudbang.deploy.errors import StepFailed
from cloudbang.deploy.observer import EVERY
from cloudbang.deploy.work import Work
from cloudbang.domain.deploy.failure import Failure
from cloudbang.domain.deploy.spec import STEADY, Spec

AGAIN = 10.0  # seconds more for what the engine checks by a command: it tries three times


def health(work: Work) -> None:
    """Until each of its instances is healthy."""
    spec = work.release.spec
    within, began = _within(spec), time.monotonic()
    while True:
        seen = work.watch.look()
        healthy = len(work.watch.healthy(seen)) + work.watch.ended_well(seen)
        work.tell({"healthy": healthy, "of": spec.replicas, "said": work.watch.why_not[:200]})
        if healthy >= spec.replicas:
            return
        after = time.monotonic() - began
        if after > within:
            said = work.watch.why_not or f"{healthy} of {spec.replicas} are healthy"
            raise StepFailed(Failure("unhealthy", said, after=round(after, 1)))
        gevent.sleep(EVERY)


def verify(work: Work) -> None:
    """It serves, and is watched until it has run for long enough to be believed."""
    limits, wanted = work.parts.limits, work.release.spec.replicas
    told, whole = False, time.monotonic()
    while True:
        seen = work.watch.look()
        done = work.watch.ended_well(seen)
        if done >= wanted:
            return
        left = limits.verify - work.watch.youngest(seen.running)
        if len(seen.running) + done >= wanted:
            whole = time.monotonic()
            if left <= 0:
                return
        elif time.monotonic() - whole > limits.start:
            said = f"{len(seen.running)} of {wanted} run, for {limits.start:.0f} s"
            raise StepFailed(Failure("timed-out", said, what=work.step))
        if not told:
            work.log.say(f"it serves; watching it for {left:.0f} s")
            told = True
        work.tell({"serving": True, "watching": round(left)})
        gevent.sleep(EVERY)


def _within(spec: Spec) -> float:
    given = spec.health.within
    if spec.health.kind == "command":
        return given + 3 * spec.health.interval + AGAIN
    steady = not spec.health.kind and not spec.port
    return max(given, STEADY + 5.0) if steady else given
