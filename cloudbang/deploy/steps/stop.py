"""The old release is stopped; and all that was begun is undone where the new one does not serve."""

from __future__ import annotations

import time

import gevent

from cloudbang.deploy.errors import StepFailed
from cloudbang.deploy.handing import service_of
from cloudbang.deploy.parts import Parts
from cloudbang.deploy.work import Work
from cloudbang.domain.deploy.deployment import Undo
from cloudbang.domain.deploy.failure import Failure
from cloudbang.domain.deploy.release import Release
from cloudbang.domain.deploy.swarm_spec import command_service
from cloudbang.errors import EngineRefused

PATIENCE = 20.0  # seconds beyond the grace of a release until its containers have to be gone
LOOK = 0.3


def stop(work: Work) -> None:
    """Until none of its containers runs."""
    old = work.previous
    if old is None:
        return
    engine, first = work.parts.engine, work.record.now.stop_first
    work.log.say(f"stopping {old.service}")
    try:
        if first:
            engine.scale_service(old.service, 0)  # it may be needed again
        else:
            engine.remove_service(old.service)
    except EngineRefused as e:
        if first:
            refused = Failure("timed-out", e.reason, what="stop", broke_off=True)
            raise StepFailed(refused) from None
        work.log.say(f"{old.service} cannot be removed now: {e.reason}")
        return
    if not wait_gone(work.parts, old) and first:
        said = f"{old.service} still runs, {old.spec.stop_grace + PATIENCE:.0f} s after it was told"
        raise StepFailed(Failure("timed-out", said, what="stop"))


def undo(work: Work, what: Undo) -> None:
    """One thing that has to be undone. Can be done again."""
    old = work.previous
    match what:
        case "remove-new":
            _remove(work)
        case "start-old" if old is not None:
            kept = work.parts.store.app(work.app)
            if kept is not None and kept.stopped:
                return  # somebody had stopped it before
            work.log.say(f"starting {old.service} again")
            count = old.spec.replicas if kept is None or kept.replicas is None else kept.replicas
            if not work.parts.engine.scale_service(old.service, count):
                work.parts.engine.create_service(service_of(work.parts, old))
            if not _runs(work.parts, old, count):
                work.log.say(f"{old.service} does not run yet", b"stderr")
        case "switch-back":
            switch_back(work.parts, work.app, old)


def switch_back(parts: Parts, app: str, old: Release | None) -> None:
    if old is None or old.spec.route is None:
        parts.gateway.withdraw(app)
        return
    parts.gateway.publish(app, old.spec)
    parts.gateway.switch(app, old.service)


def _remove(work: Work) -> None:
    engine, release = work.parts.engine, work.release
    engine.remove_service(command_service(release))
    if engine.remove_service(release.service):
        work.log.say(f"{release.service} is removed")
    if not release.spec.volumes:
        # Nobody was sent to it, and it keeps nothing: what runs of it need not be asked kindly.
        for container in engine.released(work.app, release.number):
            engine.remove_container(container)
    wait_gone(work.parts, release)


def _runs(parts: Parts, release: Release, count: int) -> bool:
    """Whether so many of its containers run, within a while."""
    until = time.monotonic() + parts.limits.start
    while len(parts.engine.released(release.app, release.number)) < count:
        if time.monotonic() > until:
            return False
        gevent.sleep(LOOK)
    return True


def wait_gone(parts: Parts, release: Release) -> bool:
    """Whether none of its containers runs any more, within its grace."""
    until = time.monotonic() + release.spec.stop_grace + PATIENCE
    while parts.engine.released(release.app, release.number):
        if time.monotonic() > until:
            return False
        gevent.sleep(LOOK)
    return True
