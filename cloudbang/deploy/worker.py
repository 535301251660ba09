"""Carries one deployment out, from wherever it stands to its end, and undoes what has to be undone.

What is to be done next is `domain.deploy.deployment`'s to say; each new state is written down before
anything is done about it. So whoever is killed in the middle is followed by one who reads where it
stood, enters that step again, and finds by the engine what of it was done.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from math import inf

import gevent
from gevent.event import Event as Flag

from cloudbang.core.looks import looks
from cloudbang.core.supervise import backoff
from cloudbang.deploy.errors import StepFailed
from cloudbang.deploy.record import Change, now
from cloudbang.deploy.steps.command import release_command
from cloudbang.deploy.steps.health import health, verify
from cloudbang.deploy.steps.source import build, fetch, pull
from cloudbang.deploy.steps.start import start
from cloudbang.deploy.steps.stop import stop, undo
from cloudbang.deploy.steps.switch import drain, switch
from cloudbang.deploy.work import Work
from cloudbang.domain.deploy.deployment import Deployment, StepName
from cloudbang.domain.deploy.failure import Failure, template_of
from cloudbang.errors import CloudBangError, EngineRefused, EngineUnreachable, StorageFull
from cloudbang.storage.database.deployments import DeployedApp

log = logging.getLogger(__name__)

STEPS: Mapping[StepName, Callable[[Work], None]] = {
    "fetch": fetch,
    "build": build,
    "pull": pull,
    "release_command": release_command,
    "start": start,
    "health": health,
    "switch": switch,
    "drain": drain,
    "stop": stop,
}
BACK = 0.3  # seconds between two looks at whether the engine is back
UNDO_TRIES = 10  # of what the engine refuses; the rest is tidied up by the reaper
# What an engine says whose Swarm has not come up yet, as after a restart.
_COMING_UP = (
    "not a swarm manager",
    "does not have a leader",
    "code = Unavailable",
    "code = DeadlineExceeded",
    "context deadline exceeded",
    "no elected primary",
)


class Worker:
    """``cancel()`` may be called by anybody; all else by the one greenlet that runs :meth:`run`."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self._cancelled = Flag()

    def cancel(self) -> None:
        """The record says that it is to end: stop what is under way."""
        self._cancelled.set()

    def run(self) -> None:
        """To the end, everything undone that has to be; the record says what became of it."""
        work, record = self.work, self.work.record
        try:
            if record.now.state == "queued":
                record.keep(Deployment.begin)
            self._carry_on()
            if record.now.state == "running":
                self._end_cancelled()
            elif not record.now.settled:
                self._undo()
                record.keep(Deployment.settle, work.log.last)
        finally:
            work.close()

    # -- forwards

    def _carry_on(self) -> None:
        record = self.work.record
        while record.now.state == "running" and not self._is_cancelled():
            step = record.now.current
            assert step is not None
            again = step.started is not None
            # Who cancels while this is written down is told that it ends, and then it does.
            record.keep(
                _unless_cancelled(lambda d, name=step.name: d.enter(name, now()))  # type: ignore[misc]
            )
            if self._is_cancelled():
                return
            self.work.log.say(f"— {step.name}" + (", again" if again else ""))
            failure = self._do(step.name)
            if self._is_cancelled():
                return
            if failure is not None and not self._is_past(step.name):
                self._fail(failure)
            else:
                self._complete(step.name)

    def _is_past(self, name: StepName) -> bool:
        """Whether there is no way back: the new release serves, whatever becomes of the old one."""
        return name == "stop" and not self.work.record.now.stop_first

    def _is_cancelled(self) -> bool:
        return self.work.record.now.cancelling

    def _do(self, name: StepName) -> Failure | None:
        """Why a step failed; None when it is done, or was broken off by who cancels."""
        outcome: list[Failure | None] = []
        greenlet = gevent.Greenlet(lambda: outcome.append(self._attempt(name)))
        greenlet.start()
        try:
            gevent.wait([greenlet, self._cancelled], count=1)
        finally:
            greenlet.kill()  # comes back when nothing of it runs any more
        return outcome[0] if outcome else None

    def _attempt(self, name: StepName) -> Failure | None:
        """Why it failed; while the engine is away, it is waited for and the step entered again."""
        while True:
            try:
                STEPS[name](self.work)
                if name == self._last_proving():
                    verify(self.work)
                return None
            except StepFailed as e:
                return e.failure
            except (EngineUnreachable, EngineRefused) as e:
                if not _is_away(e):
                    return Failure("timed-out", str(e), what=name, broke_off=True)
                failure = self._wait_for_engine(name, str(e))
                if failure is not None:
                    return failure
            except StorageFull as e:
                return Failure("disk-full", str(e))
            except CloudBangError as e:
                return Failure("timed-out", str(e), what=name, broke_off=True)
            except Exception as e:
                log.exception("deployment %d: %s failed", self.work.record.now.id, name)
                said = f"a fault in CloudBang: {e!r}"
                return Failure("timed-out", said, what=name, broke_off=True)

    def _last_proving(self) -> StepName | None:
        """The step after which it is believed: the last one before the old release is stopped."""
        deployment = self.work.record.now
        names = [step.name for step in deployment.steps if step.name != "stop"]
        return names[-1] if names else None

    def _wait_for_engine(self, name: StepName, why: str) -> Failure | None:
        limit = self.work.parts.limits.away
        self.work.log.say(f"the engine is away ({why}): waiting for it")
        for _ in looks(inf if self._is_past(name) else limit):
            gevent.sleep(BACK)
            try:
                self.work.parts.engine.ping(within=2.0)
                if self.work.parts.engine.swarm().manager:
                    self.work.log.say("the engine is back")
                    self.work.watch_again()
                    return None
            except (EngineUnreachable, EngineRefused) as e:
                why = str(e)
        return Failure("engine-away", why)

    def _complete(self, name: StepName) -> None:
        work, record = self.work, self.work.record
        last = record.now.steps[-1].name == name
        if last and not self._is_cancelled():
            self._serves(work.release.number)
        if last and not self._is_cancelled():
            self._leave_old()
            work.output.catch_up()
            work.log.say(f"release {work.release.number} of {work.app} serves")
            work.log.wait()
        completed = _unless_cancelled(lambda d: d.complete(name, now()))
        record.keep(completed, work.log.last if last else None)

    def _serves(self, number: int | None) -> None:
        """What is true from now on is written down before the deployment says so."""
        app = DeployedApp(self.work.app, number)
        self._surely(lambda: self.work.parts.store.save_app(app))

    def _leave_old(self) -> None:
        work, old = self.work, self.work.previous
        if old is not None and work.record.now.stop_first:
            try:  # it was stopped; who cancels at this moment gets it made anew
                work.parts.engine.remove_service(old.service)
            except (EngineUnreachable, EngineRefused) as e:
                work.log.say(f"{old.service} is removed later: {e}")

    # -- the other ends

    def _fail(self, failure: Failure) -> None:
        """The verdict at once; what has to be undone comes after it."""
        self.work.log.say(f"failed: {sentence(failure, self.work.app)}", b"stderr")
        self.work.log.wait()
        self.work.record.keep(lambda d: d.fail(failure, now()), self.work.log.last)

    def _end_cancelled(self) -> None:
        record = self.work.record
        self.work.log.say(f"cancelled by {record.now.cancelled_by}")
        self._undo()
        self.work.log.say("cancelled: nothing of it is left")
        self.work.log.wait()
        record.keep(lambda d: d.cancelled(now()), self.work.log.last)

    def _undo(self) -> None:
        work = self.work
        kept, old = work.parts.store.app(work.app), work.previous
        if kept is not None and kept.serving == work.release.number:
            self._serves(old.number if old else None)
        for what in self.work.record.now.undo:
            waits, tries = backoff(0.2, 5), 0
            while True:
                try:
                    undo(self.work, what)
                    break
                except (CloudBangError, StepFailed) as e:
                    # While the engine is away, for as long as it takes.
                    tries += not (isinstance(e, EngineUnreachable) or _is_away(e))
                    if tries >= UNDO_TRIES:
                        self.work.log.say(f"{what} cannot be done: {e}", b"stderr")
                        break
                    log.info("deployment %d: %s again: %s", self.work.record.now.id, what, e)
                    gevent.sleep(next(waits))

    def _surely(self, write: Callable[[], None]) -> None:
        waits = backoff(0.2, 5)
        while True:
            try:
                write()
                return
            except CloudBangError as e:
                log.warning("deployment %d waits: %s", self.work.record.now.id, e)
                gevent.sleep(next(waits))


def _unless_cancelled(change: Change) -> Change:
    """The change, unless somebody wants it to end by the time at which it is written down."""
    return lambda deployment: deployment if deployment.cancelling else change(deployment)


def _is_away(error: Exception) -> bool:
    if isinstance(error, EngineUnreachable):
        return True
    return isinstance(error, EngineRefused) and any(word in error.reason for word in _COMING_UP)


def sentence(failure: Failure, app: str) -> str:
    """In English, for the log."""
    return template_of(failure).format(
        app=app,
        said=failure.said or "-",
        exit_code="?" if failure.exit_code is None else failure.exit_code,
        after=f"{failure.after or 0:.1f} s",
        what=failure.what or app,
    )
