"""The new release beside the old one: its service is made, its containers begin."""

from __future__ import annotations

import time
from collections import Counter

import gevent

from cloudbang.deploy.errors import StepFailed
from cloudbang.deploy.handing import service_of
from cloudbang.deploy.observer import EVERY, Observed
from cloudbang.deploy.work import Work
from cloudbang.domain.deploy.failure import Failure, class_of_words
from cloudbang.errors import EngineRefused

BEGUN = ("starting", "running")


def start(work: Work) -> None:
    """Until all of its containers run, or begin to."""
    engine, release = work.parts.engine, work.release
    _look_for_room(work)
    work.parts.sources.keep(release)  # one that was kept may have lost its image meanwhile
    spec = service_of(work.parts, release)
    if engine.service(release.service) is None:
        work.log.say(f"starting {release.service}, {release.spec.replicas} of it")
    try:
        engine.create_service(spec)
    except EngineRefused as e:
        kind = class_of_words(e.reason)
        raise StepFailed(Failure(kind or "exited", e.reason)) from None
    until = time.monotonic() + work.parts.limits.start
    while True:
        seen = work.watch.look()
        slots = {t.slot for t in seen.tasks if t.wanted == "running" and t.state in BEGUN}
        begun = len(slots) + work.watch.ended_well(seen)
        work.tell({"running": begun, "of": release.spec.replicas, "tasks": _states(seen)})
        if begun >= release.spec.replicas:
            return
        if time.monotonic() > until:
            states = ", ".join(f"{n} {state}" for state, n in _states(seen).items()) or "none"
            said = f"after {work.parts.limits.start:.0f} s its tasks are: {states}"
            raise StepFailed(Failure("timed-out", said, what="start"))
        gevent.sleep(EVERY)


def _states(seen: Observed) -> dict[str, int]:
    return dict(Counter(task.state for task in seen.tasks if task.wanted == "running"))


def _look_for_room(work: Work) -> None:
    """A limit that no machine has memory for is not reserved, and would be met by the kernel."""
    wanted = work.release.spec.memory
    if wanted:
        largest = work.parts.engine.largest_memory()
        if largest and wanted > largest:
            said = f"it may take {_mib(wanted)}, and the largest machine has {_mib(largest)}"
            raise StepFailed(Failure("no-room", said))


def _mib(size: int) -> str:
    return f"{size / 1024**2:.0f} MiB"
