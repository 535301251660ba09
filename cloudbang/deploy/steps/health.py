"""The new release is proven from outside, before anybody is sent to it; then watched for a while."""

from __future__ import annotations

import time

import gevent

from cloudbang.deploy.errors import StepFailed
from cloudbang.deploy.observer import EVERY
from cloudbang.deploy.work import Work
from cloudbang.domain.deploy.failure import Failure
from cloudbang.domain.deploy.spec import STEADY, Spec

LOST = 5.0  # seconds after which a job that is gone is not started by Swarm any more
AGAIN = 10.0  # seconds more for what the engine checks by a command: it tries several times


def health(work: Work) -> None:
    """Until each of its instances is healthy; of a job, until each has done its work. Nothing is said of
    one that was not asked once more when its time was over."""
    spec = work.release.spec
    if spec.job:
        _done(work)
        return
    within, began = _within(spec), time.monotonic()
    while True:
        seen = work.watch.look()
        healthy = len(work.watch.healthy(seen)) + work.watch.ended_well(seen)
        work.tell({"healthy": healthy, "of": spec.replicas, "said": work.watch.why_not[:200]})
        if healthy >= spec.replicas:
            return
        after = time.monotonic() - began
        if after > within and work.watch.asked_after(seen, began + within):
            said = work.watch.why_not or f"{healthy} of {spec.replicas} are healthy"
            raise StepFailed(Failure("unhealthy", said, after=round(after, 1)))
        gevent.sleep(EVERY)


def verify(work: Work) -> None:
    """It serves, and is watched until it has run for long enough to be believed."""
    limits, wanted = work.parts.limits, work.release.spec.replicas
    told, missed = False, 0.0  # since when it was seen that some are
    while True:
        seen = work.watch.look()
        done = work.watch.ended_well(seen)
        if done >= wanted:
            return
        left = limits.verify - work.watch.youngest(seen.running)
        if len(seen.running) + done >= wanted:
            missed = 0.0
            if left <= 0:
                return
        elif not missed:
            missed = time.monotonic()
        elif time.monotonic() - missed > limits.start:
            said = f"{len(seen.running)} of {wanted} run, for {limits.start:.0f} s"
            raise StepFailed(Failure("timed-out", said, what=work.step))
        if not told:
            work.log.say(f"it serves; watching it for {left:.0f} s")
            told = True
        work.tell({"serving": True, "watching": round(left)})
        gevent.sleep(EVERY)


def _done(work: Work) -> None:
    wanted, limit = work.release.spec.replicas, work.parts.limits.command
    began, gone = time.monotonic(), 0.0  # since when it was seen that it is
    while True:
        seen = work.watch.look()
        done = work.watch.ended_well(seen)
        work.tell({"ended": done, "of": wanted})
        if done >= wanted:
            work.log.say("the job ended with 0")
            return
        now = time.monotonic()
        gone = (gone or now) if all(task.ended for task in seen.tasks) else 0.0
        if gone and now - gone > LOST:
            said = "it was ended from outside, as when the engine is restarted"
            work.log.say(said, b"stderr")
            raise StepFailed(Failure("exited", said))
        if now - began > limit:
            said = f"it has run for {limit:.0f} s, and has not ended"
            raise StepFailed(Failure("timed-out", said, what=work.step))
        gevent.sleep(EVERY)


def _within(spec: Spec) -> float:
    given = spec.health.within
    if spec.health.kind == "command":
        # The engine's verdict comes with the last of its tries, each of which may be a slow one.
        tries = spec.health.retries
        slow = tries * spec.health.patience if tries else 3 * spec.health.interval
        return given + slow + AGAIN
    steady = not spec.health.kind and not spec.port
    return max(given, STEADY + 5.0) if steady else given
