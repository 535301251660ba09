"""The release command: a migration, run once in the new image, before anything is switched."""

from __future__ import annotations

import time

import gevent

from cloudbang.deploy.errors import StepFailed
from cloudbang.deploy.handing import service_of
from cloudbang.deploy.observer import EVERY, Observer
from cloudbang.deploy.work import Work
from cloudbang.domain.deploy.failure import Failure
from cloudbang.domain.deploy.swarm_spec import command_service

OURS = ("exited", "unhealthy")  # kinds that are said of a command in words of its own


def release_command(work: Work) -> None:
    """It is not run a second time: after a restart it is found as it is, or known to have ended."""
    name = command_service(work.release)
    if "exit_code" not in work.progress:
        _run(work, name)
    code = work.progress["exit_code"]
    work.parts.engine.remove_service(name)
    if code != 0:
        said, after = work.progress.get("said"), work.progress.get("after")
        assert isinstance(code, int | None)
        assert isinstance(after, float | int | None)
        raise StepFailed(Failure("release-command-failed", str(said or ""), code, after))


def _run(work: Work, name: str) -> None:
    engine = work.parts.engine
    if engine.service(name) is None:
        if work.progress.get("begun"):
            work.note(exit_code=None, said="its service was removed by somebody while it ran")
            return
        work.log.say(f"release command: {' '.join(work.release.spec.release_command)}")
        engine.create_service(service_of(work.parts, work.release, one_off=True))
        work.note(begun=True)
    observer = Observer(engine, name, one_off=True)
    until = time.monotonic() + work.parts.limits.command
    while True:
        seen = observer.look()
        work.output.follow(seen.tasks)
        if seen.ended is not None:
            work.output.finish(seen.ended.container)
        failure = seen.failure
        if failure is not None and failure.kind not in OURS:
            engine.remove_service(name)
            raise StepFailed(failure)
        if failure is not None:
            work.note(exit_code=failure.exit_code, said=failure.said, after=failure.after)
            return
        if seen.ended is not None:
            done = seen.ended.state == "complete"
            said = "" if done else "it was ended from outside, as when the engine is restarted"
            work.note(exit_code=0 if done else None, said=said)
            if done:
                work.log.say("the release command ended with 0")
            return
        if time.monotonic() > until:
            engine.remove_service(name)
            said = f"it has run for {work.parts.limits.command:.0f} s"
            raise StepFailed(Failure("timed-out", said, what="release_command"))
        gevent.sleep(EVERY)
