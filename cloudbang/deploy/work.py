"""One deployment that is being carried out, as its steps see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cloudbang.deploy.errors import StepFailed
from cloudbang.deploy.log import DeploymentLog
from cloudbang.deploy.output import Output
from cloudbang.deploy.parts import Parts
from cloudbang.deploy.record import Record
from cloudbang.deploy.sources import Fetched
from cloudbang.deploy.watch import Watch
from cloudbang.domain.deploy.deployment import StepName
from cloudbang.domain.deploy.failure import Failure
from cloudbang.domain.deploy.release import Release


class Work:
    """What of it lives in memory only is made anew after a restart."""

    def __init__(
        self,
        parts: Parts,
        record: Record,
        release: Release,
        previous: Release | None,
        log: DeploymentLog,
        output_since: int = 0,
        *,
        resumed: bool = False,
    ) -> None:
        """``resumed``: its service may have been there before this process, and the engine may have
        been away meanwhile, of which nobody knows: as after a machine lost its power. Where Swarm
        starts anew whatever ends, what ended until now is not held against the release."""
        self.parts, self.record, self.log = parts, record, log
        self.release, self.previous = release, previous
        self.fetched: Fetched | None = None
        self.output = Output(parts.engine, log, tty=release.spec.tty, since=output_since)
        self.watch = self._new_watch(forgiving=resumed and release.spec.restart == "always")
        self.told: dict[str, object] = {}

    @property
    def app(self) -> str:
        return self.release.app

    @property
    def step(self) -> StepName:
        """The step that is under way."""
        current = self.record.now.current
        assert current is not None
        return current.name

    @property
    def progress(self) -> Mapping[str, object]:
        """What the step that is under way told already, before a restart as well."""
        current = self.record.now.current
        return current.progress if current else {}

    def tell(self, told: Mapping[str, object]) -> None:
        """How far the step is."""
        self.record.progress(self.step, told)

    def note(self, **told: object) -> None:
        """The same, written down before anything else is done."""
        name = self.step
        self.record.keep(lambda d: d.progress(name, told))

    def set_release(self, release: Release) -> None:
        """Its image is known now."""
        self.release = release
        self.parts.store.save_release(release)

    def watch_again(self) -> None:
        """The engine was away: what ran has ended with it, by no fault of its own."""
        self.watch.close()
        self.watch = self._new_watch(forgiving=True)

    def close(self) -> None:
        self.watch.close()
        self.output.close()

    def _new_watch(self, forgiving: bool = False) -> Watch:
        return Watch(self.parts.engine, self.release, self.output, forgiving=forgiving)


def failed(failure: Failure, what: str = "") -> StepFailed:
    """A verdict, about ``what``."""
    return StepFailed(replace(failure, what=what) if what and not failure.what else failure)
